import type { KubeObject } from '@capstan/kube-object';
import { badRequest } from './api-error.ts';
import { textAt, valueAt } from './json.ts';
import { simplePath } from './tables/simple-path.ts';

export interface Requirement {
  readonly key: string;
  readonly operator: '=' | '!=' | 'in' | 'notin' | 'exists' | '!' | '>' | '<';
  readonly values: readonly string[];
}

export type LabelSelector = readonly Requirement[];

/** Field selectors know only equality. */
export interface FieldRequirement {
  readonly field: string;
  readonly value: string;
  readonly negated: boolean;
}

/**
 * Parses `a=b,c!=d,e in (f,g),!h,i`, the grammar of labels.Parse. Throws the server's 400 for anything else.
 */
export function parseLabelSelector(text: string): LabelSelector {
  const parser = new SelectorParser(text);
  return parser.parse();
}

export function matchesLabels(
  selector: LabelSelector,
  labels: { readonly [key: string]: unknown } | undefined,
): boolean {
  return selector.every((requirement) => matchesRequirement(requirement, labels));
}

function matchesRequirement(
  { key, operator, values }: Requirement,
  labels: { readonly [key: string]: unknown } | undefined,
): boolean {
  const has = labels !== undefined && Object.hasOwn(labels, key);
  const value = has ? String(labels[key]) : '';
  switch (operator) {
    case '=':
    case 'in':
      return has && values.includes(value);
    case '!=':
    case 'notin':
      return !has || !values.includes(value);
    case 'exists':
      return has;
    case '!':
      return !has;
    case '>':
      return has && Number.parseInt(value, 10) > Number(values[0]);
    case '<':
      return has && Number.parseInt(value, 10) < Number(values[0]);
    default:
      return operator satisfies never;
  }
}

/** A `metav1.LabelSelector` (matchLabels, matchExpressions) as requirements; an absent one selects nothing. */
export function fromSelectorObject(selector: unknown): LabelSelector | undefined {
  if (typeof selector !== 'object' || selector === null) return undefined;
  const requirements: Requirement[] = [];
  const matchLabels = valueAt(selector, 'matchLabels');
  if (typeof matchLabels === 'object' && matchLabels !== null) {
    for (const [key, value] of Object.entries(matchLabels)) {
      requirements.push({ key, operator: '=', values: [String(value)] });
    }
  }
  const expressions = valueAt(selector, 'matchExpressions');
  for (const expression of Array.isArray(expressions) ? expressions : []) {
    const values = valueAt(expression, 'values');
    requirements.push({
      key: textAt(expression, 'key'),
      operator: EXPRESSION_OPERATORS[textAt(expression, 'operator')] ?? 'exists',
      values: Array.isArray(values) ? values.map(String) : [],
    });
  }
  return requirements;
}

const EXPRESSION_OPERATORS: Readonly<Record<string, Requirement['operator']>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

/** The selector as `kubectl` prints it: `a=b,c in (d,e)`. */
export function formatSelector(selector: LabelSelector): string {
  return selector
    .map(({ key, operator, values }) => {
      if (operator === 'exists') return key;
      if (operator === '!') return `!${key}`;
      if (operator === 'in' || operator === 'notin') {
        return `${key} ${operator} (${[...values].sort().join(',')})`;
      }
      return `${key}${operator}${values[0] ?? ''}`;
    })
    .join(',');
}

export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text)) {
    if (term === '') continue;
    const match = /^((?:[^=!\\]|\\.|!(?!=))*)(==|!=|=)(.*)$/s.exec(term);
    if (match === null) {
      throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    }
    requirements.push({
      field: match[1]!,
      value: match[3]!.replace(/\\([\\,=])/g, '$1'),
      negated: match[2] === '!=',
    });
  }
  return requirements;
}

