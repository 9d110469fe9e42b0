import { BlockList, isIP } from 'node:net';
import { SECRET_TYPE_LABEL } from '@capstan/argocd-api';
import type { ChartPolicy } from '@capstan/engine-render';
import type { SourceAuth } from '@capstan/engine-source';
import type { Json, KubeObject } from '@capstan/kube-object';
import { isTrue, readCloudLogin } from './cloud-logins.ts';

/** What a Secret of type repository or repo-creds says. */
export interface RepositoryCredential {
  readonly kind: 'repository' | 'template';
  readonly url: string;
  /** What charts call the repository that they depend on (`@name`). */
  readonly name?: string;
  /** Only applications of this project may use it; '' for all. */
  readonly project: string;
  readonly auth: SourceAuth;
  /** Charts are in an OCI registry, though the URL does not say so. */
  readonly isOci: boolean;
  /** Plain HTTP to that registry. */
  readonly plainHttp: boolean;
  /** Files that Git LFS keeps are fetched. */
  readonly lfs?: boolean;
  /** Only so many commits of the history are fetched. */
  readonly depth?: number;
  /** Hosts that are reached without the proxy, as NO_PROXY lists them. */
  readonly noProxy?: string;
}

const READ_TYPES: ReadonlyMap<string, RepositoryCredential['kind']> = new Map([
  ['repository', 'repository'],
  ['repo-creds', 'template'],
]);
const WRITE_TYPES: ReadonlyMap<string, RepositoryCredential['kind']> = new Map([
  ['repository-write', 'repository'],
  ['repo-write-creds', 'template'],
]);

/** Secrets labelled as repositories or credential templates; others are left out. Malformed values count as absent. */
export function readRepositoryCredential(
  secret: KubeObject,
  access: 'read' | 'write' = 'read',
): RepositoryCredential | undefined {
  const types = access === 'read' ? READ_TYPES : WRITE_TYPES;
  const kind = types.get(secret.metadata.labels?.[SECRET_TYPE_LABEL] ?? '');
  if (kind === undefined) return undefined;
  const data = readData(secret['data']);
  const url = data.get('url') ?? '';
  if (url === '') return undefined;
  return {
    kind,
    url,
    ...(data.get('name') ? { name: data.get('name') ?? '' } : {}),
    project: data.get('project') ?? '',
    auth: readAuth(data, kind),
    isOci: isTrue(data.get('enableOCI')) || data.get('type') === 'oci',
    plainHttp: isTrue(data.get('insecureOCIForceHttp')),
    ...(isTrue(data.get('enableLfs')) ? { lfs: true } : {}),
    ...readDepth(data.get('depth')),
    ...(data.get('noProxy') ? { noProxy: data.get('noProxy') ?? '' } : {}),
  };
}

/** 0 is the whole history. */
function readDepth(text: string | undefined): { readonly depth?: number } {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? { depth: Number(text) } : {};
}

/**
 * What the Secrets say of a repository, as Argo CD finds them: a repository Secret of the same URL (of the project first, then of
 * no project), and if it has no credentials of its own, the template with the longest matching URL prefix.
 */
export function findRepository(
  credentials: readonly RepositoryCredential[],
  url: string,
  project: string,
): Omit<RepositoryCredential, 'kind' | 'project'> | undefined {
  const wanted = withoutOci(url);
  const own = credentials.filter(
    (one) =>
      one.kind === 'repository' && withoutOci(one.url) === wanted && fitsProject(one, project),
  );
  const [best] = own.sort((a, b) => Number(b.project === project) - Number(a.project === project));
  const template = credentials
    .filter((one) => one.kind === 'template' && isPrefix(one.url, url) && fitsProject(one, project))
    .sort((a, b) => b.url.length - a.url.length)[0];
  const found =
    best === undefined || hasSecret(best.auth) ? (best ?? template) : joined(best, template);
  return found && { ...found, auth: withoutProxy(foremost(found.auth), url, found.noProxy) };
}

/** A repository without credentials has those of a template, and what that says of the way to it. */
function joined(
  own: RepositoryCredential,
  template: RepositoryCredential | undefined,
): RepositoryCredential {
  if (template === undefined) return own;
  return {
    ...own,
    auth: { ...template.auth, ...own.auth },
    isOci: own.isOci || template.isOci,
    plainHttp: template.plainHttp,
    ...(own.noProxy === undefined && template.noProxy !== undefined
      ? { noProxy: template.noProxy }
      : {}),
  };
}

/** Of several ways to show who one is, the first counts: a password or token, a key, an app of GitHub's, an identity of a cloud. */
function foremost(auth: SourceAuth): SourceAuth {
  const { githubApp, login, ...plain } = auth;
  if ([plain.password, plain.bearerToken, plain.sshPrivateKey].some((one) => one !== undefined))
    return plain;
  if (githubApp !== undefined) return { ...plain, githubApp };
  return login === undefined ? plain : { ...plain, login };
}

