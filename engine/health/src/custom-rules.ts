import { type KubeObject, parseApiVersion } from '@capstan/kube-object';
import { at, conditionsOf, numberAt, splitPath } from './read.ts';
import type {
  ClauseRule,
  Health,
  HealthClause,
  HealthRule,
  HealthStatus,
  HealthTest,
} from './types.ts';

const STATUSES: readonly HealthStatus[] = [
  'Healthy',
  'Suspended',
  'Progressing',
  'Missing',
  'Degraded',
  'Unknown',
];

/** The verdict of the first rule that speaks of this kind; undefined when none does. */
export function judgeByRules(object: KubeObject, rules: readonly HealthRule[]): Health | undefined {
  const { group } = parseApiVersion(object.apiVersion);
  const rule = findRule(group, object.kind, rules);
  if (rule === undefined) return undefined;
  return 'judge' in rule ? rule.judge(object) : judge(object, rule);
}

/** Which rule of a list speaks of a kind; worked out once, since lists are long and judged by again and again. */
const FOUND = new WeakMap<readonly HealthRule[], Map<string, HealthRule | undefined>>();

export function findRule(
  group: string,
  kind: string,
  rules: readonly HealthRule[],
): HealthRule | undefined {
  let known = FOUND.get(rules);
  if (known === undefined) {
    known = new Map();
    FOUND.set(rules, known);
  }
  const name = `${group}/${kind}`;
  if (!known.has(name)) known.set(name, firstRule(group, kind, rules));
  return known.get(name);
}

function firstRule(
  group: string,
  kind: string,
  rules: readonly HealthRule[],
): HealthRule | undefined {
  return rules.find((rule) => matches(rule.group, group) && matches(rule.kind, kind));
}

function judge(object: KubeObject, rule: ClauseRule): Health {
  const reported = reportedHealth(object, rule);
  if (reported !== undefined) return reported;
  const clause = rule.clauses.find(({ when }) => when.every((test) => holds(object, test)));
  if (clause !== undefined) return toHealth(object, clause);
  return rule.otherwiseMessage === undefined
    ? { status: rule.otherwise }
    : { status: rule.otherwise, message: rule.otherwiseMessage };
}

function reportedHealth(object: KubeObject, { reported }: ClauseRule): Health | undefined {
  if (reported === undefined) return undefined;
  const found = at(object, ...splitPath(reported.statusPath));
  const status = STATUSES.find((candidate) => candidate === found);
  if (status === undefined) return undefined;
  const message = reported.messagePath && at(object, ...splitPath(reported.messagePath));
  return typeof message === 'string' && message !== '' ? { status, message } : { status };
}

function toHealth(object: KubeObject, { status, message }: HealthClause): Health {
  if (message === undefined) return { status };
  const text = message.replace(/\{([^}]*)\}/g, (_, reference: string) => quote(object, reference));
  return text === '' ? { status } : { status, message: text };
}

function quote(object: KubeObject, reference: string): string {
  if (reference.startsWith('condition:')) {
    const type = reference.slice('condition:'.length);
    return conditionsOf(object).find((condition) => condition.type === type)?.message ?? '';
  }
  const value = at(object, ...splitPath(reference));
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? '' : String(value);
}

function holds(object: KubeObject, test: HealthTest): boolean {
  if ('condition' in test) {
    const found = conditionsOf(object).find(({ type }) => type === test.condition);
    if (found === undefined || found.status !== test.status) return false;
    return test.reason === undefined || found.reason === test.reason;
  }
  if ('observed' in test) {
    const path = splitPath(test.path ?? 'status.observedGeneration');
    const observed = numberAt(object, ...path) >= numberAt(object, 'metadata', 'generation');
    return observed === test.observed;
  }
  const value = at(object, ...splitPath(test.path));
  if ('equals' in test) return value === test.equals;
  if ('in' in test) return test.in.some((candidate) => candidate === value);
  return (value !== undefined && value !== null) === test.exists;
}

/** Globs with `*` alone: what resource customisations use. */
function matches(pattern: string, text: string): boolean {
  if (!pattern.includes('*')) return pattern === text;
  const source = pattern.split('*').map((part) => part.replace(/[\\^$.+?()[\]{}|/]/g, '\\$&'));
  return new RegExp(`^${source.join('.*')}$`, 's').test(text);
}
