/** `spec.verify` of a HelmChart: whether the version that is about to be taken is signed. */
import type { HelmChart, OCIVerification } from '@capstan/flux-api';
import { type OciVerifier, openVerifier, verificationPrefix } from '@capstan/flux-controllers';
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
export async function verifierOf(
  { spec, metadata }: HelmChart,
  options: {
    /** Of the repository. */
    readonly url: string;
    readonly access: RepositoryAccess;
    readonly ports: { readonly client: KubeClient; readonly clock: Clock };
    readonly signal: AbortSignal;
  },
): Promise<((version: ChartVersion) => Promise<VerifiedVersion>) | undefined> {
  const { verify: wanted } = spec;
  if (wanted === undefined || wanted.provider === '') return undefined;
  const { url: base, access, ports, signal } = options;
  const { client, clock } = ports;
  const reader = { client, namespace: metadata.namespace ?? '', signal };
  if (!base.startsWith('oci://')) {
    return async () => {
      throw new CapstanError('VERIFICATION', 'not implemented', {
        hint: 'charts are verified in OCI registries',
      });
    };
  }
  const verifier = await opened(wanted, { reader, name: metadata.name ?? '', nowMs: clock.now() });
  return async (version) => {
    const [url = ''] = version.urls;
    const target = parseReference(url);
    const name = `${target.registry}/${target.repository}`;
    const repository = new OciRepository(target, access.options);
    try {
      const digest = target.digest ?? (await repository.digestOf(target.tag ?? 'latest'));
      const manifest = { repository, digest, name, nowMs: clock.now(), get: access.options.get };
      const isVerified = (await verifier(manifest)) === 'verified';
      return { version: { ...version, urls: [`oci://${name}@${digest}`] }, isVerified };
    } catch (cause) {
      const message = `failed to verify ${url}: ${messageOf(cause)}`;
      throw new CapstanError('VERIFICATION', message, { cause });
    }
  };
}

/** What is wrong with keys and policies is no failure of the build: the original looks at them before it sets out. */
async function opened(
  wanted: OCIVerification,
  options: Parameters<typeof openVerifier>[1],
): Promise<OciVerifier> {
  return await openVerifier(wanted, options).catch((cause: unknown) => {
    if (cause instanceof CapstanError && cause.kind === 'bug') throw cause;
    const message = `${verificationPrefix(wanted)}${messageOf(cause)}`;
    throw new CapstanError('VERIFIER', message, { kind: 'retry', cause });
  });
}
