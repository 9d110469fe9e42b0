/** Bitbucket Cloud by its REST API 2.0. */
import type { Json, JsonObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import {
  ask,
  askPages,
  listedIn,
  numberAt,
  type Query,
  type RestApi,
  recordsIn,
  segment,
  segments,
  textAt,
  valueAt,
} from './rest.ts';
import type { PullRequest, PullRequestService, ScmProvider, ScmRepository } from './types.ts';

export const BITBUCKET_CLOUD = 'https://api.bitbucket.org/2.0';

export function bitbucketCloudApi(
  options: Pick<RestApi, 'http'> & { readonly api: string; readonly authorization: string },
): RestApi {
  const { http, api, authorization } = options;
  const base = `${(api === '' ? BITBUCKET_CLOUD : api).replace(/\/+$/, '')}/`;
  return { http, base, headers: authorization === '' ? {} : { authorization } };
}

async function findPages(
  api: RestApi,
  path: string,
  options: { readonly query?: Query; readonly allowed?: readonly number[] } = {},
): Promise<readonly JsonObject[] | undefined> {
  let isMissing = false;
  const all = await askPages(path, async (at) => {
    const query = at === path ? (options.query ?? {}) : {};
    const { status, value } = await ask(api, String(at), {
      query,
      allowed: options.allowed ?? [],
    });
    isMissing ||= status >= 400;
    const next = textAt(value, 'next');
    return {
      items: isMissing ? [] : listedIn(valueAt(value, 'values') ?? {}, at),
      // Credentials go to the same place only.
      next: next.startsWith(api.base) ? next : undefined,
    };
  });
  return isMissing ? undefined : all;
}

export function bitbucketCloudProvider(
  api: RestApi,
  { owner, allBranches }: { readonly owner: string; readonly allBranches: boolean },
): ScmProvider {
  const placeOf = (repository: string) => `repositories/${segment(owner)}/${segment(repository)}`;
  return {
    listRepositories: async (protocol) => {
      const query = { pagelen: 50, role: 'member' };
      const found = (await findPages(api, `repositories/${segment(owner)}`, { query })) ?? [];
      return found.map((one) => toRepository(one, owner, protocol || 'ssh'));
    },
    hasPath: async ({ repository, sha }, path) => {
      const place = `${placeOf(repository)}/src/${segment(sha)}/${segments(path)}`;
      const { status } = await ask(api, place, { query: { format: 'meta' }, allowed: [404] });
      return status !== 404;
    },
    listBranches: async (repository) => {
      const place = `${placeOf(repository.repository)}/refs/branches`;
      const found = allBranches
        ? ((await findPages(api, place, { query: { pagelen: 50 } })) ?? [])
        : recordsIn([(await ask(api, `${place}/${segments(repository.branch)}`)).value]);
      return found.map((branch) => ({
        ...repository,
        branch: textAt(branch, 'name'),
        sha: textAt(branch, 'target', 'hash'),
      }));
    },
  };
}

function toRepository(one: JsonObject, owner: string, protocol: string): ScmRepository {
  const slug = textAt(one, 'slug');
  return {
    organization: owner,
    repository: slug,
    repositoryId: textAt(one, 'uuid'),
    url: cloneUrl(valueAt(one, 'links', 'clone'), { protocol, slug }),
    branch: textAt(one, 'mainbranch', 'name'),
    sha: '',
    labels: [],
  };
}

function cloneUrl(
  links: Json | undefined,
  { protocol, slug }: { readonly protocol: string; readonly slug: string },
): string {
  const link = recordsIn(links).find(({ name }) => name === protocol);
  if (link !== undefined) return textAt(link, 'href');
  throw new CapstanError(
    'SPEC_INVALID',
    `error fetching clone url for repo ${slug}: unknown clone protocol for Bitbucket cloud ${protocol}`,
    { hint: 'set scmProvider.cloneProtocol to ssh or https' },
  );
}

export function bitbucketCloudPullRequests(
  api: RestApi,
  { owner, repo }: { readonly owner: string; readonly repo: string },
): PullRequestService {
  return {
    listPullRequests: async () => {
      const place = `repositories/${segment(owner)}/${segment(repo)}/pullrequests/`;
      return (await findPages(api, place, { allowed: [404] }))?.map(toPullRequest);
    },
  };
}

function toPullRequest(one: JsonObject): PullRequest {
  return {
    number: numberAt(one, 'id'),
    title: textAt(one, 'title'),
    branch: textAt(one, 'source', 'branch', 'name'),
    targetBranch: textAt(one, 'destination', 'branch', 'name'),
    headSha: textAt(one, 'source', 'commit', 'hash'),
    labels: [],
    author: textAt(one, 'author', 'nickname'),
  };
}
