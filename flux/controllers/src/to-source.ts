import type { GitRevisionSpec, GitSourceSpec, IgnoreRules } from '@capstan/engine-source';
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

/** A GitRepository as the engine takes it, without its access. Pure. */
export function toSourceSpec({ spec }: GitRepository): GitSourceSpec {
  if (!/^(https?|ssh|file):\/\//.test(spec.url)) {
    throw new CapstanError(
      'URL_INVALID',
      `spec.url: ${spec.url} is not an address of a Git repository`,
      {
        hint: 'use an http, https or ssh URL; host:path is written as ssh://host/path',
        kind: 'stalled',
      },
    );
  }
  return {
    kind: 'git',
    url: spec.url,
    revision: toRevision(spec.ref ?? {}),
    timeoutMs: parseDurationMs(spec.timeout ?? '60s', 'spec.timeout'),
    ignore: {
      ...FLUX_IGNORE,
      ...(spec.ignore === undefined ? {} : { patterns: spec.ignore }),
    },
    ...(spec.recurseSubmodules === true ? { submodules: true } : {}),
    ...(spec.sparseCheckout === undefined ? {} : { sparse: spec.sparseCheckout }),
  };
}

/** In the order in which Flux's Git client looks at the fields (fluxcd/pkg/git, Client.clone), whatever their documentation says. */
function toRevision(ref: NonNullable<GitRepository['spec']['ref']>): GitRevisionSpec {
  if (ref.commit)
    return { kind: 'commit', commit: ref.commit, ...(ref.branch ? { branch: ref.branch } : {}) };
  if (ref.name) return { kind: 'ref', ref: ref.name };
  if (ref.tag) return { kind: 'tag', tag: ref.tag };
  if (ref.semver) return { kind: 'semver', range: ref.semver };
  return { kind: 'branch', branch: ref.branch ? ref.branch : 'master' };
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
        ? [[name, decodeSecret(Buffer.from(value, 'base64'))] as const]
        : [],
    ),
  );
}

/** Text as it is, or of UTF-16 where it begins with that mark, as files of Azure's tools on Windows do (sops.azure-kv). */
function decodeSecret(bytes: Buffer): string {
  const mark = bytes.toString('hex', 0, 2);
  if (mark === 'fffe') return new TextDecoder('utf-16le').decode(bytes);
  if (mark === 'feff') return new TextDecoder('utf-16be').decode(bytes);
  return bytes.toString('utf8');
}
