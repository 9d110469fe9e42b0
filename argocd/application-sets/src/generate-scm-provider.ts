import type { ScmProviderGenerator } from '@capstan/argocd-api';
import { CapstanError } from '@capstan/lib-std';
import { appendValues } from './append-values.ts';
import { sanitizeName } from './names.ts';
import type { Outside, Surroundings } from './observation.ts';
import type { Parameters } from './parameters.ts';
import { azureApi, azureProvider } from './scm/azure-devops.ts';
import { bitbucketCloudApi, bitbucketCloudProvider } from './scm/bitbucket-cloud.ts';
import { bitbucketServerApi, bitbucketServerProvider } from './scm/bitbucket-server.ts';
import { codeCommitProvider } from './scm/code-commit.ts';
import { findRepositories } from './scm/filters.ts';
import { giteaApi, giteaProvider } from './scm/gitea.ts';
import { githubProvider } from './scm/github.ts';
import { gitlabApi, gitlabProvider } from './scm/gitlab.ts';
import { basicAuth } from './scm/rest.ts';
import {
  checkProvider,
  githubAccess,
  outsideOf,
  readAuthorization,
  readToken,
  readTrust,
} from './scm/scm-access.ts';
import type { ScmProvider, ScmRepository } from './scm/types.ts';
import type { TextRenderer } from './text-renderer.ts';
import { within, withinAsync } from './wrap-error.ts';

/** A set of parameters for each branch of each repository that a hoster lists (documentation: "SCM Provider Generator"). */
export async function generateScmProvider(
  generator: ScmProviderGenerator,
  options: { readonly surroundings: Surroundings; readonly renderer: TextRenderer },
): Promise<readonly Parameters[]> {
  const outside = outsideOf(options.surroundings);
  checkProvider(outside, customApi(generator));
  const provider = await withinAsync('scm provider', () => createProvider(generator, outside));
  const { filters = [], cloneProtocol = '', values } = generator;
  const found = await withinAsync('error listing repos', () =>
    findRepositories(provider, { filters, cloneProtocol }),
  );
  return found.map((one) =>
    within('failed to append templated values', () =>
      appendValues(toParameters(one), values, options.renderer),
    ),
  );
}

function toParameters(one: ScmRepository): Parameters {
  return {
    organization: one.organization,
    repository: one.repository,
    repository_id: one.repositoryId,
    url: one.url,
    branch: one.branch,
    sha: one.sha,
    short_sha: one.sha.slice(0, 8),
    short_sha_7: one.sha.slice(0, 7),
    labels: one.labels.join(','),
    branchNormalized: sanitizeName(one.branch),
  };
}

/** The address that the set itself names. */
function customApi(generator: ScmProviderGenerator): string {
  const { github, gitlab, gitea, bitbucketServer, azureDevOps } = generator;
  return (github ?? gitlab ?? gitea ?? bitbucketServer ?? azureDevOps)?.api ?? '';
}

async function createProvider(
  generator: ScmProviderGenerator,
  outside: Outside,
): Promise<ScmProvider> {
  const { github, gitlab, gitea, awsCodeCommit } = generator;
  if (github !== undefined) {
    const { organization, allBranches = false, excludeArchivedRepos = false } = github;
    const api = await githubAccess(outside, github, organization);
    return githubProvider(api, {
      organization,
      allBranches,
      excludeArchived: excludeArchivedRepos,
    });
  }
  if (gitlab !== undefined) {
    const trust = await readTrust(outside, gitlab);
    const token = await readToken(outside, gitlab.tokenRef, 'Gitlab');
    const api = gitlabApi({ http: outside.http, api: gitlab.api ?? '', token, ...trust });
    return gitlabProvider(api, {
      group: gitlab.group,
      allBranches: gitlab.allBranches ?? false,
      includeSubgroups: gitlab.includeSubgroups ?? false,
      includeShared: gitlab.includeSharedProjects ?? true,
      includeArchived: gitlab.includeArchivedRepos ?? false,
      topic: gitlab.topic ?? '',
    });
  }
  if (gitea !== undefined) {
    const token = await readToken(outside, gitea.tokenRef, 'Gitea');
    const { owner, allBranches = false, excludeArchivedRepos = false, insecure = false } = gitea;
    const api = giteaApi({ http: outside.http, api: gitea.api, token, insecure });
    return giteaProvider(api, { owner, allBranches, excludeArchived: excludeArchivedRepos });
  }
  if (awsCodeCommit !== undefined) {
    const { role = '', region = '', tagFilters = [], allBranches = false } = awsCodeCommit;
    const { http, aws } = outside;
    const access = { http, aws, role, region, nowMs: () => outside.now() };
    return codeCommitProvider(access, { tagFilters, allBranches });
  }
  return createOther(generator, outside);
}

async function createOther(
  { bitbucket, bitbucketServer, azureDevOps }: ScmProviderGenerator,
  outside: Outside,
): Promise<ScmProvider> {
  const { http } = outside;
  if (bitbucketServer !== undefined) {
    const trust = await readTrust(outside, bitbucketServer);
    const authorization = await readAuthorization(outside, bitbucketServer);
    const api = bitbucketServerApi({ http, api: bitbucketServer.api, authorization, ...trust });
    const { project, allBranches = false } = bitbucketServer;
    return bitbucketServerProvider(api, { project, allBranches });
  }
  if (azureDevOps !== undefined) {
    const { organization, teamProject, api = '', allBranches = false } = azureDevOps;
    const token = await readToken(outside, azureDevOps.accessTokenRef, 'Azure Devops access');
    if (token === '')
      throw new CapstanError('SPEC_INVALID', 'no access token provided', {
        hint: 'set azureDevOps.accessTokenRef',
      });
    const access = azureApi({ http, api, organization, token });
    return azureProvider(access, { organization, teamProject, allBranches });
  }
  if (bitbucket !== undefined) {
    const password = await readToken(outside, bitbucket.appPasswordRef, 'Bitbucket cloud');
    const authorization = basicAuth(bitbucket.user, password);
    const api = bitbucketCloudApi({ http, api: outside.bitbucketCloudApi ?? '', authorization });
    const { owner, allBranches = false } = bitbucket;
    return bitbucketCloudProvider(api, { owner, allBranches });
  }
  throw new CapstanError('SPEC_INVALID', 'no SCM provider implementation configured', {
    hint: 'give the generator one of github, gitlab, gitea, bitbucket, bitbucketServer, azureDevOps, awsCodeCommit',
  });
}
