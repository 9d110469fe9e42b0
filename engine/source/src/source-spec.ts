import type { IgnoreRules } from './ignore-files.ts';

/** What to fetch, in neutral words. Credentials are values here: the front doors read them from Secrets. */
export type SourceSpec = StoredSourceSpec | ArtifactSourceSpec;
export type StoredSourceSpec = GitSourceSpec | ArchiveSourceSpec;

export interface GitSourceSpec {
  readonly kind: 'git';
  readonly url: string;
  readonly revision: GitRevisionSpec;
  readonly auth?: SourceAuth;
  /** Bounds one network operation; 60 s when absent. */
  readonly timeoutMs?: number;
  /** Files hidden from renderers. */
  readonly ignore?: IgnoreRules;
  /** Only these folders, and the files on the way to them, are seen; absent: all. */
  readonly sparse?: readonly string[];
  /** Folders that are other repositories are filled, at the commits that the tree names. */
  readonly submodules?: boolean;
  /** Files that Git LFS keeps are fetched; otherwise their pointers are what is seen. */
  readonly lfs?: boolean;
  /** Only so many commits of the history are fetched; absent: all. */
  readonly depth?: number;
}

/** A tar.gz archive at an address, pinned by its digest: an artifact of some other source. */
export interface ArchiveSourceSpec {
  readonly kind: 'archive';
  readonly url: string;
  /** Identity over all revisions, e.g. `OCIRepository/apps/web`. */
  readonly name: string;
  /** As the artifact tells it. */
  readonly revision: { readonly kind: 'archive'; readonly id: string };
  /** Of the archive's bytes: `sha256:…`, or by another algorithm of content digests. */
  readonly digest: string;
  readonly timeoutMs?: number;
}

/** A version of a chart in a chart repository, or of an artifact in an OCI registry. */
export interface ArtifactSourceSpec {
  readonly kind: 'artifact';
  readonly form: 'chart' | 'oci';
  /** Of the chart repository (`https://…`, `oci://…`), or of the artifact. */
  readonly url: string;
  /** The name of the chart. */
  readonly chart?: string;
  /** A version, a range of versions, a tag or a digest; '' is the newest. */
  readonly revision: { readonly kind: 'version'; readonly range: string };
  readonly auth?: SourceAuth;
  /** http for an OCI registry. */
  readonly plainHttp?: boolean;
  /** Credentials go to whatever host the repository's index names. */
  readonly passCredentials?: boolean;
  readonly timeoutMs?: number;
}

/**
 * Which commit is wanted. `any` is Argo CD's targetRevision: HEAD or empty, a branch, a tag, a full or short commit, a
 * full ref name, or a range of versions over the tags. The others are Flux's spec.ref fields.
 */
export type GitRevisionSpec =
  | { readonly kind: 'any'; readonly name: string; readonly tagPrefix?: string }
  | { readonly kind: 'branch'; readonly branch: string }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'semver'; readonly range: string }
  | { readonly kind: 'commit'; readonly commit: string; readonly branch?: string }
  | { readonly kind: 'ref'; readonly ref: string };

/** Credentials and trust for one remote. Values never reach a command line, a log, an error or a cache on disk. */
export interface SourceAuth {
  readonly username?: string;
  readonly password?: string;
  readonly bearerToken?: string;
  /** PEM. */
  readonly sshPrivateKey?: string;
  readonly sshPassphrase?: string;
  /** Lines of a known_hosts file. Without it no SSH host is trusted, unless `insecure`. */
  readonly sshKnownHosts?: string;
  /** PEM bundle that replaces the system's authorities. */
  readonly caCertificate?: string;
  /** PEM, for mutual TLS. */
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  /** Skips TLS verification and SSH host key checks. */
  readonly insecure?: boolean;
  /** URL of an HTTP proxy. */
  readonly proxy?: string;
  /** A GitHub App, which gives a token for an hour at a time. */
  readonly githubApp?: GithubApp;
  /** Credentials that end and are asked for whenever they are needed. */
  readonly login?: SourceLogin;
}

/** An identity that gives credentials for a while. */
export interface SourceLogin {
  /** Tells this login from others, and nothing of its credentials: as text it stands for the login in keys. */
  toJSON(): string;
  /** What opens the repository at `url` now. */
  ask(
    url: string,
  ): Promise<
    { readonly username: string; readonly password: string } | { readonly bearerToken: string }
  >;
}

export interface GithubApp {
  readonly appId: string;
  /** PEM of an RSA key. */
  readonly privateKey: string;
  readonly installationId?: string;
  /** The account that installed the app, when the id of the installation is not told. */
  readonly installationOwner?: string;
  /** Of GitHub Enterprise: `https://host/api/v3`. */
  readonly baseUrl?: string;
}
