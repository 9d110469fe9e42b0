import type { FileTree } from '@capstan/lib-files';
import { failure } from './failure.ts';
import type { RepoSpec } from './repo-spec.ts';

/** Content that a build needs from elsewhere. */
export type RemoteRequest =
  | { readonly kind: 'repository'; readonly spec: RepoSpec }
  | { readonly kind: 'file'; readonly url: string }
  | { readonly kind: 'chart'; readonly chart: ChartPull };

/** A chart to get from a repository: `https://…` or `oci://…`. */
export interface ChartPull {
  readonly repo: string;
  readonly name: string;
  /** A version or constraint; '' is the newest. */
  readonly version: string;
  /** Whether prereleases count. */
  readonly devel: boolean;
}

/** What came of asking for remote content. */
export type RemoteAnswer<T> =
  | { readonly kind: 'found'; readonly content: T }
  /** It is not here yet; the caller fetches it and builds again. */
  | { readonly kind: 'pending' }
  /** It cannot be had. `http` when a server answered with an error. */
  | { readonly kind: 'failed'; readonly message: string; readonly http?: boolean };

/**
 * Where remote content comes from. A build itself never reaches out: it asks, and when the answer is `pending`, ends
 * as `pending` with the requests that were open.
 */
export interface RemotePort {
  repository(spec: RepoSpec): RemoteAnswer<FileTree>;
  file(url: string): RemoteAnswer<Uint8Array>;
  /** The files of a chart, its own folder as the root. A port without it gets none. */
  chart?(chart: ChartPull): RemoteAnswer<FileTree>;
}

/** Which remote content may be asked for at all. Both lists must admit a URL; an empty list admits nothing. */
export interface RemotePolicy {
  /** `https`, `ssh`, `http`; `oci` for charts. `file` is never admitted. */
  readonly schemes: readonly string[];
  /**
   * Host names; `*.example.com` admits all below it, `*` any but this machine, which is admitted as `localhost`,
   * `127.0.0.1` or `::1` only where the list says so. Link-local addresses are never admitted.
   */
  readonly hosts: readonly string[];
}

/** Fails unless the policy admits the repository or file. */
export function requireAdmitted(url: string, policy: RemotePolicy | undefined): void {
  const { scheme, host } = schemeAndHost(url);
  const denied = (why: string) =>
    failure(`remote content '${url}' is not allowed: ${why}`, {
      hint: 'put the content into the repository, or allow its scheme and host for this build',
    });
  if (scheme === 'file') throw denied("scheme 'file' is never allowed");
  const isOwn = OWN_HOST.test(host) && policy?.hosts.includes(host) === true;
  if (!isOwn && isForbiddenHost(host)) {
    throw denied(`host '${host}' is a local or link-local address`);
  }
  if (policy === undefined) throw denied('no remote content is allowed for this build');
  if (!policy.schemes.includes(scheme)) throw denied(`scheme '${scheme}' is not on the allow-list`);
  if (!policy.hosts.some((pattern) => hostMatches(pattern, host))) {
    throw denied(`host '${host}' is not on the allow-list`);
  }
}

function schemeAndHost(url: string): { scheme: string; host: string } {
  const found = /^([a-z]+):\/\//i.exec(url);
  const scheme = found === null ? 'ssh' : found[1]!.toLowerCase();
  const rest = url.slice(found === null ? 0 : found[0].length);
  const authority = rest.split('/')[0]!;
  const hostAndPort = authority.slice(authority.lastIndexOf('@') + 1).toLowerCase();
  const bracketed = /^\[([^\]]*)\]/.exec(hostAndPort);
  return { scheme, host: bracketed?.[1] ?? hostAndPort.split(':')[0]! };
}

function hostMatches(pattern: string, host: string): boolean {
  if (pattern === '*') return true;
  const lower = pattern.toLowerCase();
  return lower.startsWith('*.') ? host.endsWith(lower.slice(1)) : host === lower;
}

const OWN_HOST = /^(?:localhost|127\.0\.0\.1|::1)$/;

const FORBIDDEN_HOST =
  /^(?:localhost|.*\.localhost|0\.0\.0\.0|127\..*|169\.254\..*|::1?|fe[89ab][0-9a-f]:.*|::ffff:.*|fd00:ec2::254|metadata|metadata\.google\.internal|)$/;

/** Hosts behind which cloud metadata and the machine itself answer, in every spelling an address has. */
function isForbiddenHost(host: string): boolean {
  if (FORBIDDEN_HOST.test(host.replace(/\.$/, ''))) return true;
  // One number, hexadecimal, octal or short forms are other spellings of an IPv4 address: nobody needs them here.
  return /^(?:0x[0-9a-f.x]*|[0-9]+(?:\.[0-9]+){0,2}|(?:0[0-9]+)(?:\.[0-9]+){3})$/.test(host);
}
