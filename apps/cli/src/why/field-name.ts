import type { Json } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { nameOf } from './source-object.ts';

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
  /** Names and numbers from the object's root. */
  readonly path: readonly (string | number)[];
  readonly value: Json;
}

/** The field in an object; throws with what there is instead. */
export function findField(object: Json, steps: readonly FieldStep[]): FoundField {
  let value: Json = object;
  const path: (string | number)[] = [];
  for (const step of steps) {
    const next = enter(value, step);
    if (next === undefined) {
      const where = path.length === 0 ? 'the object' : formatPath(path);
      throw new CapstanError('FIELD_NOT_FOUND', `${where} has no ${describeStep(step)}`, {
        hint: `it has: ${membersOf(value).join(', ') || 'nothing inside'}`,
      });
    }
    path.push(next.part);
    value = next.value;
  }
  return { path, value };
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
