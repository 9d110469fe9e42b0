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
  const object = JSON.parse(
    JSON.stringify(sample.object)
      .replaceAll('"NS"', JSON.stringify(namespace))
      .replace('"name":"sample"', '"name":"rich"'),
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
        path: update ? `${path}/rich?dryRun=All` : `${path}?dryRun=All`,
        body: update ? patch : mutated,
        ...(update ? { type: 'application/json-patch+json' } : {}),
        headers: { 'x-title': title.replace(/[^\x20-\x7e]/g, '') },
      })),
      ...(update ? [{ method: 'DELETE', path: `${path}/rich` }] : []),
    ],
  };
}

/** Only what tells valid from invalid; the objects themselves are compared by the other scripts. */
export function verdict(answer: Answer | undefined): unknown {
  const { code, reason, message, details } = (answer?.body ?? {}) as Record<string, unknown>;
  if (answer !== undefined && answer.status < 300) return { status: answer.status };
  return { status: answer?.status, code, reason, message: withoutOrder(message), details };
}

/** Which of several errors comes first is not part of the contract; their causes are compared one by one. */
function withoutOrder(message: unknown): unknown {
  if (typeof message !== 'string') return message;
  const several = message.indexOf(': [');
  return several >= 0 ? message.slice(0, several) : message;
}
