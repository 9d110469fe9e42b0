import assert from 'node:assert/strict';
import { createPublicKey, createVerify, generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { generateApplications } from './generate-applications.ts';
import type { Outside } from './observation.ts';
import { createHttpPort } from './scm/http-port.ts';
import { applicationSetLanguage } from './template-functions.ts';
import { generate, makeSet, surroundingsOf, TEMPLATE } from './testing/generate.ts';
import { type StandIn, type StandInAnswer, startStandIn } from './testing/stand-in.ts';

const CLUSTERS = ['one', 'two'].map((name) => ({
  name,
  server: `https://${name}.example.com`,
  project: '',
  labels: {},
  annotations: {},
}));

interface Given {
  readonly generator: JsonObject;
  readonly text: string;
  readonly goTemplate?: boolean;
  readonly outside?: Partial<Outside>;
}

/** What a text in the template becomes for each set of parameters; the message when there are none. */
async function texts({
  generator,
  text,
  goTemplate = true,
  outside = {},
}: Given): Promise<readonly string[] | string> {
  const set = makeSet({
    generators: [generator] as Json,
    goTemplate,
    template: { ...TEMPLATE, metadata: { name: 'a', annotations: { text } } },
  });
  const found = await generateApplications(set, {
    surroundings: {
      ...surroundingsOf({ clusters: CLUSTERS }),
      outside: { ...outsideWorld(), ...outside },
    },
    language: applicationSetLanguage(),
    now: () => 0,
  });
  if (found.kind === 'failed') return found.error.message;
  return found.applications.map(({ metadata }) => metadata.annotations?.['text'] ?? '');
}

function outsideWorld(): Outside {
  const missing = async (): Promise<never> => {
    throw new Error('not given');
  };
  return {
    http: createHttpPort({ signal: new AbortController().signal }),
    scm: { enabled: true, allowedProviders: [] },
    aws: {
      region: 'eu-west-1',
      credentials: async () => ({ accessKeyId: 'AKID', secretAccessKey: 'secret' }),
    },
    now: () => Date.parse('2024-05-06T07:08:09Z'),
    secretValue: async ({ secretName, key }) => `${secretName}.${key}`,
    configMapValue: missing,
    controlConfigMap: missing,
    controlSecretValue: async ({ secretName, key }) => `${secretName}.${key}`,
    githubApp: missing,
    listResources: missing,
  };
}

const tokenRef = { secretName: 'scm', key: 'token' };
const ALL =
  '{{.organization}}/{{.repository}}#{{.repository_id}} {{.url}} {{.branch}} {{.short_sha}} {{.labels}}';

const repository = (name: string, extra: JsonObject = {}): JsonObject => ({
  id: name.length,
  name,
  owner: { login: 'org' },
  default_branch: 'main',
  ssh_url: `git@git.example.com:org/${name}.git`,
  clone_url: `https://git.example.com/org/${name}.git`,
  topics: [],
  ...extra,
});

/** GitHub: two pages of repositories; `old` is archived, `empty` has no branch. */
function github(path: string, url: string): StandInAnswer | undefined {
  const page2 = `${url}/api/v3/orgs/org/repos?per_page=100&page=2`;
  const answers: Readonly<Record<string, StandInAnswer>> = {
    '/api/v3/orgs/org/repos?per_page=100': {
      headers: { link: `<${page2}>; rel="next", <${page2}>; rel="last"` },
      json: [repository('api', { topics: ['go', 'team'] }), repository('old', { archived: true })],
    },
    '/api/v3/orgs/org/repos?per_page=100&page=2': {
      json: [repository('web'), repository('empty')],
    },
    '/api/v3/repos/org/api/branches/main': {
      json: { name: 'main', commit: { sha: 'a'.repeat(40) } },
    },
    '/api/v3/repos/org/old/branches/main': {
      json: { name: 'main', commit: { sha: 'b'.repeat(40) } },
    },
    '/api/v3/repos/org/web/branches/main': {
      json: { name: 'main', commit: { sha: 'c'.repeat(40) } },
    },
    '/api/v3/repos/org/web/branches?per_page=100': {
      json: [
        { name: 'main', commit: { sha: 'c'.repeat(40) } },
        { name: 'next', commit: { sha: 'd'.repeat(40) } },
      ],
    },
    '/api/v3/repos/org/web/contents/deploy/app?ref=next': { json: [] },
    '/api/v3/repos/org/api/pulls?per_page=100': {
      json: [
        pull(7, 'feature/Grün_1', ['preview']),
        pull(8, 'fix', []),
        pull(9, 'feature/other', ['preview', 'x']),
      ],
    },
  };
  return answers[path];
}

const pull = (number: number, branch: string, labels: readonly string[]): JsonObject => ({
  number,
  title: `Change ${number}`,
  head: { ref: branch, sha: String(number).repeat(40) },
  base: { ref: 'main' },
  user: { login: 'dev' },
  labels: labels.map((name) => ({ name })),
});

async function withStandIn<T>(
  answer: (path: string, url: string) => StandInAnswer | undefined,
  run: (standIn: StandIn) => Promise<T>,
): Promise<T> {
  await using standIn = await startStandIn(({ path }, url) => answer(path, url));
  return await run(standIn);
}

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

describe('pull request generators', () => {
  test('GitHub: open ones with all labels that fit a filter', () =>
    withStandIn(github, async ({ url }) => {
      const pullRequest = {
        github: { owner: 'org', repo: 'api', api: url, labels: ['preview'] },
        filters: [{ branchMatch: 'Gr', targetBranchMatch: '^main$', titleMatch: 'Change' }],
      };
      const text =
        '{{.number}} {{.title}} {{.branch}} {{.branch_slug}} {{.target_branch_slug}} {{.head_short_sha_7}} {{.author}} {{.labels}}';
      assert.deepEqual(await texts({ generator: { pullRequest }, text }), [
        '7 Change 7 feature/Grün_1 feature-grun-1 main 7777777 dev [preview]',
      ]);
    }));

  test('a missing repository is an error, unless the generator goes on', () =>
    withStandIn(github, async ({ url }) => {
      const github = { owner: 'org', repo: 'gone', api: url };
      const message = await texts({ generator: { pullRequest: { github } }, text: '' });
      assert.match(String(message), /the repository is not found/);
      const pullRequest = { github, continueOnRepoNotFoundError: true };
      assert.deepEqual(await texts({ generator: { pullRequest }, text: '' }), []);
    }));

  const services: readonly {
    readonly name: string;
    readonly generator: (url: string) => JsonObject;
    readonly path: string;
    readonly json: Json;
    readonly gives: string;
  }[] = [
    {
      name: 'GitLab',
      generator: (api) => ({
        gitlab: { api, project: 'org/api', labels: ['a', 'b'], pullRequestState: 'opened' },
      }),
      path: '/api/v4/projects/org/api/merge_requests?labels=a,b&per_page=100&state=opened',
      json: [
        {
          iid: 3,
          title: 't',
          source_branch: 'f',
          target_branch: 'main',
          sha: 'abc',
          labels: ['a', 'b'],
          author: { username: 'dev' },
        },
      ],
      gives: '3 f main abc dev',
    },
    {
      name: 'Gitea',
      generator: (api) => ({ gitea: { api, owner: 'org', repo: 'api' } }),
      path: '/api/v1/repos/org/api/pulls?limit=0&page=1&state=open',
      json: [pull(4, 'f', [])],
      gives: `4 f main ${'4'.repeat(40)} dev`,
    },
    {
      name: 'Bitbucket Cloud',
      generator: (api) => ({ bitbucket: { api: `${api}/2.0`, owner: 'org', repo: 'api' } }),
      path: '/2.0/repositories/org/api/pullrequests/',
      json: {
        values: [
          {
            id: 5,
            title: 't',
            source: { branch: { name: 'f' }, commit: { hash: 'abc' } },
            destination: { branch: { name: 'main' } },
            author: { nickname: 'dev' },
          },
        ],
      },
      gives: '5 f main abc dev',
    },
    {
      name: 'Bitbucket Server',
      generator: (api) => ({ bitbucketServer: { api: `${api}/rest`, project: 'P', repo: 'api' } }),
      path: '/rest/api/1.0/projects/P/repos/api/pull-requests?limit=100',
      json: {
        isLastPage: true,
        values: [
          {
            id: 6,
            title: 't',
            fromRef: { displayId: 'f', latestCommit: 'abc' },
            toRef: { displayId: 'main' },
            author: { user: { name: 'dev' } },
          },
        ],
      },
      gives: '6 f main abc dev',
    },
    {
      name: 'Azure DevOps',
      generator: (api) => ({
        azuredevops: { api, organization: 'org', project: 'proj', repo: 'api', labels: ['x'] },
      }),
      path: '/org/proj/_apis/git/pullrequests?api-version=7.1',
      json: {
        value: [
          {
            pullRequestId: 7,
            title: 't',
            repository: { name: 'api' },
            sourceRefName: 'refs/heads/f',
            targetRefName: 'refs/heads/main',
            lastMergeSourceCommit: { commitId: 'abc' },
            createdBy: { uniqueName: 'dev@example.com' },
            labels: [{ name: 'x' }],
          },
          { pullRequestId: 8, repository: { name: 'api' } },
        ],
      },
      gives: '7 f main abc dev',
    },
  ];
  for (const { name, generator, path, json, gives } of services) {
    test(name, () =>
      withStandIn(
        (asked) => (asked === path ? { json } : undefined),
        async ({ url }) => {
          const text = '{{.number}} {{.branch}} {{.target_branch}} {{.head_sha}} {{.author}}';
          const pullRequest = generator(url);
          assert.deepEqual(await texts({ generator: { pullRequest }, text }), [gives]);
        },
      ),
    );
  }
});

describe('cluster decision resource generators', () => {
  const decision: KubeObject = {
    apiVersion: 'apps.example.com/v1',
    kind: 'PlacementDecision',
    metadata: { name: 'p' },
    status: { decisions: [{ clusterName: 'two', weight: 3 }, { clusterName: 'gone' }, {}] },
  };
  const outside: Partial<Outside> = {
    controlConfigMap: async () => ({
      apiVersion: 'apps.example.com/v1',
      kind: 'placementdecisions',
      statusListKey: 'decisions',
      matchKey: 'clusterName',
    }),
    listResources: async () => [decision],
  };

  test('registered clusters that are decided for, with what the decision says', async () => {
    const clusterDecisionResource = { configMapRef: 'c', name: 'p', values: { env: '{{name}}' } };
    const generator = { clusterDecisionResource };
    const text = '{{.name}} {{.server}} {{.weight}} {{.values.env}}';
    assert.deepEqual(await texts({ generator, text, outside }), [
      'two https://two.example.com 3 {{name}}',
    ]);
    const plain = '{{name}} {{clusterName}} {{values.env}}';
    assert.deepEqual(await texts({ generator, text: plain, goTemplate: false, outside }), [
      'two two {{name}}',
    ]);
  });

  test('either a name or labels', async () => {
    const clusterDecisionResource = { configMapRef: 'c' };
    const message = await texts({ generator: { clusterDecisionResource }, text: '', outside });
    assert.match(String(message), /problem with the definition of the ClusterDecisionResource/);
  });
});

describe('plugin generators', () => {
  test('the service is asked with the input, by the token of its Secret', async () => {
    await using standIn = await startStandIn(({ path, body }) =>
      path === '/api/v1/getparams.execute' && body.includes('"applicationSetName":"set"')
        ? {
            json: {
              output: { parameters: [{ key: { deep: 'v', n: 1 } }, { key: { deep: 'w' } }] },
            },
          }
        : undefined,
    );
    const outside = {
      controlConfigMap: async () => ({ baseUrl: standIn.url, token: '$plugin:tok' }),
    };
    const plugin = {
      configMapRef: { name: 'p' },
      input: { parameters: { size: 2 } },
      values: { both: '{{ .key.deep }}-{{ .generator.input.parameters.size }}' },
    };
    const text = '{{.key.deep}} {{.values.both}}';
    assert.deepEqual(await texts({ generator: { plugin }, text, outside }), ['v v-2', 'w w-2']);
    const { values: _values, ...without } = plugin;
    const plain = '{{key.deep}} {{key.n}}';
    const given = { generator: { plugin: without }, text: plain, goTemplate: false, outside };
    assert.deepEqual(await texts(given), ['v 1', 'w {{key.n}}']);
    assert.equal(standIn.asked[0]?.headers.authorization, 'Bearer plugin.tok');
    assert.match(standIn.asked[0]?.body ?? '', /"input":\{"parameters":\{"size":2\}\}/);
  });

  test('a token that names no Secret is refused', async () => {
    const outside = {
      controlConfigMap: async () => ({ baseUrl: 'http://127.0.0.1:1', token: 'plain' }),
    };
    const message = await texts({
      generator: { plugin: { configMapRef: { name: 'p' } } },
      text: '',
      outside,
    });
    assert.match(String(message), /does not reference a secret key starting with '\$'/);
    assert.doesNotMatch(String(message), /plain/);
  });
});

test('without a cluster at hand, services are not asked', async () => {
  const set = makeSet({ generators: [{ plugin: { configMapRef: { name: 'p' } } }] });
  const found = await generate(set);
  assert.equal(found.kind === 'failed' && found.error.code, 'GENERATOR_UNSUPPORTED');
});
