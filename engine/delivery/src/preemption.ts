import type { KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import type { Delivery } from './types.ts';

/** On any delivery: what a newer revision does to a sync of an older one that runs. */
export const PREEMPT = 'capstan.dev/preempt';

const WORDS: Readonly<Record<string, Delivery['preempt']>> = {
  'after-hook': 'afterHook',
  immediately: 'immediately',
  never: 'never',
};

/** After the hook that runs, unless the object says otherwise. Throws PREEMPT_INVALID for a word that is none of these. */
export function readPreemption({ metadata }: KubeObject): Delivery['preempt'] {
  const text = metadata.annotations?.[PREEMPT];
  if (text === undefined) return 'afterHook';
  const told = Object.hasOwn(WORDS, text) ? WORDS[text] : undefined;
  if (told !== undefined) return told;
  throw new CapstanError('PREEMPT_INVALID', `${PREEMPT}: "${text}" is not known`, {
    kind: 'stalled',
    hint: `write ${Object.keys(WORDS).join(', ')}`,
  });
}
