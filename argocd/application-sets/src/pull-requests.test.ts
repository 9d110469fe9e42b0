import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Json, JsonObject } from '@capstan/kube-object';
import { github, pull, texts, withStandIn } from './testing/outside-world.ts';

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
