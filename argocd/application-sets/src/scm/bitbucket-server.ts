/** Bitbucket Server and Data Center by their REST API 1.0. */
import type { Json, JsonObject } from '@capstan/kube-object';
import { GoInt, INT } from '@capstan/lib-gotemplate';
import {
  ask,
  askPages,
  listedIn,
  numberAt,
  type RestApi,
  recordsIn,
  segment,
  segments,
  textAt,
  unknownProtocol,
  valueAt,
} from './rest.ts';
import type { PullRequest, PullRequestService, ScmProvider, ScmRepository } from './types.ts';

export function bitbucketServerApi(
  options: Omit<RestApi, 'base' | 'headers'> & {
    readonly api: string;
    readonly authorization: string;
  },
): RestApi {
  const { api, authorization, ...rest } = options;
  const root = api.replace(/\/+$/, '');
  const base = `${root.endsWith('/rest') ? root : `${root}/rest`}/api/1.0/`;
  // The headers keep the server from its check of browsers' requests.
  const headers =
    authorization === ''
      ? {}
      : {
          authorization,
          'x-atlassian-token': 'no-check',
          'x-requested-with': 'XMLHttpRequest',
        };
  return { ...rest, base, headers };
}

async function findPages(
  api: RestApi,
  path: string,
  allowed: readonly number[] = [],
): Promise<readonly JsonObject[] | undefined> {
  let isMissing = false;
  const all = await askPages(0, async (start) => {
    const query = { limit: 100, ...(start === 0 ? {} : { start }) };
    const { status, value } = await ask(api, path, { query, allowed });
    isMissing ||= status >= 400;
    const items = isMissing ? [] : listedIn(valueAt(value, 'values'), path);
    return { items, next: nextStart(value) };
  });
  return isMissing ? undefined : all;
}

function nextStart(value: Json): number | undefined {
  const next = valueAt(value, 'nextPageStart');
  return valueAt(value, 'isLastPage') === false && typeof next === 'number' ? next : undefined;
}

export function bitbucketServerProvider(
  api: RestApi,
  { project, allBranches }: { readonly project: string; readonly allBranches: boolean },
): ScmProvider {
  const placeOf = (owner: string, repository: string) =>
    `projects/${segment(owner)}/repos/${segment(repository)}`;
  const defaultBranch = async (place: string): Promise<readonly JsonObject[]> => {
    // Neither a branch that is named and does not exist, nor none at all is an error: the repository is empty.
    const { status, value } = await ask(api, `${place}/branches/default`, { allowed: [404] });
    return status === 404 ? [] : recordsIn([value]);
  };
  return {
    listRepositories: async (protocol) => {
      if (!['', 'ssh', 'https'].includes(protocol))
        throw unknownProtocol('Bitbucket Server', protocol);
      const link = protocol === 'https' ? 'http' : 'ssh';
      const result: ScmRepository[] = [];
      for (const one of (await findPages(api, `projects/${segment(project)}/repos`)) ?? []) {
        const found = toRepository(one, link);
        const [branch] = await defaultBranch(placeOf(found.organization, found.repository));
        if (branch !== undefined) result.push(withBranch(found, branch));
      }
      return result;
    },
    hasPath: async ({ organization, repository, branch }, path) => {
      const place = `${placeOf(organization, repository)}/browse/${segments(path)}`;
      const query = { at: branch, limit: 100, type: true };
      return (await ask(api, place, { query, allowed: [404] })).status !== 404;
    },
    listBranches: async (repository) => {
      const place = placeOf(repository.organization, repository.repository);
      const found = allBranches
        ? ((await findPages(api, `${place}/branches`)) ?? [])
        : await defaultBranch(place);
      return found.map((branch) => withBranch(repository, branch));
    },
  };
}

function toRepository(one: JsonObject, link: string): ScmRepository {
  const clone = recordsIn(valueAt(one, 'links', 'clone')).find(({ name }) => name === link);
  return {
    organization: textAt(one, 'project', 'key'),
    repository: textAt(one, 'name'),
    repositoryId: new GoInt(INT, numberAt(one, 'id')),
    url: textAt(clone, 'href'),
    branch: '',
    sha: '',
    labels: [],
  };
}

function withBranch(repository: ScmRepository, branch: JsonObject): ScmRepository {
  return {
    ...repository,
    branch: textAt(branch, 'displayId'),
    sha: textAt(branch, 'latestCommit'),
  };
}

export function bitbucketServerPullRequests(
  api: RestApi,
  { project, repo }: { readonly project: string; readonly repo: string },
): PullRequestService {
  return {
    listPullRequests: async () => {
      const place = `projects/${segment(project)}/repos/${segment(repo)}/pull-requests`;
      return (await findPages(api, place, [404]))?.map(toPullRequest);
    },
  };
}

function toPullRequest(one: JsonObject): PullRequest {
  return {
    number: numberAt(one, 'id'),
    title: textAt(one, 'title'),
    branch: textAt(one, 'fromRef', 'displayId'),
    targetBranch: textAt(one, 'toRef', 'displayId'),
    headSha: textAt(one, 'fromRef', 'latestCommit'),
    labels: [],
    author: textAt(one, 'author', 'user', 'name'),
  };
}
