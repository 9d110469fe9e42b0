/** `spec.verify` of a HelmChart: whether the version that is about to be taken is signed. */
import type { HelmChart } from '@capstan/flux-api';
import { verificationPrefix, verifyOci } from '@capstan/flux-controllers';
import type { KubeClient } from '@capstan/kube-client';
import type { ChartVersion } from '@capstan/kube-helm';
import { OciRepository, parseReference } from '@capstan/lib-oci';
import { CapstanError, type Clock, messageOf } from '@capstan/lib-std';
import type { VerifiedVersion } from './build-chart.ts';
import type { RepositoryAccess } from './repository-access.ts';

/**
 * Undefined when nothing is to be verified. Charts of repositories over HTTP cannot be: the answer, `not implemented`, is
 * source-controller's own.
 */
export function verifierOf(
  { spec, metadata }: HelmChart,
  options: {
    readonly access: RepositoryAccess;
    readonly ports: { readonly client: KubeClient; readonly clock: Clock };
    readonly signal: AbortSignal;
  },
): ((version: ChartVersion) => Promise<VerifiedVersion>) | undefined {
  const { verify: wanted } = spec;
  if (wanted === undefined || wanted.provider === '') return undefined;
  const { access, ports, signal } = options;
  const { client, clock } = ports;
  const reader = { client, namespace: metadata.namespace ?? '', signal };
  return async (version) => {
    const [url = ''] = version.urls;
    if (!url.startsWith('oci://')) {
      throw new CapstanError('VERIFICATION', 'not implemented', {
        hint: 'charts are verified in OCI registries',
      });
    }
    const target = parseReference(url);
    const name = `${target.registry}/${target.repository}`;
    const repository = new OciRepository(target, access.options);
    try {
      const digest = target.digest ?? (await repository.digestOf(target.tag ?? 'latest'));
      const manifest = { repository, digest, name, reader, nowMs: clock.now() };
      const isVerified = (await verifyOci(wanted, manifest)) === 'verified';
      return { version: { ...version, urls: [`oci://${name}@${digest}`] }, isVerified };
    } catch (cause) {
      const message = `${verificationPrefix(wanted)}failed to verify ${url}: ${messageOf(cause)}`;
      throw new CapstanError('VERIFICATION', message, { cause });
    }
  };
}