function withoutProxy(auth: SourceAuth, url: string, noProxy: string | undefined): SourceAuth {
  const { proxy, ...direct } = auth;
  return proxy !== undefined && noProxy !== undefined && isDirect(url, noProxy) ? direct : auth;
}

/** Whether a list of hosts, domains and addresses, as NO_PROXY has them, names the host of a URL. */
function isDirect(url: string, list: string): boolean {
  const { hostname, port, protocol } = addressOf(url);
  const ports = [port || (protocol === 'https:' ? '443' : protocol === 'http:' ? '80' : '')];
  return list.split(',').some((item) => {
    const [, name = '', only] = /^(.*?)(?::(\d+))?$/.exec(item.trim().toLowerCase()) ?? [];
    if (name === '' || hostname === '') return false;
    if (only !== undefined && !ports.includes(only)) return false;
    if (name === '*') return true;
    if (name.includes('/')) return isWithin(hostname, name);
    const domain = name.replace(/^\*?\./, '');
    return hostname.endsWith(`.${domain}`) || (hostname === domain && name === domain);
  });
}

function isWithin(address: string, block: string): boolean {
  const [net = '', bits = ''] = block.split('/');
  const family = isIP(net);
  if (family === 0 || isIP(address) !== family || !/^\d{1,3}$/.test(bits)) return false;
  const list = new BlockList();
  try {
    list.addSubnet(net, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
    return list.check(address, family === 4 ? 'ipv4' : 'ipv6');
  } catch {
    return false;
  }
}

/** How a repository is reached: by the Secrets that speak of it, and what is trusted at its host. */
export function repositoryAccess(
  repository: { readonly url: string; readonly project: string },
  {
    credentials,
    trust,
  }: { readonly credentials: readonly RepositoryCredential[]; readonly trust: Trust },
): {
  readonly auth: SourceAuth | undefined;
  readonly isOci?: boolean;
  readonly plainHttp?: boolean;
  readonly lfs?: boolean;
  readonly depth?: number;
} {
  const { url, project } = repository;
  const { auth, isOci, plainHttp, lfs, depth } = findRepository(credentials, url, project) ?? {};
  return {
    auth: withTrust(withInstallation(auth, url), url, trust),
    ...(isOci === undefined ? {} : { isOci }),
    ...(plainHttp === undefined ? {} : { plainHttp }),
    ...(lfs === undefined ? {} : { lfs }),
    ...(depth === undefined ? {} : { depth }),
  };
}

/**
 * As `repositoryAccess`, for what charts and kustomizations name themselves: a registry that no Secret speaks of is reached as
 * the first registered one is whose address begins like its own, or the other way round.
 */
export function dependencyAccess(
  repository: Parameters<typeof repositoryAccess>[0],
  known: Parameters<typeof repositoryAccess>[1],
): ReturnType<typeof repositoryAccess> {
  const { url, project } = repository;
  const { credentials } = known;
  const isAlone =
    url.startsWith('oci://') && findRepository(credentials, url, project) === undefined;
  const near = isAlone
    ? credentials.find(
        (one) =>
          one.kind === 'repository' &&
          one.isOci &&
          fitsProject(one, project) &&
          (isPrefix(one.url, url) || isPrefix(url, one.url)),
      )
    : undefined;
  if (near === undefined) return repositoryAccess(repository, known);
  return repositoryAccess({ ...repository, url: near.url }, known);
}

/** An app whose installation is not told is that of the repository's owner. */
function withInstallation(auth: SourceAuth | undefined, url: string): SourceAuth | undefined {
  const githubApp = auth?.githubApp;
  if (githubApp === undefined || githubApp.installationId !== undefined) return auth;
  const installationOwner = /^[a-z]+:\/\/[^/]+\/([^/]+)\//.exec(normalizeUrl(url))?.[1];
  if (installationOwner === undefined) return auth;
  return { ...auth, githubApp: { ...githubApp, installationOwner } };
}

function fitsProject({ project }: RepositoryCredential, wanted: string): boolean {
  return project === '' || project === wanted;
}

/** A prefix ends where the path of the URL has a boundary: `https://host/org` does not speak for `https://host/org-b`. */
function isPrefix(prefix: string, url: string): boolean {
  const [start, whole] = [withoutOci(prefix), withoutOci(url)];
  if (!whole.startsWith(start)) return false;
  const next = whole[start.length];
  return next === undefined || next === '/' || start.endsWith('/') || start.endsWith(':');
}

/** A Secret may name a registry with the scheme or without it. */
function withoutOci(url: string): string {
  return normalizeUrl(url).replace(/^oci:\/\//, '');
}

/** Case and the `.git` suffix do not distinguish repositories; scp-like URLs are those of ssh. */
export function normalizeUrl(url: string): string {
  const text = url.trim().toLowerCase();
  const scp = /^([\w.-]+@)?([\w.-]+):(?!\/\/)(.+)$/.exec(text);
  const full =
    scp === null || text.includes('://') ? text : `ssh://${scp[1] ?? ''}${scp[2]}/${scp[3]}`;
  return full.replace(/\/+$/, '').replace(/\.git$/, '');
}

/** Whether it stands for itself; a key of Google's alone does not, as in Argo CD. */
function hasSecret(auth: SourceAuth): boolean {
  const { username, password, bearerToken, sshPrivateKey, clientCertificate, githubApp } = auth;
  const isNamed = [
    username,
    password,
    bearerToken,
    sshPrivateKey,
    clientCertificate,
    githubApp,
  ].some((value) => value !== undefined);
  return isNamed || (auth.login !== undefined && !auth.login.toJSON().startsWith('["google"'));
}

const FIELDS: readonly (readonly [name: string, field: keyof SourceAuth])[] = [
  ['username', 'username'],
  ['password', 'password'],
  ['bearerToken', 'bearerToken'],
  ['sshPrivateKey', 'sshPrivateKey'],
  ['tlsClientCertData', 'clientCertificate'],
  ['tlsClientCertKey', 'clientKey'],
  ['proxy', 'proxy'],
];

function readAuth(
  data: ReadonlyMap<string, string>,
  kind: RepositoryCredential['kind'],
): SourceAuth {
  const values = FIELDS.flatMap(([name, field]) => {
    const value = data.get(name);
    return value === undefined || value === '' ? [] : [[field, value] as const];
  });
  // A template does not say whom to trust.
  const isInsecure =
    kind === 'repository' &&
    (isTrue(data.get('insecure')) || isTrue(data.get('insecureIgnoreHostKey')));
  const auth: SourceAuth = Object.fromEntries(values);
  const githubApp = readGithubApp(data);
  const login = readCloudLogin(data);
  return {
    ...auth,
    ...(isInsecure ? { insecure: true } : {}),
    ...(githubApp === undefined ? {} : { githubApp }),
    ...(login === undefined ? {} : { login }),
  };
}

function readGithubApp(data: ReadonlyMap<string, string>): SourceAuth['githubApp'] {
  const [appId, privateKey] = [data.get('githubAppID'), data.get('githubAppPrivateKey')];
  if (!appId || !privateKey) return undefined;
  const installationId = data.get('githubAppInstallationID');
  const baseUrl = data.get('githubAppEnterpriseBaseUrl');
  return {
    appId,
    privateKey,
    ...(installationId ? { installationId } : {}),
    ...(baseUrl ? { baseUrl } : {}),
  };
}

/** Hosts and certificates that the administrator trusts (argocd-ssh-known-hosts-cm, argocd-tls-certs-cm). */
export interface Trust {
  readonly knownHosts: string;
  /** PEM by host name. */
  readonly certificates: { readonly [host: string]: string };
}

export const NO_TRUST: Trust = { knownHosts: '', certificates: {} };

/** Credentials with what is trusted at the repository's host. */
export function withTrust(
  auth: SourceAuth | undefined,
  url: string,
  { knownHosts, certificates }: Trust,
): SourceAuth | undefined {
  const isSsh = /^ssh:\/\//.test(normalizeUrl(url));
  const host = hostOf(url);
  const caCertificate = isSsh ? undefined : certificates[host];
  const extra = {
    ...(isSsh && knownHosts !== '' && auth?.insecure !== true ? { sshKnownHosts: knownHosts } : {}),
    ...(caCertificate === undefined ? {} : { caCertificate }),
  };
  return auth === undefined && Object.keys(extra).length === 0 ? undefined : { ...extra, ...auth };
}

function hostOf(url: string): string {
  return addressOf(url).hostname;
}

function addressOf(url: string): Pick<URL, 'hostname' | 'port' | 'protocol'> {
  try {
    return new URL(normalizeUrl(url));
  } catch {
    return { hostname: '', port: '', protocol: '' };
  }
}

const OWN_HOST = /^(?:localhost|127\.0\.0\.1|\[?::1\]?)$/;

/**
 * From where charts may come that others depend on: from anywhere but this machine, unless a repository on it is registered;
 * with the names of registered ones.
 */
export function chartPolicy(
  credentials: readonly RepositoryCredential[],
  project: string,
): ChartPolicy {
  const known = credentials.filter((one) => fitsProject(one, project));
  const own = known.map(({ url }) => hostOf(url)).filter((host) => OWN_HOST.test(host));
  const named = known.flatMap(({ name, url, isOci }) => {
    const address = isOci && !url.includes('://') ? `oci://${url}` : url;
    return name === undefined ? [] : [[name, address] as const];
  });
  return {
    schemes: ['https', 'http', 'oci'],
    hosts: ['*', ...new Set(own)],
    ...(named.length === 0 ? {} : { aliases: Object.fromEntries(named) }),
  };
}

export function readData(data: Json | undefined): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return values;
  for (const [name, value] of Object.entries(data)) {
    if (typeof value === 'string') values.set(name, Buffer.from(value, 'base64').toString('utf8'));
  }
  return values;
}
