import { CapstanError, messageOf } from '@capstan/lib-std';
import { RE2JS } from 're2js';
import type { PullRequest, PullRequestService, ScmProvider, ScmRepository } from './types.ts';

export interface RepositoryFilter {
  readonly repositoryMatch?: string;
  readonly labelMatch?: string;
  readonly branchMatch?: string;
  readonly pathsExist?: readonly string[];
  readonly pathsDoNotExist?: readonly string[];
}

export interface PullRequestFilter {
  readonly branchMatch?: string;
  readonly targetBranchMatch?: string;
  readonly titleMatch?: string;
}

/**
 * The repositories of a provider and their branches, filtered as Argo CD does: a filter that looks at branches or paths
 * chooses among branches, one that looks at names or labels alone among repositories; of each sort, one has to fit.
 */
export async function findRepositories(
  provider: ScmProvider,
  {
    filters,
    cloneProtocol,
  }: { readonly filters: readonly RepositoryFilter[]; readonly cloneProtocol: string },
): Promise<readonly ScmRepository[]> {
  const compiled = filters.map(compileRepositoryFilter);
  const byBranch = compiled.filter(({ looksAtBranch }) => looksAtBranch);
  const byName = compiled.filter(({ looksAtName, looksAtBranch }) => looksAtName && !looksAtBranch);
  const all = await provider.listRepositories(cloneProtocol);
  const wanted = await filterBy(all, byName, provider);
  const branches: ScmRepository[] = [];
  for (const repository of wanted) branches.push(...(await provider.listBranches(repository)));
  return filterBy(branches, byBranch, provider);
}

interface CompiledFilter {
  readonly looksAtBranch: boolean;
  readonly looksAtName: boolean;
  fits(repository: ScmRepository): boolean;
  readonly present: readonly string[];
  readonly absent: readonly string[];
}

function compileRepositoryFilter(filter: RepositoryFilter): CompiledFilter {
  const { pathsExist, pathsDoNotExist } = filter;
  const repository = compile('RepositoryMatch', filter.repositoryMatch);
  const label = compile('LabelMatch', filter.labelMatch);
  const branch = compile('BranchMatch', filter.branchMatch);
  const clean = (path: string) => path.replace(/\/+$/, '');
  return {
    looksAtBranch:
      branch !== undefined || pathsExist !== undefined || pathsDoNotExist !== undefined,
    looksAtName: repository !== undefined || label !== undefined,
    fits: (one) =>
      (repository?.(one.repository) ?? true) &&
      (branch?.(one.branch) ?? true) &&
      (label === undefined || one.labels.some(label)),
    present: (pathsExist ?? []).map(clean),
    absent: (pathsDoNotExist ?? []).map(clean),
  };
}

async function filterBy(
  repositories: readonly ScmRepository[],
  filters: readonly CompiledFilter[],
  provider: ScmProvider,
): Promise<readonly ScmRepository[]> {
  if (filters.length === 0) return repositories;
  const kept: ScmRepository[] = [];
  for (const repository of repositories) {
    for (const filter of filters) {
      if (!(await fitsAll(repository, filter, provider))) continue;
      kept.push(repository);
      break;
    }
  }
  return kept;
}

async function fitsAll(
  repository: ScmRepository,
  filter: CompiledFilter,
  provider: ScmProvider,
): Promise<boolean> {
  if (!filter.fits(repository)) return false;
  for (const path of filter.present) if (!(await provider.hasPath(repository, path))) return false;
  for (const path of filter.absent) if (await provider.hasPath(repository, path)) return false;
  return true;
}

/** The open pull requests that fit one of the filters; undefined: there is no such repository. */
export async function findPullRequests(
  service: PullRequestService,
  filters: readonly PullRequestFilter[],
): Promise<readonly PullRequest[] | undefined> {
  const compiled = filters.map((filter) => {
    const branch = compile('BranchMatch', filter.branchMatch);
    const target = compile('TargetBranchMatch', filter.targetBranchMatch);
    const title = compile('TitleMatch', filter.titleMatch);
    return (one: PullRequest) =>
      (branch?.(one.branch) ?? true) &&
      (target?.(one.targetBranch) ?? true) &&
      (title?.(one.title) ?? true);
  });
  const found = await service.listPullRequests();
  if (compiled.length === 0) return found;
  return found?.filter((one) => compiled.some((fits) => fits(one)));
}

/** A pattern that may match anywhere in the text, by RE2: its cost is linear. */
function compile(
  field: string,
  pattern: string | undefined,
): ((text: string) => boolean) | undefined {
  if (pattern === undefined) return undefined;
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern);
  } catch (error) {
    throw new CapstanError(
      'SPEC_INVALID',
      `error compiling ${field} regexp ${JSON.stringify(pattern)}: ${messageOf(error)}`,
      { hint: 'write a regular expression of RE2, without look-around and back references' },
    );
  }
  return (text) => compiled.matcher(text).find();
}
