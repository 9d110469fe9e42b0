import type { SourceAuth, SourceSpec, VerifyRequest } from '@capstan/engine-source';

/** How a repository is reached, and what is demanded of its commits. */
export interface RepositoryAccess {
  readonly auth?: SourceAuth | undefined;
  /** http for a registry. */
  readonly plainHttp?: boolean;
  readonly lfs?: boolean;
  readonly submodules?: boolean;
  readonly verify?: VerifyRequest | undefined;
}

/** A repository that a generator reads, as the engine takes it. */
export function repositorySpec(
  {
    url,
    revision,
    kind,
  }: { readonly url: string; readonly revision: string; readonly kind: 'git' | 'oci' },
  { auth, plainHttp, lfs, submodules }: RepositoryAccess,
): SourceSpec {
  const common = auth === undefined ? {} : { auth };
  if (kind === 'git') {
    const name = revision === '' ? 'HEAD' : revision;
    return {
      kind,
      url,
      revision: { kind: 'any', name },
      ...(submodules === true ? { submodules } : {}),
      ...(lfs === true ? { lfs } : {}),
      ...common,
    };
  }
  return {
    kind: 'artifact',
    form: 'oci',
    url: url.startsWith('oci://') ? url : `oci://${url}`,
    revision: { kind: 'version', range: revision },
    ...(plainHttp === true ? { plainHttp } : {}),
    ...common,
  };
}
