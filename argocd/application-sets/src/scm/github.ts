/** GitHub and GitHub Enterprise by their REST API (docs.github.com/rest: repos, branches, contents, pulls). */
import { signAppToken } from '@capstan/engine-source/store';
import type { JsonObject } from '@capstan/kube-object';
import { GoInt, INT64 } from '@capstan/lib-gotemplate';
import { CapstanError } from '@capstan/lib-std';
import type { HttpPort } from './http-port.ts';
import {
  ask,
  askPages,
  listedIn,
  nextLink,
  numberAt,
  type RestApi,
  recordsIn,
  refusal,
  segment,
  segments,
  textAt,
  textsIn,
  unknownProtocol,
} from './rest.ts';
import type { PullRequest, PullRequestService, ScmProvider, ScmRepository } from './types.ts';

export interface GithubAccess {
  readonly http: HttpPort;
  /** Of an enterprise server; '' for github.com. */
  readonly api: string;
  readonly token: string;
}

export function githubApi({ http, api, token }: GithubAccess): RestApi {
  const authorization = token === '' ? {} : { authorization: `Bearer ${token}` };
  return {
    http,
    base: githubBase(api),
    headers: { accept: 'application/vnd.github+json', ...authorization },
  };
}

/** As go-github finds the API of an enterprise server: below `api/v3/`, unless the host says that it is an API. */
export function githubBase(api: string): string {
  if (api === '') return 'https://api.github.com/';
  const base = api.endsWith('/') ? api : `${api}/`;
  const { hostname, pathname } = parseUrl(base);
  const isApi = hostname.startsWith('api.') || hostname.includes('.api.');
  return isApi || pathname.endsWith('/api/v3/') ? base : `${base}api/v3/`;
}

function parseUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new CapstanError('SPEC_INVALID', `${JSON.stringify(text)} is not a URL`, {
      hint: 'correct api in the generator',
    });
  }
}

export interface GithubAppCredentials {
  readonly id: string;
  readonly installationId: string;
  readonly privateKey: string;
  readonly enterpriseBaseUrl: string;
}

/** A token of an app's installation: asked for with a JSON web token that the app's key signs. */
export async function githubAppToken(
  app: GithubAppCredentials,
  options: {
    readonly http: HttpPort;
    readonly api: string;
    readonly organization: string;
    readonly nowMs: number;
  },
): Promise<string> {
  const { http, nowMs, organization } = options;
  const api = githubApi({
    http,
    api: options.api || app.enterpriseBaseUrl,
    token: signAppToken({ appId: app.id, privateKey: app.privateKey }, nowMs),
  });
  const id = app.installationId || (await findInstallation(api, organization));
  const url = `${api.base}app/installations/${segment(id)}/access_tokens`;
  const answer = await http({ method: 'POST', url, headers: api.headers });
  if (answer.status >= 300) throw refusal('POST', url, answer);
  return textAt(JSON.parse(answer.text), 'token');
}

async function findInstallation(api: RestApi, organization: string): Promise<string> {
  const all = await pages(api, 'app/installations');
  const found = all.find(
    (one) => textAt(one, 'account', 'login').toLowerCase() === organization.toLowerCase(),
  );
  if (found !== undefined) return textAt(found, 'id');
  throw new CapstanError(
    'SCM_DENIED',
    `the GitHub app has no installation in ${JSON.stringify(organization)}`,
    { hint: 'install the app there, or set githubAppInstallationID' },
  );
}

async function pages(api: RestApi, path: string): Promise<readonly JsonObject[]> {
  return (await findPages(api, path, [])) ?? [];
}

/** All pages; undefined when the first one is answered with an allowed status. */
async function findPages(
  api: RestApi,
  path: string,
  allowed: readonly number[],
): Promise<readonly JsonObject[] | undefined> {
  let isMissing = false;
  const all = await askPages(path, async (at) => {
    const query = at === path ? { per_page: 100 } : {};
    const { status, value, headers } = await ask(api, String(at), { query, allowed });
    isMissing ||= status >= 400;
    return { items: isMissing ? [] : listedIn(value, at), next: nextLink(headers) };
  });
  return isMissing ? undefined : all;
}

export function githubProvider(
  api: RestApi,
  options: {
    readonly organization: string;
    readonly allBranches: boolean;
    readonly excludeArchived: boolean;
  },
): ScmProvider {
  const { organization, allBranches, excludeArchived } = options;
  return {
    listRepositories: async (protocol) => {
      if (!['', 'ssh', 'https'].includes(protocol)) throw unknownProtocol('GitHub', protocol);
      const found = await pages(api, `orgs/${segment(organization)}/repos`);
      return found
        .filter((one) => !excludeArchived || one['archived'] !== true)
        .map((one) => toRepository(one, protocol));
    },
    hasPath: async ({ organization: owner, repository, branch }, path) => {
      const place = `repos/${segment(owner)}/${segment(repository)}/contents/${segments(path.replace(/\/$/, ''))}`;
      const { status } = await ask(api, place, { query: { ref: branch }, allowed: [404] });
      return status !== 404;
    },
    listBranches: async (repository) => {
      const place = `repos/${segment(repository.organization)}/${segment(repository.repository)}/branches`;
      if (allBranches)
        return (await pages(api, place)).map((branch) => withBranch(repository, branch));
      const { status, value } = await ask(api, `${place}/${segments(repository.branch)}`, {
        allowed: [404],
      });
      // Without its default branch a repository is empty.
      return status === 404 ? [] : recordsIn([value]).map((one) => withBranch(repository, one));
    },
  };
}

function toRepository(one: JsonObject, protocol: string): ScmRepository {
  return {
    organization: textAt(one, 'owner', 'login'),
    repository: textAt(one, 'name'),
    repositoryId: new GoInt(INT64, numberAt(one, 'id')),
    url: textAt(one, protocol === 'https' ? 'clone_url' : 'ssh_url'),
    branch: textAt(one, 'default_branch'),
    sha: '',
    labels: textsIn(one['topics']),
  };
}

function withBranch(repository: ScmRepository, branch: JsonObject): ScmRepository {
  return { ...repository, branch: textAt(branch, 'name'), sha: textAt(branch, 'commit', 'sha') };
}

export function githubPullRequests(
  api: RestApi,
  options: { readonly owner: string; readonly repo: string; readonly labels: readonly string[] },
): PullRequestService {
  const { owner, repo, labels } = options;
  return {
    listPullRequests: async () => {
      const place = `repos/${segment(owner)}/${segment(repo)}/pulls`;
      const found = await findPages(api, place, [404]);
      return found && labelled(found, labels);
    },
  };
}

/** Those with all labels, from the pull requests of GitHub's API, whose form Gitea's has too. */
export function labelled(
  found: readonly JsonObject[],
  labels: readonly string[],
): readonly PullRequest[] {
  return found
    .map(toPullRequest)
    .filter((one) => labels.every((label) => one.labels.includes(label)));
}

function toPullRequest(one: JsonObject): PullRequest {
  return {
    number: numberAt(one, 'number'),
    title: textAt(one, 'title'),
    branch: textAt(one, 'head', 'ref'),
    targetBranch: textAt(one, 'base', 'ref'),
    headSha: textAt(one, 'head', 'sha'),
    labels: recordsIn(one['labels']).map((label) => textAt(label, 'name')),
    author: textAt(one, 'user', 'login'),
  };
}
