import type { PullRequestGenerator } from '@capstan/argocd-api';
import { strings } from '@capstan/lib-gotemplate';
import { CapstanError } from '@capstan/lib-std';
import { appendValues } from './append-values.ts';
import type { Outside, Surroundings } from './observation.ts';
import type { Parameters } from './parameters.ts';
import { azureApi, azurePullRequests } from './scm/azure-devops.ts';
import { bitbucketCloudApi, bitbucketCloudPullRequests } from './scm/bitbucket-cloud.ts';
import { bitbucketServerApi, bitbucketServerPullRequests } from './scm/bitbucket-server.ts';
import { findPullRequests } from './scm/filters.ts';
import { giteaApi, giteaPullRequests } from './scm/gitea.ts';
import { githubPullRequests } from './scm/github.ts';
import { gitlabApi, gitlabMergeRequests } from './scm/gitlab.ts';
import {
  checkProvider,
  githubAccess,
  outsideOf,
  readAuthorization,
  readToken,
  readTrust,
} from './scm/scm-access.ts';
import type { PullRequest, PullRequestService } from './scm/types.ts';
import { slugOf } from './slug.ts';
import type { TextRenderer } from './text-renderer.ts';
import { within, withinAsync } from './wrap-error.ts';

/** A set of parameters for each open pull request of a repository (documentation: "Pull Request Generator"). */
export async function generatePullRequests(
  generator: PullRequestGenerator,
  options: { readonly surroundings: Surroundings; readonly renderer: TextRenderer },
): Promise<readonly Parameters[]> {
  const outside = outsideOf(options.surroundings);
  const service = await withinAsync('failed to select pull request service provider', () => {
    checkProvider(outside, customApi(generator));
    return createService(generator, outside);
  });
  const found = await withinAsync('error listing repos', () =>
    findPullRequests(service, generator.filters ?? []),
  );
  if (found === undefined && generator.continueOnRepoNotFoundError !== true) {
    throw new CapstanError('SCM_REFUSED', 'error listing repos: the repository is not found', {
      hint: 'correct the names in the generator, or set continueOnRepoNotFoundError',
    });
  }
  return (found ?? []).map((one) =>
    within('failed to append templated values', () =>
      appendValues(toParameters(one, options.renderer), generator.values, options.renderer),
    ),
  );
}

function toParameters(one: PullRequest, { isGoTemplate }: TextRenderer): Parameters {
  return {
    number: String(one.number),
    title: one.title,
    branch: one.branch,
    branch_slug: slugOf(one.branch),
    target_branch: one.targetBranch,
    target_branch_slug: slugOf(one.targetBranch),
    head_sha: one.headSha,
    head_short_sha: one.headSha.slice(0, 8),
    head_short_sha_7: one.headSha.slice(0, 7),
    author: one.author,
    ...(isGoTemplate ? { labels: strings([...one.labels]) } : {}),
  };
}

function customApi(generator: PullRequestGenerator): string {
  const { github, gitlab, gitea, bitbucket, bitbucketServer, azuredevops } = generator;
  return (github ?? gitlab ?? gitea ?? bitbucket ?? bitbucketServer ?? azuredevops)?.api ?? '';
}

async function createService(
  generator: PullRequestGenerator,
  outside: Outside,
): Promise<PullRequestService> {
  const { github, gitlab, gitea } = generator;
  const { http } = outside;
  if (github !== undefined) {
    const { owner, repo, labels = [] } = github;
    return githubPullRequests(await githubAccess(outside, github, owner), { owner, repo, labels });
  }
  if (gitlab !== undefined) {
    const { project, labels = [], pullRequestState: state = '' } = gitlab;
    const trust = await readTrust(outside, gitlab);
    const token = await readToken(outside, gitlab.tokenRef, 'Secret');
    const api = gitlabApi({ http, api: gitlab.api ?? '', token, ...trust });
    return gitlabMergeRequests(api, { project, labels, state });
  }
  if (gitea !== undefined) {
    const { owner, repo, labels = [], insecure = false } = gitea;
    const token = await readToken(outside, gitea.tokenRef, 'Secret');
    const api = giteaApi({ http, api: gitea.api, token, insecure });
    return giteaPullRequests(api, { owner, repo, labels });
  }
  return createOther(generator, outside);
}

async function createOther(
  { bitbucket, bitbucketServer, azuredevops }: PullRequestGenerator,
  outside: Outside,
): Promise<PullRequestService> {
  const { http } = outside;
  if (bitbucketServer !== undefined) {
    const { project, repo } = bitbucketServer;
    const trust = await readTrust(outside, bitbucketServer);
    const authorization = await readAuthorization(outside, bitbucketServer);
    const api = bitbucketServerApi({ http, api: bitbucketServer.api, authorization, ...trust });
    return bitbucketServerPullRequests(api, { project, repo });
  }
  if (bitbucket !== undefined) {
    const { owner, repo } = bitbucket;
    const authorization = await readAuthorization(outside, bitbucket);
    const base = bitbucket.api || (outside.bitbucketCloudApi ?? '');
    const api = bitbucketCloudApi({ http, api: base, authorization });
    return bitbucketCloudPullRequests(api, { owner, repo });
  }
  if (azuredevops !== undefined) {
    const { organization, project, repo, labels = [], api = '' } = azuredevops;
    const token = await readToken(outside, azuredevops.tokenRef, 'Secret');
    return azurePullRequests(azureApi({ http, api, organization, token }), {
      project,
      repo,
      labels,
    });
  }
  throw new CapstanError('SPEC_INVALID', 'no Pull Request provider implementation configured', {
    hint: 'give the generator one of github, gitlab, gitea, bitbucket, bitbucketServer, azuredevops',
  });
}
