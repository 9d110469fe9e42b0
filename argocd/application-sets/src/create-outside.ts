import { readFile } from 'node:fs/promises';
import { SECRET_TYPE_LABEL, type SecretKeyRef } from '@capstan/argocd-api';
import type { KubeClient } from '@capstan/kube-client';
import type { Json, KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { isRecord } from './json.ts';
import type { Outside, ScmSettings } from './observation.ts';
import type { AwsSurroundings } from './scm/aws-request.ts';
import { createHttpPort } from './scm/http-port.ts';
import { hosterProxy, type ProxyEnvironment, usualProxy } from './scm/proxies.ts';

export interface OutsideOptions {
  readonly client: KubeClient;
  /** The set's. */
  readonly namespace: string;
  readonly controlNamespace: string;
  readonly scm: ScmSettings & {
    /** Only Secrets of type scm-creds may be named. */
    readonly strictTokens: boolean;
    /** A file of authorities for GitLab and Bitbucket Server (applicationsetcontroller.scm.root.ca.path); '' for none. */
    readonly rootCaPath?: string;
  };
  readonly aws: AwsSurroundings;
  /** Of the process; absent: it names no proxies. */
  readonly environment?: ProxyEnvironment;
  readonly bitbucketCloudApi?: string;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Services over the network, and the Secrets and ConfigMaps of the cluster that say how to ask them. */
export function createOutside(options: OutsideOptions): Outside {
  const { namespace, controlNamespace, scm, signal, aws, bitbucketCloudApi } = options;
  const { environment = {} } = options;
  const find = (kind: string, place: string, name: string) =>
    findObject(options, { kind, namespace: place, name });
  const secretValue = async (place: string, { secretName, key }: SecretKeyRef) => {
    const secret = await find('Secret', place, secretName);
    if (place === namespace) checkType(secret, scm.strictTokens, place);
    return decode(dataOf(secret, key));
  };
  return {
    http: createHttpPort({ signal, proxyFor: hosterProxy(environment) }),
    pluginHttp: createHttpPort({ signal, proxyFor: usualProxy(environment) }),
    scm,
    aws,
    ...(bitbucketCloudApi === undefined ? {} : { bitbucketCloudApi }),
    now: options.now,
    secretValue: (ref) => secretValue(namespace, ref),
    configMapValue: async ({ configMapName, key }) =>
      dataOf(await find('ConfigMap', namespace, configMapName), key),
    controlConfigMap: async (name) => textsOf(await find('ConfigMap', controlNamespace, name)),
    controlSecretValue: async ({ secretName, key }) =>
      decode(dataOf(await find('Secret', controlNamespace, secretName), key)),
    githubApp: async (name) => {
      const data = textsOf(await find('Secret', controlNamespace, name));
      const read = (key: string) => decode(data[key] ?? '').trim();
      return {
        id: read('githubAppID'),
        installationId: read('githubAppInstallationID'),
        privateKey: read('githubAppPrivateKey'),
        enterpriseBaseUrl: read('githubAppEnterpriseBaseUrl'),
      };
    },
    rootCertificates: () => readAuthorities(scm.rootCaPath ?? ''),
    listResources: (resource, selection) => listResources(options, resource, selection),
  };
}

/** A file that is not there trusts nobody else. */
async function readAuthorities(path: string): Promise<string> {
  if (path === '') return '';
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}

async function findObject(
  { client, signal }: OutsideOptions,
  {
    kind,
    namespace,
    name,
  }: { readonly kind: string; readonly namespace: string; readonly name: string },
): Promise<KubeObject> {
  const found = await client.find({ apiVersion: 'v1', kind, namespace, name }, { signal });
  if (found !== undefined) return found;
  throw new CapstanError(
    'REFERENCE_MISSING',
    `error fetching ${kind.toLowerCase()} ${namespace}/${name}: it does not exist`,
    { kind: 'wait', hint: `create the ${kind}, or correct its name in the generator` },
  );
}

function checkType({ metadata }: KubeObject, isStrict: boolean, namespace: string): void {
  if (!isStrict || metadata.labels?.[SECRET_TYPE_LABEL] === 'scm-creds') return;
  throw new CapstanError(
    'SECRET_FORBIDDEN',
    `secret ${namespace}/${metadata.name} is not a valid SCM creds secret`,
    { hint: `give it the label ${SECRET_TYPE_LABEL}: scm-creds` },
  );
}

function textsOf(object: KubeObject): { readonly [key: string]: string } {
  const data: Json | undefined = object['data'];
  if (!isRecord(data)) return {};
  return Object.fromEntries(
    Object.entries(data).flatMap(([key, value]) =>
      typeof value === 'string' ? [[key, value] as const] : [],
    ),
  );
}

function dataOf(object: KubeObject, key: string): string {
  const value = textsOf(object)[key];
  if (value !== undefined) return value;
  const { kind, metadata } = object;
  throw new CapstanError(
    'REFERENCE_MISSING',
    `key ${JSON.stringify(key)} in ${kind.toLowerCase()} ${metadata.namespace}/${metadata.name} not found`,
    { kind: 'wait', hint: 'add it, or correct the key in the generator' },
  );
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

async function listResources(
  { client, controlNamespace: namespace, signal }: OutsideOptions,
  wanted: Parameters<Outside['listResources']>[0],
  selection: Parameters<Outside['listResources']>[1],
): Promise<readonly KubeObject[]> {
  const { apiVersion, resource } = wanted;
  const [group = '', version = ''] = apiVersion.split('/');
  const look = async () => {
    const kinds = await client.discovery.kinds({ allVersions: true, signal });
    return kinds.find(
      (one) => one.group === group && one.version === version && one.resource === resource,
    );
  };
  let found = await look();
  if (found === undefined) {
    // It may have come after what is known was read.
    client.discovery.invalidate();
    found = await look();
  }
  if (found === undefined) {
    throw new CapstanError('KIND_NOT_SERVED', `the server serves no ${resource} of ${apiVersion}`, {
      kind: 'wait',
      hint: 'the ConfigMap names the plural of the kind, in lower case',
    });
  }
  const select =
    'name' in selection ? { fieldSelector: `metadata.name=${selection.name}` } : selection;
  const page = await client.list(
    { apiVersion, kind: found.kind },
    { namespace, pageSize: 0, signal, ...select },
  );
  return page.items;
}
