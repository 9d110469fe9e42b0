import { gitError } from './errors.ts';
import { isCommitPrefix, isObjectId, requireRefName } from './ref-name.ts';
import { commitOf, type RemoteRefs } from './remote-refs.ts';

/**
 * Which commit is wanted. `any` takes what a person writes: '' or HEAD, a branch, a tag, a full ref name, a whole or
 * short commit id, or a range of versions over the tags.
 */
export type RevisionQuery =
  | { readonly kind: 'any'; readonly name: string; readonly tagPrefix?: string }
  | { readonly kind: 'branch'; readonly branch: string }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'semver'; readonly range: string }
  | { readonly kind: 'commit'; readonly commit: string; readonly branch?: string }
  | { readonly kind: 'ref'; readonly ref: string };

/** Picks the tag that a range of versions means; undefined when none fits, 'not-a-range' when `range` is none. */
export type PickVersion = (
  range: string,
  tags: readonly string[],
) => string | undefined | 'not-a-range';

/** As PickVersion, but all the tags of the version that is meant: some differ in their build metadata alone. */
export type PickVersions = (
  range: string,
  tags: readonly string[],
) => readonly string[] | 'not-a-range';

/** `commit`: found under `ref` (undefined: asked for by id). `prefix`: a short id, to be looked up in the objects. */
export type Resolved = Found | { readonly kind: 'prefix'; readonly prefix: string };

export interface Found {
  readonly kind: 'commit';
  readonly commit: string;
  readonly name: string;
  readonly ref: string | undefined;
  /** Other tags that mean the same version: the one whose commit is the newest is taken. */
  readonly rivals?: readonly Found[];
}

export interface VersionPickers {
  /** For what a person writes. */
  readonly pickVersion?: PickVersion;
  /** For ranges that are said to be ones. */
  readonly pickVersions?: PickVersions;
}

/** Of a tag's name: what it leads to is meant, not the tag object itself. Both come to the same commit. */
const PEELED = /\^\{\}$/;

/** Resolves a query against what the remote offers. Branches win over tags, and both over ids, as in Git's own rules for remotes. */
export function resolveRevision(
  query: RevisionQuery,
  refs: RemoteRefs,
  { pickVersion, pickVersions }: VersionPickers = {},
): Resolved {
  switch (query.kind) {
    case 'branch':
      return atRef(refs, `refs/heads/${requireRefName(query.branch, 'branch')}`, query.branch);
    case 'tag':
      return atRef(refs, `refs/tags/${requireRefName(query.tag, 'tag')}`, query.tag);
    case 'ref':
      return atRef(refs, requireRefName(query.ref.replace(PEELED, ''), 'ref'), query.ref);
    case 'commit':
      return atCommit(query.commit, query.branch ?? '');
    case 'semver':
      return atVersion(query.range, refs, pickVersions);
    case 'any':
      return resolveAny(query, refs, pickVersion);
    default:
      throw query satisfies never;
  }
}

function resolveAny(
  query: RevisionQuery & { readonly kind: 'any' },
  refs: RemoteRefs,
  pickVersion: PickVersion | undefined,
): Resolved {
  const { name } = query;
  if (name === '' || name === 'HEAD') return atHead(refs);
  for (const ref of [`refs/heads/${name}`, `refs/tags/${name}`]) {
    if (refs.ids.has(ref)) return atRef(refs, ref, name);
  }
  if (name.startsWith('refs/')) return atRef(refs, requireRefName(name, 'ref'), name);
  if (isCommitPrefix(name)) return atCommit(name, '');
  const tagPrefix = query.tagPrefix ?? '';
  const version = pickVersion?.(name, versionTags(refs, tagPrefix));
  if (version !== 'not-a-range' && version !== undefined) {
    return atRef(refs, `refs/tags/${tagPrefix}${version}`, tagPrefix + version);
  }
  throw unknownRevision(name, refs, version === undefined && pickVersion !== undefined);
}

function atHead(refs: RemoteRefs): Resolved {
  const name = refs.head ?? 'HEAD';
  const commit = commitOf(refs, 'HEAD') ?? commitOf(refs, name);
  if (commit !== undefined) return { kind: 'commit', commit, name: 'HEAD', ref: name };
  throw gitError('GIT_REVISION_UNKNOWN', 'HEAD leads to no commit', {
    hint: 'the repository is empty, or its default branch is gone: push a commit, or name a branch',
  });
}

function atRef(refs: RemoteRefs, ref: string, name: string): Found {
  const commit = commitOf(refs, ref);
  if (commit === undefined) throw unknownRevision(name, refs, false);
  return { kind: 'commit', commit, name, ref };
}

function atCommit(text: string, name: string): Resolved {
  const commit = text.toLowerCase();
  if (isObjectId(commit)) return { kind: 'commit', commit, name, ref: undefined };
  if (isCommitPrefix(commit)) return { kind: 'prefix', prefix: commit };
  throw gitError('GIT_REVISION_UNKNOWN', `${JSON.stringify(text.slice(0, 100))} is no commit id`, {
    hint: 'give 7 to 40 hexadecimal digits',
  });
}

function atVersion(
  range: string,
  refs: RemoteRefs,
  pickVersions: PickVersions | undefined,
): Resolved {
  const versions = pickVersions?.(range, versionTags(refs, '')) ?? 'not-a-range';
  if (versions === 'not-a-range') {
    throw gitError('GIT_REVISION_UNKNOWN', `${JSON.stringify(range)} is no range of versions`, {
      hint: "write it as '>=1.2.0 <2.0.0', '1.2.x' or '~1.2'",
    });
  }
  const [first, ...rivals] = versions.map((tag) => atRef(refs, `refs/tags/${tag}`, tag));
  if (first !== undefined) return rivals.length === 0 ? first : { ...first, rivals };
  if (refs.ids.size === 0) throw unknownRevision(range, refs, false);
  throw gitError('GIT_REVISION_UNKNOWN', `no tag lies in the range ${JSON.stringify(range)}`, {
    hint: 'push a tag such as v1.2.3, or widen the range',
  });
}

function versionTags(refs: RemoteRefs, prefix: string): readonly string[] {
  const start = `refs/tags/${prefix}`;
  return [...refs.ids.keys()].flatMap((name) =>
    name.startsWith(start) ? [name.slice(start.length)] : [],
  );
}

/** The hint of an error about a revision of a repository that holds none. */
export const EMPTY_REPOSITORY = 'the repository has no branches: push a commit first';

function unknownRevision(name: string, refs: RemoteRefs, isRange: boolean): Error {
  const shown = JSON.stringify(name.slice(0, 100));
  if (isRange) {
    return gitError('GIT_REVISION_UNKNOWN', `no tag lies in the range ${shown}`, {
      hint: 'push a tag such as v1.2.3, or widen the range',
    });
  }
  const branches = [...refs.ids.keys()].flatMap((ref) =>
    ref.startsWith('refs/heads/') ? [ref.slice('refs/heads/'.length)] : [],
  );
  const some = branches.slice(0, 5).join(', ');
  return gitError('GIT_REVISION_UNKNOWN', `the repository has no revision ${shown}`, {
    hint:
      some === ''
        ? EMPTY_REPOSITORY
        : `its branches are ${some}${branches.length > 5 ? ', …' : ''}`,
  });
}
