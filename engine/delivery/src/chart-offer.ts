import type { ChartOffer } from '@capstan/engine-render';
import type { KubeClient, LiveState, ResourceKind } from '@capstan/kube-client';
import { formatApiVersion } from '@capstan/kube-object';
import { hexOf } from '@capstan/lib-std';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { SignalOptions } from './ports.ts';

const DEFINITIONS = { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' };
/** A kind is served some time after its definition says so. */
const SETTLING_MS = 3_000;

/**
 * Tells what a cluster offers to charts: its version and all versions and kinds that it serves. Throws while it does not
 * answer: a chart that is rendered as if it offered nothing would lose objects.
 */
export function createOfferReader({
  client,
  live,
  now,
}: {
  readonly client: KubeClient;
  readonly live: Pick<LiveState, 'ensure' | 'subscribe'>;
  readonly now: () => number;
}): (options: SignalOptions) => Promise<ChartOffer> {
  let changedAtMs = Number.NEGATIVE_INFINITY;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  live.subscribe(({ key: { group, kind }, isInitial }) => {
    if (group === DEFINITIONS.group && kind === DEFINITIONS.kind && !isInitial) changedAtMs = now();
  });
  let known: { readonly kind: ResourceKind | undefined; readonly offer: ChartOffer } | undefined;
  return async ({ signal }) => {
    // Where definitions may not be watched, discovery looks again when somebody asks for a kind that it does not know.
    await live.ensure([DEFINITIONS], { signal });
    if (lookedAtMs < changedAtMs + SETTLING_MS) client.discovery.invalidate();
    lookedAtMs = now();
    const { gitVersion } = await client.discovery.version({ signal });
    const kinds = await client.discovery.kinds({ allVersions: true, signal });
    // Of one look the kinds are the same objects.
    if (known?.kind !== kinds[0] || known?.offer.kubeVersion !== gitVersion)
      known = { kind: kinds[0], offer: toOffer(gitVersion, kinds) };
    return known.offer;
  };
}

function toOffer(kubeVersion: string, kinds: readonly ResourceKind[]): ChartOffer {
  const versions = new Set<string>();
  for (const { group, version, kind } of kinds) {
    const apiVersion = formatApiVersion({ group, version });
    versions.add(apiVersion).add(`${apiVersion}/${kind}`);
  }
  const apiVersions = [...versions].sort();
  const id = hexOf(sha256(utf8ToBytes([kubeVersion, ...apiVersions].join('\n'))));
  return { id, kubeVersion, apiVersions };
}
