/** GitLab by its REST API (docs.gitlab.com/api: groups, branches, repository files, merge requests). */
import type { JsonObject } from '@capstan/kube-object';
import { GoInt, INT64 } from '@capstan/lib-gotemplate';
import type { HttpPort } from './http-port.ts';
import {
  ask,
  askPages,
  listedIn,
  numberAt,
  type Query,
  type RestApi,
  recordsIn,
  segment,
  textAt,
  textsIn,
  unknownProtocol,
} from './rest.ts';
import type { PullRequest, PullRequestService, ScmProvider, ScmRepository } from './types.ts';

export interface HosterAccess {
  readonly http: HttpPort;
  readonly api: string;
  readonly token: string;
  readonly insecure: boolean;
  readonly caCertificates?: string;
}

export function gitlabApi({ http, api, token, ...trust }: HosterAccess): RestApi {
  const given = api === '' ? 'https://gitlab.com/' : api.endsWith('/') ? api : `${api}/`;
  const base = given.endsWith('/api/v4/') ? given : `${given}api/v4/`;
  return { http, base, headers: token === '' ? {} : { 'private-token': token }, ...trust };
}

/** Pages by number, as the headers count them; undefined when the first one is missing. */
async function findPages(
  api: RestApi,
  path: string,
  options: { readonly query: Query; readonly allowed?: readonly number[] },
): Promise<readonly JsonObject[] | undefined> {
  let isMissing = false;
  const all = await askPages('', async (page) => {
    const query = { per_page: 100, ...(page === '' ? {} : { page }), ...options.query };
    const { status, value, headers } = await ask(api, path, {
      query,
      allowed: options.allowed ?? [],
    });
    isMissing ||= status >= 400;
    const next = headers.get('x-next-page') ?? '';
    const items = isMissing ? [] : listedIn(value, path);
    return { items, next: next === '' || next === '0' ? undefined : next };
  });
  return isMissing ? undefined : all;
}

export function gitlabProvider(
  api: RestApi,
  options: {
    readonly group: string;
    readonly allBranches: boolean;
    readonly includeSubgroups: boolean;
    readonly includeShared: boolean;
    readonly includeArchived: boolean;
    readonly topic: string;
  },
): ScmProvider {
  const { group, allBranches, topic } = options;
  return {
    listRepositories: async (protocol) => {
      if (!['', 'ssh', 'https'].includes(protocol)) throw unknownProtocol('Gitlab', protocol);
      const query = {
        include_subgroups: options.includeSubgroups,
        with_shared: options.includeShared,
        topic,
        archived: options.includeArchived ? true : undefined,
      };
      const found = await findPages(api, `groups/${dotless(group)}/projects`, { query });
      return (found ?? []).map((one) => toRepository(one, protocol));
    },
    hasPath: (repository, path) =>
      hasPath(api, placeOf(repository), { path, ref: repository.branch }),
    listBranches: async (repository) => {
      const place = `${placeOf(repository)}/branches`;
      if (allBranches) {
        const found = await findPages(api, place, { query: {}, allowed: [404] });
        return (found ?? []).map((branch) => withBranch(repository, branch));
      }
      const { status, value } = await ask(api, `${place}/${segment(repository.branch)}`, {
        allowed: [404],
      });
      return status === 404 ? [] : recordsIn([value]).map((one) => withBranch(repository, one));
    },
  };
}

function placeOf({ repositoryId }: ScmRepository): string {
  const id = repositoryId instanceof GoInt ? String(repositoryId.value) : '';
  return `projects/${segment(id)}/repository`;
}

/** A dot would let some servers take the end of a name for a format. */
function dotless(text: string): string {
  return segment(text).replaceAll('.', '%2E');
}

/** A file, or a folder that holds something. */
async function hasPath(
  api: RestApi,
  project: string,
  { path, ref }: { readonly path: string; readonly ref: string },
): Promise<boolean> {
  const file = await ask(api, `${project}/files/${dotless(path)}`, {
    query: { ref },
    allowed: [404],
  });
  if (file.status !== 404) return true;
  const folder = await ask(api, `${project}/tree`, { query: { path, ref }, allowed: [404] });
  return folder.status !== 404;
}

function toRepository(one: JsonObject, protocol: string): ScmRepository {
  const topics = textsIn(one['topics']);
  return {
    organization: textAt(one, 'namespace', 'full_path'),
    repository: textAt(one, 'path'),
    repositoryId: new GoInt(INT64, numberAt(one, 'id')),
    url: textAt(one, protocol === 'https' ? 'http_url_to_repo' : 'ssh_url_to_repo'),
    branch: textAt(one, 'default_branch'),
    sha: '',
    // Before 14.5 topics were called tags.
    labels: topics.length > 0 ? topics : textsIn(one['tag_list']),
  };
}

function withBranch(repository: ScmRepository, branch: JsonObject): ScmRepository {
  return { ...repository, branch: textAt(branch, 'name'), sha: textAt(branch, 'commit', 'id') };
}

export function gitlabMergeRequests(
  api: RestApi,
  options: { readonly project: string; readonly labels: readonly string[]; readonly state: string },
): PullRequestService {
  const { project, labels, state } = options;
  return {
    listPullRequests: async () => {
      const query = {
        labels: labels.length === 0 ? undefined : labels.join(','),
        state: state === '' ? undefined : state,
      };
      const found = await findPages(api, `projects/${dotless(project)}/merge_requests`, {
        query,
        allowed: [404],
      });
      return found?.map(toPullRequest);
    },
  };
}

function toPullRequest(one: JsonObject): PullRequest {
  return {
    number: numberAt(one, 'iid'),
    title: textAt(one, 'title'),
    branch: textAt(one, 'source_branch'),
    targetBranch: textAt(one, 'target_branch'),
    headSha: textAt(one, 'sha'),
    labels: textsIn(one['labels']),
    author: textAt(one, 'author', 'username'),
  };
}
