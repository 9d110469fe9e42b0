/** Azure DevOps by its REST API 7.1 (`_apis/git`). */
import type { Json, JsonObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import type { HttpPort } from './http-port.ts';
import {
  type Answer,
  ask,
  basicAuth,
  listedIn,
  numberAt,
  type Query,
  type RestApi,
  recordsIn,
  segment,
  textAt,
  valueAt,
} from './rest.ts';
import type { PullRequest, PullRequestService, ScmProvider, ScmRepository } from './types.ts';

export interface AzureAccess {
  readonly http: HttpPort;
  readonly api: string;
  readonly organization: string;
  readonly token: string;
}

export function azureApi({ http, api, organization, token }: AzureAccess): RestApi {
  const root = api === '' ? 'https://dev.azure.com' : api;
  const base = `${root}${root.endsWith('/') ? '' : '/'}${segment(organization)}/`;
  // A personal access token is the password of nobody.
  return { http, base, headers: token === '' ? {} : { authorization: basicAuth('', token) } };
}

const VERSION = { 'api-version': '7.1' };

/** The answer, or the type of the error that it tells. */
async function askAzure(
  api: RestApi,
  path: string,
  query: Query = {},
): Promise<{ readonly answer: Answer; readonly refused: string }> {
  const answer = await ask(api, path, {
    query: { ...VERSION, ...query },
    allowed: [400, 404],
  });
  const refused = answer.status < 400 ? '' : textAt(answer.value, 'typeKey') || `${answer.status}`;
  return { answer, refused };
}

export function azureProvider(
  api: RestApi,
  options: {
    readonly organization: string;
    readonly teamProject: string;
    readonly allBranches: boolean;
  },
): ScmProvider {
  const { organization, teamProject, allBranches } = options;
  const place = `${segment(teamProject)}/_apis/git/repositories`;
  return {
    listRepositories: async () => {
      const { answer, refused } = await askAzure(api, place);
      if (refused !== '') throw failed(`repositories of project ${teamProject}`, answer);
      return valuesOf(answer.value).flatMap((one) => toRepository(one, organization));
    },
    hasPath: async ({ repositoryId, branch }, path) => {
      const query = { path, 'versionDescriptor.version': branch };
      const { answer, refused } = await askAzure(
        api,
        `${place}/${segment(String(repositoryId))}/items`,
        query,
      );
      if (refused === 'GitItemNotFoundException') return false;
      if (refused !== '') throw failed(`path ${path}`, answer);
      return true;
    },
    listBranches: async (repository) => {
      const name = repository.branch.replace('refs/heads/', '');
      const { answer, refused } = await askAzure(
        api,
        `${place}/${segment(repository.repository)}/stats/branches`,
        allBranches ? {} : { name },
      );
      if (refused === 'GitRepositoryNotFoundException') return [];
      if (refused !== '') throw failed(`branches of ${repository.repository}`, answer);
      const found = allBranches ? valuesOf(answer.value) : recordsIn([answer.value]);
      return found.map((branch) => ({
        ...repository,
        branch: textAt(branch, 'name'),
        sha: textAt(branch, 'commit', 'commitId'),
      }));
    },
  };
}

function failed(what: string, { status, value }: Answer): CapstanError {
  const message = `Azure DevOps, ${what}: ${status} ${textAt(value, 'message')}`.trim();
  return new CapstanError('SCM_REFUSED', message, {
    hint: 'see whether the names in the generator are right',
  });
}

function valuesOf(value: Json): readonly JsonObject[] {
  return listedIn(valueAt(value, 'value') ?? {}, 'Azure DevOps');
}

function toRepository(one: JsonObject, organization: string): readonly ScmRepository[] {
  const [repository, branch, url, repositoryId] = ['name', 'defaultBranch', 'remoteUrl', 'id'].map(
    (name) => textAt(one, name),
  );
  // A repository without a branch is empty.
  if (!repository || !branch || !url || !repositoryId) return [];
  return [{ organization, repository, repositoryId, url, branch, sha: '', labels: [] }];
}

export function azurePullRequests(
  api: RestApi,
  options: { readonly project: string; readonly repo: string; readonly labels: readonly string[] },
): PullRequestService {
  const { project, repo, labels } = options;
  return {
    listPullRequests: async () => {
      const { answer, refused } = await askAzure(api, `${segment(project)}/_apis/git/pullrequests`);
      if (refused !== '') {
        const told = textAt(answer.value, 'message');
        if (told.includes('The following project does not exist')) return undefined;
        throw failed(`pull requests of project ${project}`, answer);
      }
      return valuesOf(answer.value)
        .filter((one) => textAt(one, 'repository', 'name') === repo && isComplete(one))
        .map(toPullRequest)
        .filter((one) => labels.every((label) => one.labels.includes(label)));
    },
  };
}

function isComplete(one: JsonObject): boolean {
  return ['sourceRefName', 'targetRefName'].every((name) => textAt(one, name) !== '')
    ? textAt(one, 'lastMergeSourceCommit', 'commitId') !== ''
    : false;
}

function toPullRequest(one: JsonObject): PullRequest {
  return {
    number: numberAt(one, 'pullRequestId'),
    title: textAt(one, 'title'),
    branch: textAt(one, 'sourceRefName').replace('refs/heads/', ''),
    targetBranch: textAt(one, 'targetRefName').replace('refs/heads/', ''),
    headSha: textAt(one, 'lastMergeSourceCommit', 'commitId'),
    labels: recordsIn(one['labels']).map((label) => textAt(label, 'name')),
    author: textAt(one, 'createdBy', 'uniqueName').split('@')[0] ?? '',
  };
}
