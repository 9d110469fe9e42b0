import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { Json } from '@capstan/kube-object';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { type ClusterConnection, fixedCredentials } from './connection.ts';
import { fileTokenCredentials } from './file-credentials.ts';
import { type Entry, invalid, pemOf, refuseBoth, textOf } from './kubeconfig-fields.ts';
import { checkShape } from './kubeconfig-shape.ts';
import { parseConfigText } from './parse-config-text.ts';
import { isJsonObject } from './requester.ts';
import { userCredentials } from './user-credentials.ts';

export interface LoadOptions {
  /** Instead of $KUBECONFIG and ~/.kube/config. */
  readonly file?: string;
  /** Instead of the file's current-context. */
  readonly context?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Credential plugins may ask a person; by default when standard input is a terminal. */
  readonly hasTerminal?: boolean;
}

export interface ParseOptions {
  readonly context?: string;
  /** For messages: e.g. `Secret apps/prod-kubeconfig`. */
  readonly origin: string;
  /**
   * For a kubeconfig that someone else wrote (a tenant's Secret): refuses whatever would run a program, read a file of
   * this machine, or talk to a server without knowing who it is. True unless told otherwise.
   */
  readonly isUntrusted?: boolean;
  /** Against which relative paths are resolved; only for a trusted text. */
  readonly directory?: string;
}

/**
 * The connection that kubectl would take: $KUBECONFIG (several files merged, the first to say something wins), else
 * ~/.kube/config, else the Pod's service account. Throws KUBECONFIG_INVALID or KUBECONFIG_MISSING.
 */
export async function loadKubeconfig(options: LoadOptions = {}): Promise<ClusterConnection> {
  const environment = options.environment ?? process.env;
  const listed = options.file === undefined ? environment['KUBECONFIG'] : undefined;
  const files =
    options.file !== undefined
      ? [options.file]
      : listed !== undefined && listed !== ''
        ? [...new Set(listed.split(delimiter).filter((file) => file !== ''))]
        : [join(environment['HOME'] ?? homedir(), '.kube', 'config')];
  const read = await Promise.all(
    files.map((file) => readConfigFile(file, options.file !== undefined)),
  );
  const configs = read.filter((config) => config !== undefined);
  if (configs.length > 0) {
    return connectionOf(mergeConfigs(configs), {
      origin: files.join(delimiter),
      isUntrusted: false,
      hasTerminal: options.hasTerminal ?? process.stdin.isTTY === true,
      ...(options.context === undefined ? {} : { context: options.context }),
    });
  }
  const inCluster = await inClusterConnection(environment);
  if (inCluster !== undefined && options.context === undefined) return inCluster;
  throw new CapstanError(
    'KUBECONFIG_MISSING',
    `no kubeconfig: ${files.join(', ')} does not exist`,
    {
      hint: 'name a file with --kubeconfig or $KUBECONFIG',
    },
  );
}

/** One kubeconfig text, e.g. from a Secret. Untrusted unless the caller says otherwise: see ParseOptions. */
export function parseKubeconfig(text: string, options: ParseOptions): ClusterConnection {
  const config = readConfig(text, options.origin, options.directory);
  return connectionOf(config, {
    ...options,
    isUntrusted: options.isUntrusted ?? true,
    hasTerminal: false,
  });
}

const ACCOUNT_MOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Where a Pod finds its own API server; undefined outside of a cluster. `root` is where its service account is mounted. */
export async function inClusterConnection(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  root = ACCOUNT_MOUNT,
): Promise<ClusterConnection | undefined> {
  const host = environment['KUBERNETES_SERVICE_HOST'];
  const port = environment['KUBERNETES_SERVICE_PORT'];
  if (!host || !port) return undefined;
  const read = (name: string) => readFile(join(root, name), 'utf8').catch(() => undefined);
  const [certificateAuthority, token, namespace] = await Promise.all(
    ['ca.crt', 'token', 'namespace'].map(read),
  );
  if (token === undefined) return undefined;
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
    credentials: fileTokenCredentials(join(root, 'token')),
    origin: "the Pod's service account",
    namespace: environment['POD_NAMESPACE'] || namespace?.trim() || 'default',
  };
}

interface Config {
  readonly currentContext: string;
  readonly clusters: ReadonlyMap<string, Entry>;
  readonly users: ReadonlyMap<string, Entry>;
  readonly contexts: ReadonlyMap<string, Entry>;
}

async function readConfigFile(file: string, mustExist: boolean): Promise<Config | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (!mustExist && error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw new CapstanError(
      'KUBECONFIG_MISSING',
      `cannot read the kubeconfig: ${messageOf(error)}`,
      {
        hint: 'name a file with --kubeconfig or $KUBECONFIG',
        cause: error,
      },
    );
  }
  return readConfig(text, file, dirname(resolve(file)));
}

function readConfig(text: string, origin: string, directory: string | undefined): Config {
  const value = parseConfigText(text, origin);
  if (!isJsonObject(value)) throw invalid(origin, 'it is not a mapping');
  checkShape(value, origin);
  const named = (list: string, member: string) => {
    const entries = new Map<string, Entry>();
    const items = value[list];
    for (const item of Array.isArray(items) ? items : []) {
      const name = isJsonObject(item) ? item['name'] : undefined;
      const body = isJsonObject(item) ? item[member] : undefined;
      if (typeof name !== 'string') continue;
      if (entries.has(name)) throw invalid(origin, `${list} has "${name}" twice`);
      entries.set(name, { name, value: isJsonObject(body) ? body : {}, directory });
    }
    return entries;
  };
  return {
    currentContext: textOf(value, 'current-context') ?? '',
    clusters: named('clusters', 'cluster'),
    users: named('users', 'user'),
    contexts: named('contexts', 'context'),
  };
}

