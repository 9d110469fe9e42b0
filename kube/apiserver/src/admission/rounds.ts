import type { KubeObject } from '@capstan/kube-object';

/** What is remembered between the two rounds of those who change one object: policies, or webhooks. */
export interface Rounds {
  isSecond: boolean;
  /** Something has changed: the chain runs once more. */
  again: boolean;
  last: KubeObject | undefined;
  readonly invoked: Set<string>;
  readonly required: Set<string>;
}

export function newRounds(): Rounds {
  return {
    isSecond: false,
    again: false,
    last: undefined,
    invoked: new Set(),
    required: new Set(),
  };
}

/** Whoever was asked before a change has to be asked again. */
export function requireAgain({ invoked, required }: Rounds): void {
  for (const key of invoked) required.add(key);
  invoked.clear();
}
