import type { Answer, Script, Step } from '@capstan/kube-apiserver/testing';
import { prepare } from '../scripts/kinds.ts';
import { verdict } from '../validation/script.ts';
import type { Rule, RuleGroup } from './cases.ts';

const GROUP = 'rules.example.com';
/** How long the real server takes to serve a new kind. */
const SETTLE = 4000;

export interface RuleCase {
  /** `text[12] self == 'a' of "b"` */
  readonly title: string;
  readonly field: string;
  readonly value: unknown;
  /** With it: the object that is changed, and what of it there was. */
  readonly change?: { readonly name: string; readonly before: unknown };
}

export interface Field {
  readonly name: string;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly rule: Rule;
  readonly group: RuleGroup;
}

/** A field for every rule, so that an object that sets one is judged by that rule alone. */
export function fieldsOf(group: RuleGroup): readonly Field[] {
  return group.rules.map((given, i) => {
    const rule = typeof given === 'string' ? { rule: given } : given;
    const others = (group.schema['x-kubernetes-validations'] ?? []) as readonly unknown[];
    const schema = { ...group.schema, 'x-kubernetes-validations': [...others, rule] };
    return { name: `${group.name}${i}`, schema, rule, group };
  });
}

export function casesOf(fields: readonly Field[]): readonly RuleCase[] {
  return fields.flatMap(({ name: field, rule: { rule }, group: { values, changes = [] } }) => [
    ...values.map((value) => ({ title: `${field} ${rule} of ${shown(value)}`, field, value })),
    ...changes.map(([before, after], i) => ({
      title: `${field} ${rule} from ${shown(before)} to ${shown(after)}`,
      field,
      value: after,
      change: { name: `${field}-${i}`, before },
    })),
  ]);
}

/** Those of the fields that a definition was not refused for. */
export function acceptedOf(fields: readonly Field[], answer: Answer | undefined): readonly Field[] {
  const { details } = (answer?.body ?? {}) as { details?: { causes?: readonly Cause[] } };
  const own = (details?.causes ?? []).filter(
    ({ message }) => !/contributed to|total/.test(message),
  );
  const refused = new Set(
    own.map(({ field }) => /properties\[spec\]\.properties\[(\w+)\]/.exec(field)?.[1]),
  );
  return fields.filter(({ name }) => !refused.has(name));
}

interface Cause {
  readonly field: string;
  readonly message: string;
}

/** What tells valid from invalid. Which of rules that cost the same are named among the costliest is by chance. */
export function ruleVerdict(answer: Answer | undefined): unknown {
  const found = verdict(answer) as { readonly details?: { readonly causes?: readonly Cause[] } };
  const causes = found.details?.causes;
  if (causes === undefined) return found;
  const kept = causes.filter(({ message }) => !message.startsWith('Forbidden: contributed to'));
  return { ...found, details: { ...found.details, causes: kept } };
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function definitionOf(name: string, fields: readonly Field[]): object {
  const plural = `${name}s`;
  const properties = Object.fromEntries(fields.map((field) => [field.name, field.schema]));
  const spec = { type: 'object', properties };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: { plural, kind: kindOf(name) },
      scope: 'Namespaced',
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
        },
      ],
    },
  };
}

function kindOf(name: string): string {
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}

function titled(title: string): Pick<Step, 'headers'> {
  return { headers: { 'x-title': title.replace(/[^\x20-\x7e]/g, '?') } };
}

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** What is said of a kind with these rules, as a dry run. */
export function definitionScript(name: string, fields: readonly Field[]): Script {
  const body = definitionOf(name, fields);
  const path = `${DEFINITIONS}?dryRun=All`;
  return { name, steps: [{ method: 'POST', path, body, ...titled(`definition of ${name}`) }] };
}

/** Defines a kind with the rules, and has objects judged by them as dry runs. The steps that are compared have a title. */
export function rulesScript(
  name: string,
  fields: readonly Field[],
  cases: readonly RuleCase[],
): Script {
  const plural = `${name}s`;
  const path = `/apis/${GROUP}/v1/namespaces/rules-${name}/${plural}`;
  const object = (objectName: string, given: unknown, field: string): object => ({
    apiVersion: `${GROUP}/v1`,
    kind: kindOf(name),
    metadata: { name: objectName },
    spec: given === undefined ? {} : { [field]: given },
  });
  return {
    name: `rules-${name}`,
    steps: [
      ...prepare(`rules-${name}`),
      {
        method: 'POST',
        path: DEFINITIONS,
        body: definitionOf(name, fields),
        settleMs: SETTLE,
        ...titled('definition'),
      },
      ...cases.flatMap(({ title, field, value, change }): Step[] => {
        if (change === undefined) {
          const body = object('one', value, field);
          return [{ method: 'POST', path: `${path}?dryRun=All`, body, ...titled(title) }];
        }
        const patch = { spec: { [field]: value ?? null } };
        return [
          { method: 'POST', path, body: object(change.name, change.before, field) },
          {
            method: 'PATCH',
            path: `${path}/${change.name}?dryRun=All`,
            type: 'application/merge-patch+json',
            body: patch,
            ...titled(title),
          },
        ];
      }),
      {
        method: 'DELETE',
        path: `${DEFINITIONS}/${plural}.${GROUP}`,
      },
    ],
  };
}