function mergeConfigs(configs: readonly Config[]): Config {
  const merge = (pick: (config: Config) => ReadonlyMap<string, Entry>) =>
    new Map(configs.toReversed().flatMap((config) => [...pick(config)]));
  return {
    currentContext:
      configs.map((config) => config.currentContext).find((name) => name !== '') ?? '',
    clusters: merge((config) => config.clusters),
    users: merge((config) => config.users),
    contexts: merge((config) => config.contexts),
  };
}

function connectionOf(
  config: Config,
  options: ParseOptions & { readonly isUntrusted: boolean; readonly hasTerminal: boolean },
): ClusterConnection {
  const { origin } = options;
  const contextName = options.context ?? config.currentContext;
  const context =
    contextName === '' ? onlyContext(config, origin) : config.contexts.get(contextName);
  if (context === undefined) {
    const known = [...config.contexts.keys()].join(', ') || 'none';
    throw invalid(origin, `there is no context "${contextName}" (contexts: ${known})`);
  }
  const clusterName = textOf(context.value, 'cluster') ?? '';
  const cluster = config.clusters.get(clusterName);
  if (cluster === undefined) {
    throw invalid(
      origin,
      `context "${context.name}" names cluster "${clusterName}", which is not there`,
    );
  }
  const userName = textOf(context.value, 'user') ?? '';
  const user = config.users.get(userName);
  if (user === undefined && userName !== '') {
    throw invalid(origin, `context "${context.name}" names user "${userName}", which is not there`);
  }
  if (options.isUntrusted) refuseUnsafe(cluster, user, origin);
  const target = readCluster(cluster, origin);
  return {
    ...target,
    credentials:
      user === undefined
        ? fixedCredentials({ headers: {} })
        : userCredentials(user, {
            origin,
            cluster: target,
            clusterConfig: pluginConfig(cluster),
            hasTerminal: options.hasTerminal,
          }),
    origin: `context ${context.name} of ${origin}`,
    namespace: textOf(context.value, 'namespace') ?? 'default',
  };
}

function pluginConfig({ value }: Entry): Json | undefined {
  const { extensions } = value;
  const found = (Array.isArray(extensions) ? extensions : [])
    .filter(isJsonObject)
    .find(({ name }) => name === 'client.authentication.k8s.io/exec');
  return found?.['extension'];
}

/** Without a current-context: the only context there is. A Secret's kubeconfig often has one and does not say so. */
function onlyContext(config: Config, origin: string): Entry {
  const [first, second] = config.contexts.values();
  if (first !== undefined && second === undefined) return first;
  throw invalid(origin, 'it has no current-context, and not exactly one context');
}

function readCluster(
  { name, value, directory }: Entry,
  origin: string,
): Omit<ClusterConnection, 'credentials' | 'origin' | 'namespace'> {
  const server = addressOf(textOf(value, 'server') ?? '');
  if (server === undefined) {
    throw invalid(
      origin,
      `cluster "${name}" has no usable server address ("${textOf(value, 'server') ?? ''}")`,
    );
  }
  refuseBoth(['certificate-authority', 'certificate-authority-data'], value, {
    origin,
    what: `cluster "${name}"`,
  });
  const isInsecure = value['insecure-skip-tls-verify'] === true;
  const certificateAuthority = pemOf(value, 'certificate-authority', directory, origin);
  if (isInsecure && certificateAuthority !== undefined && server.startsWith('https:')) {
    throw invalid(
      origin,
      `cluster "${name}" has both insecure-skip-tls-verify and a certificate-authority`,
    );
  }
  const tlsServerName = textOf(value, 'tls-server-name');
  const proxyUrl = textOf(value, 'proxy-url');
  if (proxyUrl !== undefined && !/^(https?|socks5):\/\//.test(proxyUrl)) {
    throw invalid(origin, `cluster "${name}" has a proxy-url that is not http, https or socks5`);
  }
  return {
    server,
    ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
    ...(isInsecure ? { insecureSkipTlsVerify: true } : {}),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
    ...(value['disable-compression'] === true ? { disableCompression: true } : {}),
  };
}

/** The URL of a server; without a scheme it is plain http, as for client-go, and must be a host and a port only. */
function addressOf(server: string): string | undefined {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(server);
  const address = hasScheme ? server : `http://${server}`;
  if (server === '' || !URL.canParse(address)) return undefined;
  const { protocol, pathname } = new URL(address);
  if (protocol !== 'https:' && protocol !== 'http:') return undefined;
  if (!hasScheme && (pathname !== '/' || server.startsWith('/'))) return undefined;
  return address.replace(/[?#].*$/, '');
}

function refuseUnsafe(cluster: Entry, user: Entry | undefined, origin: string): void {
  const isSet = (value: Json | undefined) => value !== undefined && value !== '' && value !== false;
  const clusterFields = ['insecure-skip-tls-verify', 'certificate-authority'];
  const userFields = ['exec', 'auth-provider', 'client-certificate', 'client-key', 'tokenFile'];
  const found = [
    ...clusterFields
      .filter((field) => isSet(cluster.value[field]))
      .map((field) => `cluster.${field}`),
    ...userFields.filter((field) => isSet(user?.value[field])).map((field) => `user.${field}`),
  ];
  const server = textOf(cluster.value, 'server') ?? '';
  if (server !== '' && !/^https:/i.test(server)) found.push('cluster.server (http)');
  if (found.length === 0) return;
  throw new CapstanError(
    'KUBECONFIG_UNSAFE',
    `the kubeconfig of ${origin} is refused, because it uses ${found.join(', ')}`,
    {
      hint: 'give certificates and tokens inline (certificate-authority-data, client-certificate-data, client-key-data, token), and an https server',
    },
  );
}
