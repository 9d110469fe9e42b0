import assert from 'node:assert/strict';
import { createPublicKey, createVerify, generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import type { JsonObject } from '@capstan/kube-object';
import { createHttpPort } from './scm/http-port.ts';
import {
  ALL,
  github,
  outsideWorld,
  texts,
  tokenRef,
  withStandIn,
} from './testing/outside-world.ts';
import { type StandInAnswer, startStandIn } from './testing/stand-in.ts';

describe('scm provider generators', () => {
  test('GitHub: repositories over pages, with their default branches, by ssh', () =>
    withStandIn(github, async ({ url, asked }) => {
      const generator = { scmProvider: { github: { organization: 'org', api: url, tokenRef } } };
      assert.deepEqual(await texts({ generator, text: ALL }), [
        'org/api#3 git@git.example.com:org/api.git main aaaaaaaa go,team',
        'org/old#3 git@git.example.com:org/old.git main bbbbbbbb ',
        'org/web#3 git@git.example.com:org/web.git main cccccccc ',
      ]);
      assert.equal(asked[0]?.headers.authorization, 'Bearer scm.token');
    }));

  test('filters choose among repositories first, then among branches and paths', () =>
    withStandIn(github, async ({ url }) => {
      const scmProvider = {
        github: { organization: 'org', api: url, allBranches: true, excludeArchivedRepos: true },
        cloneProtocol: 'https',
        filters: [{ repositoryMatch: '^w' }, { branchMatch: 'x', pathsExist: ['deploy/app/'] }],
        values: { where: '{{ .repository }}-{{ .branchNormalized }}' },
      };
      const text = '{{.url}} {{.branch}} {{.values.where}}';
      assert.deepEqual(await texts({ generator: { scmProvider }, text }), [
        'https://git.example.com/org/web.git next web-next',
      ]);
    }));

  test('without Go templates parameters are texts, an id is none', () =>
    withStandIn(github, async ({ url }) => {
      const generator = {
        scmProvider: {
          github: { organization: 'org', api: url },
          filters: [{ labelMatch: '^team$' }],
        },
      };
      const text = '{{repository}} {{short_sha_7}} {{repository_id}}';
      assert.deepEqual(await texts({ generator, text, goTemplate: false }), [
        'api aaaaaaa {{repository_id}}',
      ]);
    }));

  test('a GitHub app asks for a token of its installation', async () => {
    const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const privateKey = keys.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
    await using standIn = await startStandIn(({ path, method }, url) =>
      path === '/api/v3/app/installations/42/access_tokens' && method === 'POST'
        ? { status: 201, json: { token: 'of-installation' } }
        : github(path, url),
    );
    const { url, asked } = standIn;
    const generator = {
      scmProvider: { github: { organization: 'org', api: url, appSecretName: 'app' } },
    };
    const outside = {
      githubApp: async () => ({
        id: '1',
        installationId: '42',
        privateKey,
        enterpriseBaseUrl: '',
      }),
    };
    assert.equal((await texts({ generator, text: '{{.repository}}', outside })).length, 3);
    const token = asked[0]?.headers.authorization?.slice('Bearer '.length) ?? '';
    const [head = '', body = '', signature = ''] = token.split('.');
    const verify = createVerify('RSA-SHA256').update(`${head}.${body}`);
    const isValid = verify.verify(createPublicKey(privateKey), Buffer.from(signature, 'base64url'));
    assert.ok(isValid);
    assert.equal(asked[1]?.headers.authorization, 'Bearer of-installation');
  });

  test('GitLab: projects of a group and its subgroups', () =>
    withStandIn(
      (path) =>
        ({
          '/api/v4/groups/org/team/projects?include_subgroups=true&per_page=100&topic=deploy&with_shared=true':
            {
              headers: { 'x-next-page': '2' },
              json: [
                {
                  id: 5,
                  path: 'api',
                  namespace: { full_path: 'org/team/sub' },
                  default_branch: 'main',
                  ssh_url_to_repo: 'git@gl:org/team/sub/api.git',
                  topics: ['deploy'],
                },
              ],
            },
          '/api/v4/groups/org/team/projects?include_subgroups=true&page=2&per_page=100&topic=deploy&with_shared=true':
            {
              headers: { 'x-next-page': '' },
              json: [
                {
                  id: 6,
                  path: 'empty',
                  namespace: { full_path: 'org/team' },
                  default_branch: 'main',
                },
              ],
            },
          '/api/v4/projects/5/repository/branches/main': {
            json: { name: 'main', commit: { id: 'e'.repeat(40) } },
          },
          '/api/v4/projects/5/repository/tree?path=deploy&ref=main': { json: [{}] },
        })[path],
      async ({ url, asked }) => {
        const generator = {
          scmProvider: {
            gitlab: {
              group: 'org/team',
              api: url,
              tokenRef,
              includeSubgroups: true,
              topic: 'deploy',
            },
            filters: [{ pathsExist: ['deploy'] }],
          },
        };
        assert.deepEqual(await texts({ generator, text: ALL }), [
          'org/team/sub/api#5 git@gl:org/team/sub/api.git main eeeeeeee deploy',
        ]);
        assert.equal(asked[0]?.headers['private-token'], 'scm.token');
      },
    ));

  test('Gitea: labels of each repository', () =>
    withStandIn(
      (path) =>
        ({
          '/api/v1/orgs/org/repos?limit=0&page=1': {
            json: [{ id: 9, name: 'api', default_branch: 'main', html_url: 'https://gt/org/api' }],
          },
          '/api/v1/repos/org/api/labels?limit=0&page=1': { json: [{ name: 'l1' }] },
          '/api/v1/repos/org/api/branches?limit=0&page=1': {
            json: [{ name: 'main', commit: { id: 'f'.repeat(40) } }],
          },
        })[path],
      async ({ url, asked }) => {
        const generator = {
          scmProvider: {
            gitea: { owner: 'org', api: `${url}/`, tokenRef, allBranches: true },
            cloneProtocol: 'https',
          },
        };
        assert.deepEqual(await texts({ generator, text: ALL }), [
          'org/api#9 https://gt/org/api main ffffffff l1',
        ]);
        assert.equal(asked[0]?.headers.authorization, 'token scm.token');
      },
    ));

  test('Bitbucket Cloud: pages by their links, paths by commit', () =>
    withStandIn(
      (path, url) =>
        ({
          '/2.0/repositories/org?pagelen=50&role=member': {
            json: { next: `${url}/2.0/repositories/org?page=2`, values: [] },
          },
          '/2.0/repositories/org?page=2': {
            json: {
              values: [
                {
                  slug: 'api',
                  uuid: '{1}',
                  mainbranch: { name: 'main' },
                  links: { clone: [{ name: 'ssh', href: 'git@bb:org/api.git' }] },
                },
              ],
            },
          },
          '/2.0/repositories/org/api/refs/branches/main': {
            json: { name: 'main', target: { hash: '1'.repeat(40) } },
          },
          [`/2.0/repositories/org/api/src/${'1'.repeat(40)}/a/b?format=meta`]: { json: {} },
        })[path],
      async ({ url, asked }) => {
        const generator = {
          scmProvider: {
            bitbucket: { owner: 'org', user: 'me', appPasswordRef: tokenRef },
            filters: [{ pathsExist: ['a/b'] }],
          },
        };
        const outside = { bitbucketCloudApi: `${url}/2.0` };
        assert.deepEqual(await texts({ generator, text: ALL, outside }), [
          'org/api#{1} git@bb:org/api.git main 11111111 ',
        ]);
        const sent = Buffer.from('me:scm.token').toString('base64');
        assert.equal(asked[0]?.headers.authorization, `Basic ${sent}`);
      },
    ));

  test('Bitbucket Server: a repository without a default branch is left out', () =>
    withStandIn(
      (path) =>
        ({
          '/rest/api/1.0/projects/P/repos?limit=100': {
            json: {
              isLastPage: false,
              nextPageStart: 100,
              values: [
                {
                  id: 1,
                  name: 'api',
                  project: { key: 'P' },
                  links: { clone: [{ name: 'http', href: 'https://bb/scm/p/api.git' }] },
                },
              ],
            },
          },
          '/rest/api/1.0/projects/P/repos?limit=100&start=100': {
            json: {
              isLastPage: true,
              values: [{ id: 2, name: 'empty', project: { key: 'P' }, links: { clone: [] } }],
            },
          },
          '/rest/api/1.0/projects/P/repos/api/branches/default': {
            json: { displayId: 'main', latestCommit: '2'.repeat(40) },
          },
          '/rest/api/1.0/projects/P/repos/empty/branches/default': { status: 204 },
        })[path],
      async ({ url, asked }) => {
        const generator = {
          scmProvider: {
            bitbucketServer: { project: 'P', api: url, bearerToken: { tokenRef } },
            cloneProtocol: 'https',
          },
        };
        assert.deepEqual(await texts({ generator, text: ALL }), [
          'P/api#1 https://bb/scm/p/api.git main 22222222 ',
        ]);
        assert.equal(asked[0]?.headers.authorization, 'Bearer scm.token');
      },
    ));

  test('Azure DevOps: an empty repository is left out, a missing one has no branches', () =>
    withStandIn(
      (path) =>
        ({
          '/org/proj/_apis/git/repositories?api-version=7.1': {
            json: {
              value: [
                {
                  id: 'u-1',
                  name: 'api',
                  defaultBranch: 'refs/heads/main',
                  remoteUrl: 'https://az/api',
                },
                { id: 'u-2', name: 'empty' },
                {
                  id: 'u-3',
                  name: 'gone',
                  defaultBranch: 'refs/heads/main',
                  remoteUrl: 'https://az/gone',
                },
              ],
            },
          },
          '/org/proj/_apis/git/repositories/api/stats/branches?api-version=7.1&name=main': {
            json: { name: 'main', commit: { commitId: '3'.repeat(40) } },
          },
          '/org/proj/_apis/git/repositories/gone/stats/branches?api-version=7.1&name=main': {
            status: 404,
            json: { typeKey: 'GitRepositoryNotFoundException', message: 'gone' },
          },
        })[path],
      async ({ url }) => {
        const azureDevOps = {
          organization: 'org',
          teamProject: 'proj',
          api: url,
          accessTokenRef: tokenRef,
        };
        assert.deepEqual(await texts({ generator: { scmProvider: { azureDevOps } }, text: ALL }), [
          'org/api#u-1 https://az/api main 33333333 ',
        ]);
      },
    ));

  test('AWS CodeCommit: repositories by tags, in another role, requests signed', async () => {
    await using standIn = await startStandIn(({ headers, body }) => {
      const target = String(headers['x-amz-target'] ?? '').split('.')[1] ?? '';
      if (body.includes('Action=AssumeRole')) {
        const Credentials = { AccessKeyId: 'ROLE', SecretAccessKey: 's', SessionToken: 'session' };
        return { json: { AssumeRoleResponse: { AssumeRoleResult: { Credentials } } } };
      }
      const answers: Readonly<Record<string, StandInAnswer>> = {
        GetResources: {
          json: {
            ResourceTagMappingList: [{ ResourceARN: 'arn:aws:codecommit:eu-west-1:12:api' }],
          },
        },
        GetRepository: {
          json: {
            repositoryMetadata: {
              accountId: '12',
              repositoryName: 'api',
              repositoryId: 'r-1',
              defaultBranch: 'main',
              cloneUrlHttp: 'https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/api',
            },
          },
        },
        ListBranches: { json: { branches: ['main', 'next'] } },
        GetFolder: body.includes('"next"')
          ? { json: { subFolders: [{ relativePath: 'app' }] } }
          : { status: 400, json: { __type: 'FolderDoesNotExistException' } },
      };
      return answers[target];
    });
    const generator = {
      scmProvider: {
        awsCodeCommit: {
          role: 'arn:aws:iam::12:role/reader',
          allBranches: true,
          tagFilters: [{ key: 'gitops', value: 'yes' }],
        },
        cloneProtocol: 'https-fips',
        filters: [{ pathsExist: ['deploy/app'] }],
      },
    };
    const aws = { ...outsideWorld().aws, endpoint: standIn.url };
    assert.deepEqual(await texts({ generator, text: ALL, outside: { aws } }), [
      '12/api#r-1 https://git-codecommit-fips.eu-west-1.amazonaws.com/v1/repos/api next  ',
    ]);
    const listed = standIn.asked[1];
    assert.match(
      listed?.headers.authorization ?? '',
      /^AWS4-HMAC-SHA256 Credential=ROLE\/20240506\/eu-west-1\/tagging\/aws4_request, SignedHeaders=.*x-amz-security-token;x-amz-target, Signature=[0-9a-f]{64}$/,
    );
  });

  test('an address that is not permitted is not asked', () =>
    withStandIn(github, async ({ url, asked }) => {
      const generator = { scmProvider: { github: { organization: 'org', api: url, tokenRef } } };
      const scm = { enabled: true, allowedProviders: ['https://github.example.com'] };
      const message = await texts({ generator, text: '', outside: { scm } });
      assert.match(
        String(message),
        /not allowed, must use one of the following: https:\/\/github\.example\.com/,
      );
      assert.deepEqual(asked, []);
      const off = { enabled: false, allowedProviders: [] };
      const refused = await texts({ generator, text: '', outside: { scm: off } });
      assert.match(String(refused), /scm providers are disabled/);
    }));

  test('a hoster that refuses is named, its body and the token are not', () =>
    withStandIn(
      () => ({ status: 401, json: { message: 'Bad credentials' } }),
      async ({ url }) => {
        const generator = { scmProvider: { github: { organization: 'org', api: url, tokenRef } } };
        const message = String(await texts({ generator, text: '' }));
        assert.match(
          message,
          /error listing repos: GET .*\/orgs\/org\/repos: 401 Bad credentials$/,
        );
        assert.doesNotMatch(message, /scm\.token/);
      },
    ));

  test('a regular expression costs what RE2 costs, or is refused', () =>
    withStandIn(github, async ({ url }) => {
      const filters = [{ repositoryMatch: '(a+)+(?=b)' }];
      const generator = { scmProvider: { github: { organization: 'org', api: url }, filters } };
      const message = await texts({ generator, text: '' });
      assert.match(String(message), /error compiling RepositoryMatch regexp/);
    }));
});

test('an answer that holds no list is an error, not an end of everything that was generated', () =>
  withStandIn(
    () => ({ json: { message: 'maintenance' } }),
    async ({ url }) => {
      for (const scmProvider of [
        { github: { organization: 'org', api: url } },
        { gitlab: { group: 'org', api: url } },
        { gitea: { owner: 'org', api: url } },
        { bitbucket: { owner: 'org', user: 'me', appPasswordRef: tokenRef } },
      ] as JsonObject[]) {
        const told = await texts({
          generator: { scmProvider },
          text: ALL,
          outside: { bitbucketCloudApi: `${url}/2.0` },
        });
        assert.match(String(told), /the answer holds no list/);
      }
    },
  ));

test('redirects are followed within one origin, and nowhere else', () =>
  withStandIn(
    (path, url) => {
      if (path.startsWith('/moved')) return { json: { moved: true } };
      const elsewhere = url.replace('127.0.0.1', 'localhost');
      const location = path === '/away' ? `${elsewhere}/moved` : '/moved';
      return { status: 301, headers: { location } };
    },
    async ({ url, asked }) => {
      const http = createHttpPort({ signal: new AbortController().signal });
      const get = (path: string) => http({ method: 'GET', url: `${url}${path}`, headers: {} });
      assert.equal((await get('/here')).text, '{"moved":true}');
      assert.equal((await get('/away')).status, 301);
      assert.deepEqual(
        asked.map(({ path }) => path),
        ['/here', '/moved', '/away'],
      );
    },
  ));
