import { ANNOTATION, SECRET_TYPE_LABEL } from '@capstan/argocd-api';
import {
  type ClusterConnection,
  type Credentials,
  execCredentials,
  fixedCredentials,
} from '@capstan/kube-client';
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { readData } from './repositories.ts';
import { list } from './settings.ts';

/** A cluster as its Secret registers it (documentation: "Declarative Setup", Clusters). */
export interface ClusterRegistration {
  readonly name: string;
  readonly server: string;
  /** '' for all projects. */
  readonly project: string;
  /** Only these are looked at; empty: all. */
  readonly namespaces: readonly string[];
  /** With namespaces: cluster-scoped objects, too. */
  readonly clusterResources: boolean;
  /** Nothing that goes there is reconciled. */
  readonly isPaused: boolean;
  /** Equal for equal access. */
  readonly fingerprint: string;
  /** Throws CLUSTER_INVALID for a configuration that cannot be used. */
  readonly connection: () => ClusterConnection;
}

/** Programs of the original's image that this installation brings: how each is called here. */
export type Programs = { readonly [name: string]: readonly string[] };

/** Secrets of type cluster; others are left out. */
export function readClusterSecret(
  secret: KubeObject,
  programs: Programs = {},
): ClusterRegistration | undefined {
  const { labels, annotations, name: secretName = '', namespace = '' } = secret.metadata;
  if (labels?.[SECRET_TYPE_LABEL] !== 'cluster') return undefined;
  const data = readData(secret['data']);
  const server = (data.get('server') ?? '').trim().replace(/\/+$/, '');
  if (server === '') return undefined;
  const config = data.get('config') ?? '';
  const origin = `Secret ${namespace}/${secretName}`;
  const namespaces = list(data.get('namespaces'));
  return {
    name: data.get('name') || server,
    server,
    project: data.get('project') ?? '',
    namespaces,
    clusterResources: data.get('clusterResources') === 'true',
    isPaused: annotations?.[ANNOTATION.skipReconcile] === 'true',
    fingerprint: JSON.stringify([server, config, namespaces, data.get('clusterResources')]),
    connection: () => readConnection(server, config, { origin, programs }),
  };
}

function readConnection(
  server: string,
  text: string,
  { origin, programs }: { readonly origin: string; readonly programs: Programs },
): ClusterConnection {
  const config = parseConfig(text, origin);
  const tls = recordAt(config, 'tlsClientConfig');
  const certificateAuthority = pemAt(tls, 'caData', origin);
  const [tlsServerName, proxyUrl] = [textAt(tls, 'serverName'), textAt(config, 'proxyUrl')];
  const isInsecure = tls['insecure'] === true;
  if (isInsecure && certificateAuthority !== undefined) {
    throw invalid(origin, 'tlsClientConfig has both insecure and caData', 'keep one of them');
  }
  const cluster = {
    server,
    ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
  };
  return {
    ...cluster,
    insecureSkipTlsVerify: isInsecure,
    disableCompression: config['disableCompression'] === true,
    credentials: readCredentials(config, { origin, cluster, programs }),
    origin,
    namespace: 'default',
  };
}

function parseConfig(text: string, origin: string): JsonObject {
  if (text.trim() === '') return {};
  try {
    const value = JSON.parse(text) as Json;
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as JsonObject;
  } catch {
    // What stands there may be secret: it is not repeated.
  }
  throw invalid(origin, 'config is not a JSON object', 'write it as the documentation shows');
}

type ClusterPart = Pick<
  ClusterConnection,
  'server' | 'certificateAuthority' | 'tlsServerName' | 'proxyUrl'
>;

function readCredentials(
  config: JsonObject,
  {
    origin,
    cluster,
    programs,
  }: { readonly origin: string; readonly cluster: ClusterPart; readonly programs: Programs },
): Credentials {
  const exec = execOf(config, programs);
  if (exec !== undefined)
    return execCredentials({
      exec,
      user: origin,
      origin,
      directory: undefined,
      cluster,
      headers: {},
    });
  const tls = recordAt(config, 'tlsClientConfig');
  const certificate = pemAt(tls, 'certData', origin);
  const key = pemAt(tls, 'keyData', origin);
  if ((certificate === undefined) !== (key === undefined)) {
    throw invalid(origin, 'tlsClientConfig has only one of certData and keyData', 'give both');
  }
  const authorization = authorizationOf(config);
  return fixedCredentials({
    headers: authorization === undefined ? {} : { authorization },
    ...(certificate === undefined || key === undefined
      ? {}
      : { clientCertificate: { certificate, key } }),
  });
}

function authorizationOf(config: JsonObject): string | undefined {
  const token = textAt(config, 'bearerToken');
  if (token !== undefined) return `Bearer ${token}`;
  const username = textAt(config, 'username');
  if (username === undefined) return undefined;
  const password = textAt(config, 'password') ?? '';
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

const EXEC_VERSION = 'client.authentication.k8s.io/v1beta1';

/** The program to ask: as configured, or the one of the original's image for clusters of AWS. */
function execOf(config: JsonObject, programs: Programs): JsonObject | undefined {
  const aws = recordAt(config, 'awsAuthConfig');
  const clusterName = textAt(aws, 'clusterName');
  if (clusterName !== undefined) {
    const [role, profile] = [textAt(aws, 'roleARN'), textAt(aws, 'profile')];
    const args = [
      'aws',
      '--cluster-name',
      clusterName,
      ...(role === undefined ? [] : ['--role-arn', role]),
      ...(profile === undefined ? [] : ['--profile', profile]),
    ];
    return { apiVersion: EXEC_VERSION, ...callOf('argocd-k8s-auth', args, programs) };
  }
  const exec = recordAt(config, 'execProviderConfig');
  const command = textAt(exec, 'command');
  if (command === undefined) return undefined;
  const env = Object.entries(recordAt(exec, 'env')).map(([name, value]) => ({
    name,
    value: String(value),
  }));
  const args = Array.isArray(exec['args']) ? exec['args'].map(String) : [];
  return {
    apiVersion: textAt(exec, 'apiVersion') ?? EXEC_VERSION,
    ...callOf(command, args, programs),
    env,
    ...(exec['installHint'] === undefined ? {} : { installHint: exec['installHint'] }),
  };
}

function callOf(name: string, args: readonly string[], programs: Programs) {
  const [command = name, ...first] = programs[name] ?? [];
  return { command, args: [...first, ...args] };
}

function recordAt(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : {};
}

function textAt(object: JsonObject, name: string): string | undefined {
  const value = object[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Base64 of PEM, as Go writes bytes; PEM itself is taken as well. */
function pemAt(object: JsonObject, name: string, origin: string): string | undefined {
  const text = textAt(object, name);
  if (text === undefined) return undefined;
  const pem = text.includes('-----BEGIN') ? text : Buffer.from(text, 'base64').toString('utf8');
  if (pem.includes('-----BEGIN')) return pem;
  throw invalid(origin, `tlsClientConfig.${name} holds no PEM`, 'encode the PEM in base64');
}

function invalid(origin: string, message: string, hint: string): CapstanError {
  return new CapstanError('CLUSTER_INVALID', `${origin}: ${message}`, { kind: 'wait', hint });
}
