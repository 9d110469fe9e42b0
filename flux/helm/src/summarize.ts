import type { Condition, HelmRelease } from '@capstan/flux-api';
import { mark, unmark, withStatus } from './conditions.ts';
import { renderingDigests } from './release-state.ts';

/**
 * Ready as the last release, its tests and its remediation have it: what was remediated is not ready. Takes note of the
 * post-renderers and common metadata that the release was made with.
 */
export function summarize(release: HelmRelease, nowMs: number): HelmRelease {
  const { test } = release.spec;
  let next = test?.enable === true ? release : unmark(release, 'TestSuccess');
  const { conditions = [] } = next.status;
  const first = decisive(conditions, test?.enable === true && test.ignoreFailures !== true);
  if (first === undefined) return next;
  const status = first.type === 'Remediated' ? 'False' : first.status;
  if (status === 'True') next = unmark(next, 'Stalled');
  const { reason, message } = first;
  next = mark(next, { type: 'Ready', status, reason, message }, nowMs);
  const digests = renderingDigests(release);
  return withStatus(next, {
    observedPostRenderersDigest: digests.postRenderers || undefined,
    observedCommonMetadataDigest: digests.commonMetadata || undefined,
  } as Partial<HelmRelease['status']>);
}

/** The one that speaks for all: a remediation before tests before the release, as long as none of them is older. */
function decisive(conditions: readonly Condition[], withTests: boolean): Condition | undefined {
  const order = ['Remediated', ...(withTests ? ['TestSuccess'] : []), 'Released'];
  const ranked = conditions.filter(({ type }) => order.includes(type));
  const comesBefore = (a: Condition, b: Condition): boolean =>
    (a.observedGeneration ?? 0) >= (b.observedGeneration ?? 0) &&
    order.indexOf(a.type) < order.indexOf(b.type);
  // Sorted by insertion: the relation is no total order.
  const sorted: Condition[] = [];
  for (const condition of ranked) {
    let at = sorted.length;
    while (at > 0 && comesBefore(condition, sorted[at - 1]!)) at--;
    sorted.splice(at, 0, condition);
  }
  return sorted[0] ?? conditions[0];
}
