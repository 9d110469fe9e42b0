import type { SourceSpec } from '@capstan/engine-source';
import type { SourceCommit } from './dependency-graph.ts';
import type { LoadedState } from './load-desired.ts';
import type { DeliveryPorts } from './ports.ts';
import type { Delivery, Problem, SyncHold } from './types.ts';

export interface Waiting {
  readonly hold: SyncHold;
  readonly problem: Problem;
}

/** Why a delivery must wait for others, if it must: nothing is begun, and what runs goes on. */
export function awaitDependencies(
  delivery: Delivery,
  loaded: LoadedState,
  { dependencies }: Pick<DeliveryPorts, 'dependencies'>,
): Waiting | undefined {
  const { dependsOn = [], id } = delivery;
  const verdict = dependencies?.check(id, dependsOn, commitsOf(delivery, loaded));
  if (verdict === undefined || verdict.kind === 'ready') return undefined;
  const { message } = verdict;
  const isCycle = verdict.kind === 'cycle';
  return {
    hold: { automation: true, requests: true, running: false, message },
    problem: {
      stage: 'sync',
      severity: isCycle ? 'error' : 'warning',
      code: isCycle ? 'DEPENDENCY_CYCLE' : 'DEPENDENCY_NOT_READY',
      message,
      kind: isCycle ? 'stalled' : 'wait',
      ...(isCycle ? { hint: 'take one of these dependencies out' } : {}),
    },
  };
}

function commitsOf(delivery: Delivery, { revisions }: LoadedState): readonly SourceCommit[] {
  if (revisions.length !== delivery.sources.length) return [];
  return delivery.sources.flatMap(({ source }, index) => {
    const name = followedName(source);
    const commit = revisions[index]?.id;
    return name === undefined || commit === undefined ? [] : [{ source: name, commit }];
  });
}

function followedName(source: SourceSpec): string | undefined {
  if (source.kind !== 'git' || source.revision.kind !== 'any') return undefined;
  return followedSource(source.url, source.revision.name);
}

/** One name for what follows one branch of one repository; see SourceCommit. */
export function followedSource(url: string, revision: string): string {
  return `${url} ${revision === '' ? 'HEAD' : revision}`;
}
