import type { Json } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';

/** One step into an object: a member, an element by number, or an element by one of its fields (`[name=web]`). */
export type FieldStep = string | number | { readonly key: string; readonly value: string };

/**
 * Reads `spec.replicas`, `.spec.template.spec.containers[name=web].image`, `metadata.labels["a.b/c"]`, `spec.ports[0]`.
 * A dot inside a name is written in brackets.
 */
export function parseFieldName(text: string): readonly FieldStep[] {
  const steps: FieldStep[] = [];
  const token = /\.?([^.[\]="]+)|\[(?:(\d+)|"([^"]*)"|'([^']*)'|([^=\]]+)=([^\]]*))\]/y;
  let at = 0;
  while (at < text.length) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) {
      throw new CapstanError('FLAGS', `${JSON.stringify(text)} is no field`, {
        hint: 'write it as spec.template.spec.containers[name=web].image or metadata.labels["app"]',
      });
    }
    const [whole, name, index, double, single, key, value] = match;
    const quoted = double ?? single;
    if (index !== undefined) steps.push(Number(index));
    else if (key !== undefined) steps.push({ key, value: value ?? '' });
    else steps.push(quoted ?? name ?? '');
    at += whole.length;
  }
  return steps;
}

export interface FoundField {
  readonly kind: 'found';
  /** Names and numbers from the object's root. */
  readonly path: readonly (string | number)[];
  readonly value: Json;
}

export interface MissingField {
  readonly kind: 'missing';
  /** What is missing where, and what there is instead. */
  readonly message: string;
  readonly hint: string;
}

/** The field in an object, or what there is instead. */
export function findField(object: Json, steps: readonly FieldStep[]): FoundField | MissingField {
  let value: Json = object;
  const path: (string | number)[] = [];
  for (const step of steps) {
    const next = enter(value, step);
    if (next === undefined) {
      const where = path.length === 0 ? 'the object' : formatPath(path);
      const message = `${where} has no ${describeStep(step)}`;
      const hint = `it has: ${membersOf(value).join(', ') || 'nothing inside'}`;
      return { kind: 'missing', message, hint };
    }
    path.push(next.part);
    value = next.value;
  }
  return { kind: 'found', path, value };
}

/** The same field for another object, whose lists may be in another order: elements by their name where they have one. */
export function fieldSteps(object: Json, path: readonly (string | number)[]): readonly FieldStep[] {
  let value: Json | undefined = object;
  return path.map((part) => {
    value = value === undefined ? undefined : enter(value, part)?.value;
    const name = typeof part === 'number' && value !== undefined ? nameOf(value) : undefined;
    return name === undefined ? part : { key: 'name', value: name };
  });
}

function enter(
  value: Json,
  step: FieldStep,
): { readonly part: string | number; readonly value: Json } | undefined {
  if (Array.isArray(value)) {
    const list: readonly Json[] = value;
    const index =
      typeof step === 'number'
        ? step
        : typeof step === 'string'
          ? list.findIndex((item) => nameOf(item) === step)
          : list.findIndex((item) => String(member(item, step.key)) === step.value);
    const item = list[index];
    return item === undefined ? undefined : { part: index, value: item };
  }
  if (typeof step !== 'string') return undefined;
  const inner = member(value, step);
  return inner === undefined ? undefined : { part: step, value: inner };
}

function member(value: Json, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const record = value as { readonly [key: string]: Json | undefined };
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function membersOf(value: Json): readonly string[] {
  if (Array.isArray(value)) return value.map((item: Json, i) => `[${nameOf(item) ?? i}]`);
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}

function describeStep(step: FieldStep): string {
  if (typeof step === 'number') return `element ${step}`;
  return typeof step === 'string' ? step : `element with ${step.key} ${step.value}`;
}

export function formatPath(path: readonly (string | number)[]): string {
  return path
    .map((part) => {
      if (typeof part === 'number') return `[${part}]`;
      return /^[\w-]+$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`;
    })
    .join('')
    .replace(/^\./, '');
}

function nameOf(value: Json): string | undefined {
  const name = member(value, 'name');
  return typeof name === 'string' ? name : undefined;
}

/** Whether a kind is meant by a word: itself or its plural, in any case. Short names are not guessed. */
export function matchesKind(kind: string, word: string): boolean {
  const [a, b] = [kind.toLowerCase(), word.toLowerCase()];
  return a === b || `${a}s` === b || `${a}es` === b || a.replace(/y$/, 'ies') === b;
}