/** Splits at commas that no backslash precedes. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let term = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\' && i + 1 < text.length) {
      term += text[i]! + text[i + 1]!;
      i++;
    } else if (text[i] === ',') {
      terms.push(term);
      term = '';
    } else term += text[i];
  }
  terms.push(term);
  return terms;
}

/** Fields that each built-in kind can be selected by, beside metadata.name and metadata.namespace. */
const SELECTABLE: Readonly<Record<string, readonly string[]>> = {
  '/pods': [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.podIPs',
    'status.nominatedNodeName',
  ],
  '/events': [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  '/namespaces': ['status.phase'],
  '/nodes': ['spec.unschedulable'],
  '/secrets': ['type'],
  '/services': ['spec.clusterIP', 'spec.type'],
  '/replicationcontrollers': ['status.replicas'],
  'apps/replicasets': ['status.replicas'],
  'batch/jobs': ['status.successful'],
  'certificates.k8s.io/certificatesigningrequests': ['spec.signerName'],
  'apiextensions.k8s.io/customresourcedefinitions': [],
};

/** By which events are selected in their new API. */
export const EVENT_FIELDS: readonly string[] = [
  'regarding.kind',
  'regarding.namespace',
  'regarding.name',
  'regarding.uid',
  'regarding.apiVersion',
  'regarding.resourceVersion',
  'regarding.fieldPath',
  'reason',
  'reportingController',
  'type',
];

/** Throws for fields by which nobody can select; `selectable` are those of a custom resource's version. */
export function checkFieldSelector(
  bucket: string,
  requirements: readonly FieldRequirement[],
  selectable?: readonly string[],
): void {
  for (const { field } of requirements) {
    if (field === 'metadata.name' || field === 'metadata.namespace') continue;
    if ((selectable ?? SELECTABLE[bucket])?.includes(field) === true) continue;
    throw badRequest(
      selectable === undefined && SELECTABLE[bucket] === undefined
        ? `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`
        : `field label not supported: ${field}`,
    );
  }
}

export function matchesFields(
  requirements: readonly FieldRequirement[],
  object: KubeObject,
): boolean {
  return requirements.every(
    ({ field, value, negated }) => (fieldText(object, field) === value) !== negated,
  );
}

function fieldText(object: KubeObject, field: string): string {
  if (field === 'source') {
    return textAt(object, 'source', 'component') || textAt(object, 'reportingComponent');
  }
  if (field === 'reportingController' || field === 'reportingComponent') {
    return textAt(object, 'reportingComponent') || textAt(object, 'reportingController');
  }
  const alias = field.split('.');
  // Only the paths of custom resources have more than names: `spec['a.b']`.
  let found = field.includes('[') ? simplePath(object, `.${field}`) : valueAt(object, ...alias);
  const [first = '', ...rest] = alias;
  const other = { involvedObject: 'regarding', regarding: 'involvedObject' }[first];
  if (other !== undefined && found === undefined) found = valueAt(object, other, ...rest);
  if (field === 'status.successful') found = valueAt(object, 'status', 'succeeded') ?? 0;
  if (found === undefined || found === null) {
    return field === 'spec.unschedulable' || field === 'spec.hostNetwork' ? 'false' : '';
  }
  return typeof found === 'object' ? JSON.stringify(found) : String(found);
}

const NAME =
  /^(?:[a-zA-Z0-9](?:[-a-zA-Z0-9.]*[a-zA-Z0-9])?\/)?[a-zA-Z0-9](?:[-\w.]{0,61}[a-zA-Z0-9])?$/;
const VALUE = /^(?:[a-zA-Z0-9](?:[-\w.]{0,61}[a-zA-Z0-9])?)?$/;

class SelectorParser {
  readonly #text: string;
  readonly #tokens: string[];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens =
      text.match(/\s+|==|!=|[=!<>(),]|[^\s=!<>(),]+/g)?.filter((t) => t.trim() !== '') ?? [];
  }

  parse(): LabelSelector {
    const requirements: Requirement[] = [];
    while (this.#at < this.#tokens.length) {
      requirements.push(this.#requirement());
      if (this.#at >= this.#tokens.length) break;
      if (this.#next() !== ',')
        this.#fail(`found '${this.#tokens[this.#at - 1]}', expected: ',' or 'end of string'`);
      if (this.#at >= this.#tokens.length) this.#fail("found '', expected: identifier after ','");
    }
    return requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  #requirement(): Requirement {
    if (this.#peek() === '!') {
      this.#at++;
      return { key: this.#key(), operator: '!', values: [] };
    }
    const key = this.#key();
    const operator = this.#peek();
    if (operator === undefined || operator === ',') return { key, operator: 'exists', values: [] };
    this.#at++;
    if (operator === 'in' || operator === 'notin') {
      return { key, operator, values: this.#set(key) };
    }
    if (operator === '=' || operator === '==' || operator === '!=') {
      return { key, operator: operator === '!=' ? '!=' : '=', values: [this.#value(key)] };
    }
    if (operator === '>' || operator === '<') {
      return { key, operator, values: [this.#value(key)] };
    }
    return this.#fail(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`);
  }

  #key(): string {
    const key = this.#next();
    if (key === undefined || !NAME.test(key)) {
      return this.#fail(
        key === undefined || /^[=!<>(),]/.test(key)
          ? `found '${key ?? ''}', expected: !, identifier, or 'end of string'`
          : `key: Invalid value: "${key}": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
      );
    }
    return key;
  }

  #value(key: string): string {
    const token = this.#peek();
    if (token === undefined || token === ',') return '';
    this.#at++;
    if (!VALUE.test(token)) {
      return this.#fail(
        /^[=!<>(),]/.test(token)
          ? `found '${token}', expected: identifier`
          : `values[0][${key}]: Invalid value: "${token}": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
      );
    }
    return token;
  }

  #set(key: string): string[] {
    if (this.#next() !== '(')
      this.#fail(`found '${this.#tokens[this.#at - 1] ?? ''}' expected: '('`);
    const values: string[] = [];
    if (this.#peek() === undefined) this.#fail("found '', expected: ',', ')' or identifier");
    for (;;) {
      values.push(this.#value(key));
      const token = this.#next();
      if (token === ')') return values;
      if (token !== ',') this.#fail(`found '${token ?? ''}', expected: ',' or ')'`);
    }
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at];
  }
  #next(): string | undefined {
    return this.#tokens[this.#at++];
  }
  #fail(why: string): never {
    throw badRequest(`unable to parse requirement: ${why}`.replace('%', this.#text));
  }
}
