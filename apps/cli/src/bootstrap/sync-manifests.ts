import type { JsonObject, KubeObject } from '@capstan/kube-object';
import type { GitCredentials } from '@capstan/lib-git';

export interface SyncOptions {
  readonly namespace: string;
  readonly url: string;
  readonly branch: string;
  /** Folder in the repository; '' for its root. */
  readonly path: string;
  readonly interval: string;
  /** Name of the Secret with credentials; undefined when the repository needs none. */
  readonly secret: string | undefined;
}

/** The GitRepository and the Kustomization by which a cluster follows its folder of a repository. */
export function syncManifests(options: SyncOptions): readonly KubeObject[] {
  const { namespace, url, branch, path, interval, secret } = options;
  const metadata = { name: namespace, namespace };
  return [
    {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata,
      spec: {
        interval,
        ref: { branch },
        ...(secret === undefined ? {} : { secretRef: { name: secret } }),
        url,
      },
    },
    {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata,
      spec: {
        interval: '10m0s',
        path: `./${path}`,
        prune: true,
        sourceRef: { kind: 'GitRepository', name: namespace },
      },
    },
  ];
}

/** The credentials as Flux's sources read them; undefined when there are none. */
export function sourceSecret(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  {
    username,
    password,
    bearerToken,
    sshPrivateKey,
    sshPassphrase,
    sshKnownHosts,
    caCertificate,
  }: GitCredentials,
): KubeObject | undefined {
  const values: { readonly [key: string]: string | undefined } =
    sshPrivateKey === undefined
      ? { username, password, bearerToken, 'ca.crt': caCertificate }
      : { identity: sshPrivateKey, password: sshPassphrase, known_hosts: sshKnownHosts };
  const stringData: JsonObject = Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  if (Object.keys(stringData).length === 0) return undefined;
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData };
}
