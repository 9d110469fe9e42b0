import type { Answer, Script } from '@capstan/kube-apiserver/testing';
import { prepare } from '../scripts/kinds.ts';
import { type Mutation, mutationsOf } from './mutations.ts';
import type { RichSample } from './rich-samples.ts';

export interface ValidationOptions {
  /** A valid object is there, and is changed; else each changed object is created. */
  readonly update: boolean;
  /** Which of the changes are sent; all by default. */
  readonly pick?: (mutations: readonly Mutation[]) => readonly Mutation[];
}

/** An object, changed at one place each, as dry runs. The steps that are compared have a title. */
export function validationScript(
  name: string,
  sample: RichSample,
  { update, pick = (all) => all }: ValidationOptions,
): Script {
  const namespace = `v-${name}${update ? '-u' : ''}`;
  const path = sample.path.replace('NS', namespace);
  // Of its own: a volume that was deleted stays for a while.
  const own = `rich-${name}`;
  const object = JSON.parse(
    JSON.stringify(sample.object)
      .replaceAll('"NS"', JSON.stringify(namespace))
      .replace('"name":"sample"', `"name":"${own}"`),
  ) as Record<string, unknown>;
  return {
    name: `${name}${update ? ' (update)' : ''}`,
    steps: [
      ...prepare(namespace),
      {
        method: 'POST',
        path: update ? path : `${path}?dryRun=All`,
        body: object,
        headers: { 'x-title': 'unchanged' },
      },
      ...pick(mutationsOf(object)).map(({ title, object: mutated, patch }) => ({
        method: update ? 'PATCH' : 'POST',
        path: update ? `${path}/${own}?dryRun=All` : `${path}?dryRun=All`,
        body: update ? patch : mutated,
        ...(update ? { type: 'application/json-patch+json' } : {}),
        headers: { 'x-title': title.replace(/[^\x20-\x7e]/g, '') },
      })),
      ...(update ? [{ method: 'DELETE', path: `${path}/${own}` }] : []),
    ],
  };
}

/** Only what tells valid from invalid; the objects themselves are compared by the other scripts. */
export function verdict(answer: Answer | undefined): unknown {
  const { code, reason, message, details } = (answer?.body ?? {}) as Record<string, unknown>;
  if (answer !== undefined && answer.status < 300) return { status: answer.status };
  return {
    status: answer?.status,
    code,
    reason,
    message: withSortedObject(withoutOrder(message)),
    details: eachText(details),
  };
}

function eachText(value: unknown): unknown {
  if (typeof value === 'string') return withSortedObject(value);
  if (Array.isArray(value)) return value.map(eachText);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, eachText(item)]));
}

const PATCHED = /Invalid value: ("\{(?:[^"\\]|\\.)*\}"): /s;

/**
 * A patch that leads to what is no object of the kind is answered with the whole object as text, the keys of each level in
 * the order of Go's struct or sorted, by what the patch touched. Its content is compared, without what the server counts.
 */
function withSortedObject(text: unknown): unknown {
  if (typeof text !== 'string') return text;
  return text.replace(PATCHED, (whole, quoted: string) => {
    try {
      const object = JSON.parse(JSON.parse(quoted) as string) as Record<string, unknown>;
      return `Invalid value: ${JSON.stringify(sortKeys(object))}: `;
    } catch {
      return whole;
    }
  });
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(
    ([key]) => key !== 'resourceVersion' && key !== 'managedFields',
  );
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sortKeys(item)]),
  );
}

/** Which of several errors comes first is not part of the contract; their causes are compared one by one. */
function withoutOrder(message: unknown): unknown {
  if (typeof message !== 'string') return message;
  const several = message.indexOf(': [');
  return several >= 0 ? message.slice(0, several) : message;
}
