/** Gitea and Forgejo by their REST API (`/api/v1`). */

import type { JsonObject } from '@capstan/kube-object';
import { GoInt, INT } from '@capstan/lib-gotemplate';
import { labelled } from './github.ts';
import type { HosterAccess } from './gitlab.ts';
import {
  ask,
  askPages,
  listedIn,
  nextLink,
  numberAt,
  type Query,
  type RestApi,
  recordsIn,
  segment,
  segments,
  textAt,
  unknownProtocol,
} from './rest.ts';
import type { PullRequestService, ScmProvider, ScmRepository } from './types.ts';

export function giteaApi({ http, api, token, ...trust }: HosterAccess): RestApi {
  const base = `${api.replace(/\/+$/, '')}/api/v1/`;
  return { http, base, headers: token === '' ? {} : { authorization: `token ${token}` }, ...trust };
}

/** Pages of the server's own size; undefined when the first one is missing. */
async function findPages(
  api: RestApi,
  path: string,
  options: { readonly query?: Query; readonly allowed?: readonly number[] } = {},
): Promise<readonly JsonObject[] | undefined> {
  let isMissing = false;
  let count = 0;
  const all = await askPages(1, async (page) => {
    const query = { page, limit: 0, ...options.query };
    const allowed = options.allowed ?? [];
    const { status, value, headers } = await ask(api, path, { query, allowed });
    isMissing ||= status >= 400;
    const items = isMissing ? [] : listedIn(value, path);
    count += items.length;
    const total = Number(headers.get('x-total-count') ?? 0);
    const hasMore = items.length > 0 && (nextLink(headers) !== undefined || count < total);
    return { items, next: hasMore ? Number(page) + 1 : undefined };
  });
  return isMissing ? undefined : all;
}

export function giteaProvider(
  api: RestApi,
  options: {
    readonly owner: string;
    readonly allBranches: boolean;
    readonly excludeArchived: boolean;
  },
): ScmProvider {
  const { owner, allBranches, excludeArchived } = options;
  const placeOf = (repository: string) => `repos/${segment(owner)}/${segment(repository)}`;
  return {
    listRepositories: async (protocol) => {
      if (!['', 'ssh', 'https'].includes(protocol)) throw unknownProtocol('Gitea', protocol);
      const found = (await findPages(api, `orgs/${segment(owner)}/repos`)) ?? [];
      const wanted = found.filter((one) => !excludeArchived || one['archived'] !== true);
      const result: ScmRepository[] = [];
      for (const one of wanted) {
        const labels = (await findPages(api, `${placeOf(textAt(one, 'name'))}/labels`)) ?? [];
        const names = labels.map((label) => textAt(label, 'name'));
        result.push(toRepository(one, { owner, protocol, labels: names }));
      }
      return result;
    },
    hasPath: async ({ repository, branch }, path) => {
      const place = `${placeOf(repository)}/contents/${segments(path)}`;
      const { status } = await ask(api, place, { query: { ref: branch }, allowed: [404] });
      return status !== 404;
    },
    listBranches: async (repository) => {
      const place = `${placeOf(repository.repository)}/branches`;
      const found = allBranches
        ? ((await findPages(api, place)) ?? [])
        : recordsIn([(await ask(api, `${place}/${segments(repository.branch)}`)).value]);
      return found.map((branch) => ({
        ...repository,
        branch: textAt(branch, 'name'),
        sha: textAt(branch, 'commit', 'id'),
      }));
    },
  };
}

function toRepository(
  one: JsonObject,
  {
    owner,
    protocol,
    labels,
  }: { readonly owner: string; readonly protocol: string; readonly labels: readonly string[] },
): ScmRepository {
  return {
    organization: owner,
    repository: textAt(one, 'name'),
    repositoryId: new GoInt(INT, numberAt(one, 'id')),
    url: textAt(one, protocol === 'https' ? 'html_url' : 'ssh_url'),
    branch: textAt(one, 'default_branch'),
    sha: '',
    labels,
  };
}

export function giteaPullRequests(
  api: RestApi,
  options: { readonly owner: string; readonly repo: string; readonly labels: readonly string[] },
): PullRequestService {
  const { owner, repo, labels } = options;
  return {
    listPullRequests: async () => {
      const place = `repos/${segment(owner)}/${segment(repo)}/pulls`;
      const found = await findPages(api, place, { query: { state: 'open' }, allowed: [404] });
      return found && labelled(found, labels);
    },
  };
}
