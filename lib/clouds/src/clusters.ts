/** Kubernetes clusters of clouds: where they stand, and the tokens that open them, as fluxcd/pkg/auth has it. */
import { messageOf } from '@capstan/lib-std';
import { type CloudAccess, type CloudToken, invalid, refused } from './access.ts';
import type { AwsCredentials } from './aws.ts';
import { presignedUrl, signedHeaders } from './aws-signature.ts';
import { azureManagement } from './azure.ts';
import { type PostOptions, send } from './post.ts';

/** How a cluster is reached. */
export interface ClusterPlace {
  readonly address: string;
  /** PEM. */
  readonly certificateAuthority: string;
}

export interface EksCluster {
  readonly region: string;
  readonly name: string;
  /** What the names of Amazon's services end with there. */
  readonly domain: string;
}

const EKS = /^arn:aws[\w-]*:eks:([^:]{1,100}):[0-9]{1,30}:cluster\/(.{1,200})$/;
const AKS =
  /^\/subscriptions\/([^/]{36})\/resourceGroups\/([^/]{1,200})\/providers\/Microsoft\.ContainerService\/managedClusters\/([^/]{1,200})$/i;
const GKE = /^projects\/[^/]{1,200}\/locations\/[^/]{1,200}\/clusters\/[^/]{1,200}$/;
const DOMAINS: Readonly<Record<string, string>> = {
  'aws-cn': 'amazonaws.com.cn',
  'aws-iso': 'c2s.ic.gov',
  'aws-iso-b': 'sc2s.sgov.gov',
};
const AKS_VERSION = '2025-05-01';
/** A signed request is taken for so long. */
const EKS_SECONDS = 900;

/** Throws CLOUD_INVALID for what is no ARN of a cluster. */
export function eksCluster(arn: string): EksCluster {
  const [, region = '', name = ''] = EKS.exec(arn) ?? [];
  // It becomes a part of the names of hosts.
  if (!/^[a-z0-9-]+$/.test(region)) {
    throw invalid(`invalid EKS cluster ARN: '${arn}'. must match ${wordsOf(EKS)}`);
  }
  return { region, name, domain: DOMAINS[arn.split(':')[1] ?? ''] ?? 'amazonaws.com' };
}

/**
 * A signed question after who one is, which the cluster itself asks of Amazon; for a quarter of an hour, whatever time the
 * question tells.
 */
export function eksToken(
  { region, name, domain }: EksCluster,
  credentials: AwsCredentials,
  { nowMs, toldSeconds = EKS_SECONDS }: { readonly nowMs: number; readonly toldSeconds?: number },
): CloudToken {
  const request = {
    parameters: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
    headers: { 'x-k8s-aws-id': name },
    seconds: toldSeconds,
  };
  const place = { region, service: 'sts' };
  const url = presignedUrl(`sts.${region}.${domain}`, request, place, credentials, nowMs);
  const token = `k8s-aws-v1.${Buffer.from(url).toString('base64url')}`;
  return { token, expiresAtMs: nowMs + EKS_SECONDS * 1000 };
}

export async function describeEks(
  { region, name, domain }: EksCluster,
  credentials: AwsCredentials,
  nowMs: number,
  access: CloudAccess = {},
): Promise<ClusterPlace> {
  const url = `https://eks.${region}.${domain}/clusters/${encodeURIComponent(name)}`;
  const headers = signedHeaders(url, { region, service: 'eks' }, credentials, nowMs);
  const answer = await ask('GET', url, { ...access, headers });
  return {
    address: textAt(answer, 'cluster', 'endpoint'),
    certificateAuthority: decode(textAt(answer, 'cluster', 'certificateAuthority', 'data')),
  };
}

/** The kubeconfigs of a cluster, of which one may be for its private address. */
export async function describeAks(
  id: string,
  { token }: CloudToken,
  access: CloudAccess = {},
): Promise<readonly string[]> {
  checkAks(id);
  const { endpoint } = await azureManagement();
  const path = id.split('/').map(encodeURIComponent).join('/');
  const url = `${endpoint.replace(/\/$/, '')}${path}`;
  const options = { ...access, headers: { authorization: `Bearer ${token}` } };
  const cluster = await ask('GET', `${url}?api-version=${AKS_VERSION}`, options).catch((cause) => {
    throw refused(new Error(`failed to describe AKS cluster: ${messageOf(cause)}`, { cause }));
  });
  if (at(cluster, 'properties', 'aadProfile') === undefined) {
    throw invalid(
      `AKS cluster ${id} does not have Microsoft Entra ID integration enabled. See docs for enabling: https://learn.microsoft.com/en-us/azure/aks/enable-authentication-microsoft-entra-id`,
    );
  }
  const list = `${url}/listClusterUserCredential?api-version=${AKS_VERSION}`;
  const found = at(await ask('POST', list, options), 'kubeconfigs');
  return (Array.isArray(found) ? found : []).map((one) => decode(textAt(one, 'value')));
}

/** Throws CLOUD_INVALID for what is no id of a cluster. */
export function checkAks(id: string): void {
  if (!AKS.test(id))
    throw invalid(`invalid AKS cluster ID: '${id}'. must match (?i)${wordsOf(AKS)}`);
}

/** Throws CLOUD_INVALID for what is no name of a cluster. */
export function checkGke(name: string): void {
  if (!GKE.test(name))
    throw invalid(`invalid GKE cluster ID: '${name}'. must match ${wordsOf(GKE)}`);
}

export async function describeGke(
  name: string,
  { token }: CloudToken,
  access: CloudAccess = {},
): Promise<ClusterPlace> {
  checkGke(name);
  const path = name.split('/').map(encodeURIComponent).join('/');
  const url = `https://container.googleapis.com/v1/${path}`;
  const headers = { authorization: `Bearer ${token}` };
  const answer = await ask('GET', url, { ...access, headers });
  return {
    address: textAt(answer, 'endpoint'),
    certificateAuthority: decode(textAt(answer, 'masterAuth', 'clusterCaCertificate')),
  };
}

async function ask(method: 'GET' | 'POST', url: string, options: PostOptions): Promise<unknown> {
  const { status, text } = await send({ method, url }, options);
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    // Told by its status.
  }
  if (status === 200) return answer;
  const why = textAt(answer, 'message') || textAt(answer, 'error', 'message') || `status ${status}`;
  throw refused(new Error(`${new URL(url).host} refused: ${why}`));
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((found, name) => {
    if (typeof found !== 'object' || found === null) return undefined;
    return (found as Readonly<Record<string, unknown>>)[name] ?? undefined;
  }, value);
}

function textAt(value: unknown, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : '';
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

/** An expression as Go writes it. */
function wordsOf({ source }: RegExp): string {
  return source.replaceAll('\\/', '/');
}
