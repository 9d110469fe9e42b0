import assert from 'node:assert/strict';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { listAt, textAt, valueAt } from '../views/fields.ts';
import { type Scenario, untilSynced } from './application-scenarios.ts';
import { APPLICATION, configMap, until, type World } from './world.ts';

const CONFIG = { apiVersion: 'v1', kind: 'ConfigMap' } as const;
const SET = { group: 'argoproj.io', kind: 'ApplicationSet', namespace: 'argocd' } as const;

/** From a push to the Application made or gone; its resources take a sync or a deletion of their own. */
const PUSH_MS = 3_000;
const PATIENCE_MS = 20_000;
const DELETION_MS = 60_000;

export function applicationSet(
  name: string,
  spec: JsonObject,
  annotations: { readonly [key: string]: string } = {},
): KubeObject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name, namespace: 'argocd', annotations },
    spec,
  };
}

function template(name: string, url: string, path: string): JsonObject {
  return {
    metadata: { name },
    spec: {
      project: 'default',
      source: { repoURL: url, path, targetRevision: 'main' },
      destination: { server: 'https://kubernetes.default.svc', namespace: name },
      syncPolicy: {
        automated: { prune: true, selfHeal: true },
        syncOptions: ['CreateNamespace=true'],
      },
    },
  };
}

async function condition(world: World, name: string, type: string): Promise<KubeObject['spec']> {
  const set = await world.get({ ...SET, name });
  return listAt(set, 'status', 'conditions').find((one) => textAt(one, 'type') === type);
}

