import type {
  GitRevisionSpec,
  GitSourceSpec,
  IgnoreRules,
  SourceAuth,
} from '@capstan/engine-source';
import type { GitRepository } from '@capstan/flux-api';
import { CapstanError } from '@capstan/lib-std';
import { parseDurationMs } from './durations.ts';

/**
 * What Flux hides from its archives: the files of version control always; pictures, archives and the files of build services
 * when neither the repository nor the resource has patterns of its own. Nothing brings `.git` back.
 */
export const FLUX_IGNORE: IgnoreRules = {
  file: '.sourceignore',
  always: ['.git/', '.gitignore', '.gitmodules', '.gitattributes'],
  otherwise: [
    ...['*.jpg', '*.jpeg', '*.gif', '*.png', '*.wmv', '*.flv', '*.tar.gz', '*.zip'],
    ...['.github/', '.circleci/', '.travis.yml', '.gitlab-ci.yml', 'appveyor.yml', '.drone.yml'],
    ...['cloudbuild.yaml', 'codeship-services.yml', 'codeship-steps.yml'],
    ...['**/.goreleaser.yml', '**/.sops.yaml', '**/.flux.yaml'],
  ],
  last: ['.git/'],
};

/**
 * A GitRepository as the engine takes it. Throws SOURCE_UNSUPPORTED for what is not done here: a signature that would not
 * be verified, or files that would be missing, must not pass in silence.
 */
export function toSourceSpec(
  repository: GitRepository,
  secret: ReadonlyMap<string, string> | undefined,
): GitSourceSpec {
  const { spec } = repository;
  const refuse = (field: string, hint: string) => {
    throw new CapstanError('SOURCE_UNSUPPORTED', `spec.${field} is not supported`, { hint });
  };
  if (spec.verify !== undefined)
    refuse('verify', 'signatures are not verified yet; remove the field to fetch without');
  if ((spec.include?.length ?? 0) > 0)
    refuse('include', 'use one repository for each Kustomization');
  if (!/^(https?|ssh|file):\/\//.test(spec.url)) {
    throw new CapstanError(
      'URL_INVALID',
      `spec.url: ${spec.url} is not an address of a Git repository`,
      {
        hint: 'use an http, https or ssh URL; host:path is written as ssh://host/path',
      },
    );
  }
  const auth = secret === undefined ? undefined : toAuth(secret);
  return {
    kind: 'git',
    url: spec.url,
    revision: toRevision(spec.ref ?? {}),
    timeoutMs: parseDurationMs(spec.timeout ?? '60s', 'spec.timeout'),
    ...(auth === undefined ? {} : { auth }),
    ignore: {
      ...FLUX_IGNORE,
      ...(spec.ignore === undefined ? {} : { patterns: spec.ignore }),
    },
    ...(spec.recurseSubmodules === true ? { submodules: true } : {}),
    ...(spec.sparseCheckout === undefined ? {} : { sparse: spec.sparseCheckout }),
  };
}

/** In the order in which Flux lets one field win over another: commit, name, semver, tag, branch (master). */
function toRevision(ref: NonNullable<GitRepository['spec']['ref']>): GitRevisionSpec {
  if (ref.commit)
    return { kind: 'commit', commit: ref.commit, ...(ref.branch ? { branch: ref.branch } : {}) };
  if (ref.name) return { kind: 'ref', ref: ref.name };
  if (ref.semver) return { kind: 'semver', range: ref.semver };
  if (ref.tag) return { kind: 'tag', tag: ref.tag };
  return { kind: 'branch', branch: ref.branch ? ref.branch : 'master' };
}

const AUTH_FIELDS: readonly (readonly [key: string, field: keyof SourceAuth])[] = [
  ['username', 'username'],
  ['password', 'password'],
  ['bearerToken', 'bearerToken'],
  ['identity', 'sshPrivateKey'],
  ['known_hosts', 'sshKnownHosts'],
  ['caFile', 'caCertificate'],
  ['ca.crt', 'caCertificate'],
  ['tls.crt', 'clientCertificate'],
  ['tls.key', 'clientKey'],
];

/** An SSH key's passphrase is `password`, as in Flux. */
function toAuth(secret: ReadonlyMap<string, string>): SourceAuth {
  const values = AUTH_FIELDS.flatMap(([key, field]) => {
    const value = secret.get(key);
    return value === undefined || value === '' ? [] : [[field, value] as const];
  });
  const { password, ...auth }: SourceAuth = Object.fromEntries(values);
  if (password === undefined) return auth;
  return auth.sshPrivateKey === undefined
    ? { ...auth, password }
    : { ...auth, sshPassphrase: password };
}

/** `main@sha1:abc…`, `v1.2.0@sha1:…`, `sha1:…` for a bare commit (Flux RFC 0005). */
export function formatRevision({
  id,
  name,
}: {
  readonly id: string;
  readonly name: string;
}): string {
  const algorithm = id.length === 64 ? 'sha256' : 'sha1';
  return name === '' ? `${algorithm}:${id}` : `${name}@${algorithm}:${id}`;
}

/** The commit of such a revision. */
export function commitOf(revision: string): string {
  return revision.slice(revision.lastIndexOf(':') + 1);
}

export function readSecretData(data: unknown): ReadonlyMap<string, string> {
  if (typeof data !== 'object' || data === null) return new Map();
  return new Map(
    Object.entries(data).flatMap(([name, value]) =>
      typeof value === 'string'
        ? [[name, Buffer.from(value, 'base64').toString('utf8')] as const]
        : [],
    ),
  );
}
