/** One repository with one branch and one pull request, as every hoster would tell of it. */
import type { Json, JsonObject } from '@capstan/kube-object';
import type { HttpPort } from '../scm/http-port.ts';

const REF = { secretName: 'scm', key: 'token' };
const SERVER = { api: 'https://server.example.com', project: 'P' };

/** A generator of each hoster with what it needs. */
export const HOSTED: { readonly [kind: string]: { readonly [hoster: string]: JsonObject } } = {
  scmProvider: {
    github: { organization: 'org' },
    gitlab: { group: 'org' },
    gitea: { owner: 'org', api: 'https://gitea.example.com' },
    bitbucket: { owner: 'org', user: 'me', appPasswordRef: REF },
    bitbucketServer: SERVER,
    azureDevOps: { organization: 'org', teamProject: 'team', accessTokenRef: REF },
    awsCodeCommit: {},
  },
  pullRequest: {
    github: { owner: 'org', repo: 'api' },
    gitlab: { project: 'org/api' },
    gitea: { owner: 'org', repo: 'api', api: 'https://gitea.example.com' },
    bitbucket: { owner: 'org', repo: 'api' },
    bitbucketServer: { ...SERVER, repo: 'api' },
    azuredevops: { organization: 'org', project: 'team', repo: 'api' },
  },
};

const SHA = 'a'.repeat(40);
const CLONES = ['ssh', 'http', 'https'].map((name) => ({ name, href: `${name}://clone` }));

const RECORD: JsonObject = {
  id: 1,
  iid: 1,
  number: 1,
  pullRequestId: 1,
  uuid: '{1}',
  name: 'api',
  slug: 'api',
  path: 'api',
  title: 'Change',
  archived: true,
  topics: ['team'],
  owner: { login: 'org' },
  namespace: { full_path: 'org' },
  project: { key: 'P' },
  default_branch: 'main',
  defaultBranch: 'refs/heads/main',
  mainbranch: { name: 'main' },
  displayId: 'main',
  latestCommit: SHA,
  commit: { sha: SHA, id: SHA, commitId: SHA },
  target: { hash: SHA },
  sha: SHA,
  ssh_url: 'ssh://clone',
  clone_url: 'https://clone',
  html_url: 'https://clone',
  remoteUrl: 'https://clone',
  ssh_url_to_repo: 'ssh://clone',
  http_url_to_repo: 'https://clone',
  links: { clone: CLONES },
  head: { ref: 'change', sha: SHA },
  base: { ref: 'main' },
  user: { login: 'dev' },
  author: { username: 'dev', nickname: 'dev', user: { name: 'dev' } },
  source_branch: 'change',
  target_branch: 'main',
  source: { branch: { name: 'change' }, commit: { hash: SHA } },
  destination: { branch: { name: 'main' } },
  fromRef: { displayId: 'change', latestCommit: SHA },
  toRef: { displayId: 'main' },
  repository: { name: 'api' },
  sourceRefName: 'refs/heads/change',
  targetRefName: 'refs/heads/main',
  lastMergeSourceCommit: { commitId: SHA },
  createdBy: { uniqueName: 'dev@example.com' },
  labels: [{ name: 'team' }],
};

const AWS: JsonObject = {
  repositories: [{ repositoryName: 'api' }],
  ResourceTagMappingList: [{ ResourceARN: 'arn:aws:codecommit:eu-west-1:1:api' }],
  repositoryMetadata: {
    accountId: '1',
    repositoryName: 'api',
    repositoryId: 'id',
    defaultBranch: 'main',
    cloneUrlSsh: 'ssh://clone',
    cloneUrlHttp: 'https://clone',
  },
  branches: ['main', 'next'],
};

/** Answers for all hosters, and notes what was asked; where a role is to be assumed, there is none. */
export function standInHttp(asked: string[]): HttpPort {
  return async ({ method, url, headers, body, insecure, caCertificates }) => {
    const proof = headers['authorization'] ?? headers['private-token'] ?? '';
    const signed = proof.startsWith('AWS4') ? 'signed' : proof;
    asked.push([method, url, signed, body, insecure, caCertificates].map(String).join(' '));
    if (url.includes('/missing/')) return { status: 404, headers: new Map(), text: '' };
    if (url.includes('sts.')) return { status: 403, headers: new Map(), text: '{}' };
    return { status: 200, headers: new Map(), text: JSON.stringify(answerTo(url)) };
  };
}

/** What a hoster, or a plugin, answers to a request for this address. */
export function answerTo(url: string): Json {
  if (url.includes('amazonaws')) return AWS;
  if (url.includes('/getparams.execute')) return { output: { parameters: [{ name: 'p' }] } };
  const { pathname } = new URL(url);
  const isList =
    /\/(?:repos|projects|pulls|merge_requests|labels|branches|pull-requests|pullrequests\/?)$/.test(
      pathname,
    ) || /^\/2\.0\/repositories\/[^/]+$/.test(pathname);
  if (/_apis/.test(pathname)) return { ...RECORD, value: [RECORD] };
  if (!isList) return RECORD;
  const wraps = pathname.startsWith('/2.0/') || pathname.startsWith('/rest/');
  return wraps ? { values: [RECORD], isLastPage: true } : [RECORD];
}