export const APPLICATION_SET_SCENARIOS: readonly Scenario[] = [
  {
    name: 'a list of elements becomes Applications that sync, and the set says so',
    run: async (world) => {
      const repository = await world.repository('set-list');
      const commit = await repository.push({
        'dev/a.yaml': configMap('a', 'dev'),
        'prod/a.yaml': configMap('a', 'prod'),
      });
      await world.apply(
        applicationSet('set-list', {
          generators: [{ list: { elements: [{ env: 'dev' }, { env: 'prod' }] } }],
          template: template('list-{{env}}', repository.url, '{{env}}'),
        }),
      );
      await untilSynced(world, 'list-dev', commit);
      await untilSynced(world, 'list-prod', commit);
      const { value } = await until('the status of the set', PATIENCE_MS, async () => {
        const set = await world.get({ ...SET, name: 'set-list' });
        return valueAt(set, 'status', 'resourcesCount') === 2 && set;
      });
      assert.equal(textAt(value, 'status', 'health', 'status'), 'Healthy');
      assert.equal(
        textAt(await condition(world, 'set-list', 'ResourcesUpToDate'), 'reason'),
        'ApplicationSetUpToDate',
      );
      return undefined;
    },
  },
  {
    name: 'a folder that is pushed becomes an Application, one that is removed takes its resources along',
    run: async (world) => {
      const repository = await world.repository('set-git');
      const first = await repository.push({ 'apps/one/a.yaml': configMap('a', 'one') });
      await world.apply(
        applicationSet('set-git', {
          goTemplate: true,
          goTemplateOptions: ['missingkey=error'],
          generators: [
            {
              git: {
                repoURL: repository.url,
                revision: 'main',
                directories: [{ path: 'apps/*' }, { path: 'apps/hidden', exclude: true }],
              },
            },
          ],
          template: template('git-{{.path.basename}}', repository.url, '{{.path.path}}'),
        }),
      );
      await untilSynced(world, 'git-one', first);
      const second = await repository.push({
        'apps/two/a.yaml': configMap('a', 'two'),
        'apps/hidden/a.yaml': configMap('a', 'hidden'),
      });
      const created = await until(
        'the Application of the new folder',
        PUSH_MS,
        async () => (await world.get({ ...APPLICATION, name: 'git-two' })) !== undefined,
      );
      await untilSynced(world, 'git-two', second);
      assert.equal(await world.get({ ...APPLICATION, name: 'git-hidden' }), undefined);
      await repository.push({ 'apps/one/a.yaml': null });
      const deleted = await until('the deletion', PUSH_MS, async () => {
        const app = await world.get({ ...APPLICATION, name: 'git-one' });
        return app === undefined || app.metadata.deletionTimestamp !== undefined;
      });
      await until(
        'the resources of the removed folder',
        DELETION_MS,
        async () =>
          (await world.get({ ...APPLICATION, name: 'git-one' })) === undefined &&
          (await world.get({ ...CONFIG, namespace: 'git-one', name: 'a' })) === undefined,
      );
      return { createdMs: created.tookMs, deletedMs: deleted.tookMs };
    },
  },
  {
    name: 'a change that would delete more Applications than the budget allows does nothing and says so',
    run: async (world) => {
      const { url } = await world.repository('set-list');
      const elements = (...names: readonly string[]) => [
        { list: { elements: names.map((env) => ({ env })) } },
      ];
      const set = (names: readonly string[], budget: string) =>
        applicationSet(
          'set-budget',
          { generators: elements(...names), template: template('budget-{{env}}', url, 'dev') },
          { 'capstan.dev/deletion-budget': budget },
        );
      await world.apply(set(['a', 'b', 'c', 'd'], '25%'));
      const count = async () => {
        const found = await world.get({ ...SET, name: 'set-budget' });
        return valueAt(found, 'status', 'resourcesCount');
      };
      await until('four Applications', PATIENCE_MS, async () => (await count()) === 4);
      await world.apply(set(['a', 'b', 'x'], '25%'));
      const { value } = await until('the refusal', PATIENCE_MS, async () => {
        const found = await condition(world, 'set-budget', 'ErrorOccurred');
        return textAt(found, 'reason') === 'DeletionBudgetExceeded' && textAt(found, 'message');
      });
      assert.match(value, /2 of 4 applications would be deleted \(budget-c, budget-d\)/);
      for (const name of ['budget-c', 'budget-d']) {
        const app = await world.get({ ...APPLICATION, name });
        assert.equal(app?.metadata.deletionTimestamp, undefined);
      }
      assert.equal(await world.get({ ...APPLICATION, name: 'budget-x' }), undefined);
      await world.apply(set(['a', 'b', 'x'], '50%'));
      await until('the change, once it is allowed', DELETION_MS, async () => (await count()) === 3);
      assert.notEqual(await world.get({ ...APPLICATION, name: 'budget-x' }), undefined);
      return undefined;
    },
  },
  {
    name: 'a set that is deleted takes its Applications and their resources along, unless it may only create',
    run: async (world) => {
      const repository = await world.repository('set-gone');
      const commit = await repository.push({ 'dev/a.yaml': configMap('a', 'dev') });
      const make = (name: string, syncPolicy: JsonObject): KubeObject => {
        const set = applicationSet(name, {
          generators: [{ list: { elements: [{ env: name }] } }],
          template: template('{{env}}-app', repository.url, 'dev'),
          syncPolicy,
        });
        const finalizers = ['resources-finalizer.argocd.argoproj.io'];
        return { ...set, metadata: { ...set.metadata, finalizers } };
      };
      await world.apply(make('cascade', {}));
      await world.apply(make('keep', { applicationsSync: 'create-only' }));
      await untilSynced(world, 'cascade-app', commit);
      await untilSynced(world, 'keep-app', commit);
      for (const name of ['cascade', 'keep']) await world.client.delete({ ...SET, name });
      await until(
        'the resources',
        DELETION_MS,
        async () =>
          (await world.get({ ...CONFIG, namespace: 'cascade-app', name: 'a' })) === undefined &&
          (await world.get({ ...APPLICATION, name: 'cascade-app' })) === undefined,
      );
      await until(
        'the set that keeps',
        PATIENCE_MS,
        async () => (await world.get({ ...SET, name: 'keep' })) === undefined,
      );
      const kept = await world.get({ ...APPLICATION, name: 'keep-app' });
      assert.deepEqual(kept?.metadata.ownerReferences ?? [], []);
      assert.equal(kept?.metadata.deletionTimestamp, undefined);
      return undefined;
    },
  },
  {
    name: 'sets and applications of further namespaces are served as soon as the settings say so',
    run: async (world) => {
      const repository = await world.repository('set-away');
      await repository.push({ 'dev/a.yaml': configMap('a', 'dev') });
      const metadata = { name: 'argocd-cmd-params-cm', namespace: 'argocd' };
      const parameters = (data: JsonObject) =>
        world.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
      await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team-a' } });
      await world.apply({
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'AppProject',
        metadata: { name: 'team-a', namespace: 'argocd' },
        spec: {
          sourceRepos: ['*'],
          destinations: [{ server: '*', namespace: '*' }],
          clusterResourceWhitelist: [{ group: '*', kind: '*' }],
          sourceNamespaces: ['team-*'],
        },
      });
      const made = template('away-{{env}}', repository.url, '{{env}}');
      const spec = made['spec'] as JsonObject;
      const dev = { repoURL: repository.url, path: 'dev', targetRevision: 'main' };
      const set = applicationSet('set-away', {
        generators: [{ list: { elements: [{ env: 'dev' }] } }],
        template: { ...made, spec: { ...spec, project: 'team-a' } },
      });
      await world.apply({ ...set, metadata: { ...set.metadata, namespace: 'team-a' } });
      const read = () => world.get({ ...APPLICATION, namespace: 'team-a', name: 'away-dev' });
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      assert.equal(await read(), undefined, 'it is not served yet');
      try {
        await parameters({
          'application.namespaces': 'team-*',
          'applicationsetcontroller.namespaces': 'team-*',
        });
        await until('the Application is synced', PATIENCE_MS, async () => {
          return textAt(await read(), 'status', 'sync', 'status') === 'Synced';
        });
        // Row 43: a set of a team cannot reach into a project that does not let it in.
        const greedy = applicationSet('set-greedy', {
          generators: [{ list: { elements: [{ project: 'default' }] } }],
          template: {
            metadata: { name: 'greedy' },
            spec: { ...spec, project: '{{project}}', source: { ...dev } },
          },
        });
        await world.apply({ ...greedy, metadata: { ...greedy.metadata, namespace: 'team-a' } });
        await until('the project of others is refused', PATIENCE_MS, async () => {
          const app = await world.get({ ...APPLICATION, namespace: 'team-a', name: 'greedy' });
          return listAt(app, 'status', 'conditions').some((one) =>
            /namespace 'team-a' is not allowed to use project default/.test(textAt(one, 'message')),
          );
        });
        await world.client.delete({ ...SET, namespace: 'team-a', name: 'set-greedy' });
        await world.client.delete({ ...SET, namespace: 'team-a', name: 'set-away' });
        await until('the Application is gone', DELETION_MS, async () => {
          return (await read()) === undefined;
        });
      } finally {
        await parameters({ 'application.namespaces': '' });
      }
      return undefined;
    },
  },
  {
    name: 'a dry run tells what a set would do, and does nothing until it ends',
    run: async (world) => {
      const repository = await world.repository('set-list');
      const spec = {
        generators: [{ list: { elements: [{ env: 'dev' }] } }],
        template: template('dry-{{env}}', repository.url, '{{env}}'),
      };
      await world.apply(applicationSet('set-dry', spec, { 'capstan.dev/dry-run': 'true' }));
      const read = () => condition(world, 'set-dry', 'ResourcesUpToDate');
      const { value } = await until('the condition', PATIENCE_MS, async () => {
        const found = await read();
        return textAt(found, 'reason') === 'DryRun' && found;
      });
      assert.equal(textAt(value, 'status'), 'False');
      assert.match(textAt(value, 'message'), /1 to create \(dry-dev\), 0 to change, 0 to delete/);
      assert.equal(await world.get({ ...APPLICATION, name: 'dry-dev' }), undefined);
      await world.apply(applicationSet('set-dry', spec, { 'capstan.dev/dry-run': 'false' }));
      await until(
        'the Application',
        PATIENCE_MS,
        async () => (await world.get({ ...APPLICATION, name: 'dry-dev' })) !== undefined,
      );
      return undefined;
    },
  },
  {
    name: 'a mistake in a set is one condition, and nothing is deleted for it',
    run: async (world) => {
      const repository = await world.repository('set-list');
      const make = (text: string) =>
        applicationSet('set-mistake', {
          goTemplate: true,
          goTemplateOptions: ['missingkey=error'],
          generators: [{ list: { elements: [{ env: 'dev' }] } }],
          template: template(text, repository.url, 'dev'),
        });
      await world.apply(make('mistake-{{.env}}'));
      await until(
        'the Application',
        PATIENCE_MS,
        async () => (await world.get({ ...APPLICATION, name: 'mistake-dev' })) !== undefined,
      );
      await world.apply(make('mistake-{{.environment}}'));
      const { value } = await until('the condition', PATIENCE_MS, async () => {
        const found = await condition(world, 'set-mistake', 'ErrorOccurred');
        return textAt(found, 'status') === 'True' && textAt(found, 'message');
      });
      assert.match(value, /map has no entry for key "environment"/);
      const app = await world.get({ ...APPLICATION, name: 'mistake-dev' });
      assert.equal(app?.metadata.deletionTimestamp, undefined);
      return undefined;
    },
  },
];
