import assert from 'node:assert/strict';
import type { PlanView } from '@capstan/apps-contract';
import { textAt } from '../views/fields.ts';
import { findCondition } from '../views/kustomization-summary.ts';
import { type Scenario, untilSynced } from './application-scenarios.ts';
import { APPLICATION, application, configMap, deployment, until, type World } from './world.ts';

const PATIENCE_MS = 20_000;
const MANUAL = { syncOptions: ['CreateNamespace=true'] };
const PREEMPTED_MS = 9_000;

function annotated(manifest: string, annotations: Readonly<Record<string, string>>): string {
  const lines = Object.entries(annotations).map(([name, value]) => `    ${name}: "${value}"\n`);
  return manifest.replace(/^( {2}name: .*\n)/m, `$1  annotations:\n${lines.join('')}`);
}

function job(name: string, phase: string): string {
  const manifest = `apiVersion: batch/v1
kind: Job
metadata:
  name: ${name}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: busybox:1
`;
  return annotated(manifest, { 'argocd.argoproj.io/hook': phase });
}

/** When the server made an object: its first version. */
async function madeAt(world: World, namespace: string, kind: string, name: string) {
  const apiVersion = kind === 'Job' ? 'batch/v1' : kind === 'Deployment' ? 'apps/v1' : 'v1';
  const object = await world.get({ apiVersion, kind, namespace, name });
  assert.ok(object, `${kind} ${name}`);
  return object.metadata;
}

export const SYNC_SCENARIOS: readonly Scenario[] = [
  {
    name: 'a plan can be read before it runs: what is created, changed, pruned and run, in which wave',
    run: async (world) => {
      const repository = await world.repository('planned');
      await repository.push({
        'app/a.yaml': configMap('a', 'one'),
        'app/gone.yaml': configMap('gone', 'x'),
        'app/kept.yaml': annotated(configMap('kept', 'x'), {
          'argocd.argoproj.io/sync-options': 'Prune=false',
        }),
      });
      const app = application('planned', { url: repository.url, path: 'app' }, { sync: MANUAL });
      await world.apply({ ...app, operation: { sync: { syncOptions: ['CreateNamespace=true'] } } });
      await until('its first sync', PATIENCE_MS, async () => {
        const found = await world.get({ ...APPLICATION, name: 'planned' });
        return textAt(found, 'status', 'sync', 'status') === 'Synced';
      });
      const commit = await repository.push({
        'app/a.yaml': configMap('a', 'two'),
        'app/gone.yaml': null,
        'app/kept.yaml': null,
        'app/new.yaml': annotated(configMap('new', 'x'), { 'argocd.argoproj.io/sync-wave': '2' }),
        'app/before.yaml': job('before', 'PreSync'),
      });
      const { value: plan } = await until('the plan of the commit', PATIENCE_MS, async () => {
        const read = (await world.ask('/api/apps/Application/argocd/planned/plan')) as PlanView;
        return read.revisions.includes(commit) && read;
      });
      const told = (plan.waves ?? []).map(({ phase, wave, steps }) => {
        const all = steps.map(({ change, object, note }) =>
          `${change} ${object.name} ${note}`.trim(),
        );
        return `${phase} ${wave}: ${all.join(', ')}`;
      });
      assert.deepEqual(told, [
        'PreSync 0: hook before',
        'Sync 0: keep gone pruning is off, keep kept pruning is off, change a',
        'Sync 2: create new',
      ]);
      const changed = plan.waves?.[1]?.steps.find(({ change }) => change === 'change');
      assert.deepEqual(
        changed?.differences.map(({ field, desired, live }) => [field, desired, live]),
        [['data.value', 'two', 'one']],
      );
      assert.equal(
        await world.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'planned', name: 'new' }),
        undefined,
      );
      return undefined;
    },
  },
  {
    name: 'hooks come before and after, waves one after the other, and each waits for the health of the one before',
    run: async (world) => {
      const repository = await world.repository('ordered');
      const wave = (text: string) => ({ 'argocd.argoproj.io/sync-wave': text });
      const commit = await repository.push({
        'app/before.yaml': job('before', 'PreSync'),
        'app/first.yaml': annotated(deployment('first', 1), wave('-1')),
        'app/second.yaml': annotated(configMap('second', 'x'), wave('1')),
        'app/after.yaml': job('after', 'PostSync'),
      });
      await world.apply(application('ordered', { url: repository.url, path: 'app' }));
      await untilSynced(world, 'ordered', commit);
      const made = [
        await madeAt(world, 'ordered', 'Job', 'before'),
        await madeAt(world, 'ordered', 'Deployment', 'first'),
        await madeAt(world, 'ordered', 'ConfigMap', 'second'),
        await madeAt(world, 'ordered', 'Job', 'after'),
      ];
      const times = made.map(({ creationTimestamp = '' }) => Date.parse(creationTimestamp));
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
      const status = await world.get({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        namespace: 'ordered',
        name: 'first',
      });
      const available = status && findCondition(status, 'Available');
      const since = Date.parse(textAt(available, 'lastTransitionTime'));
      assert.ok(since <= (times[2] ?? 0), 'the second wave came when the first one worked');
      return undefined;
    },
  },
  {
    name: 'a newer commit goes before a sync that waits for ever',
    run: async (world) => {
      const repository = await world.repository('preempted');
      const waves = (paused: boolean) => ({
        'app/stuck.yaml': deployment('stuck', 1).replace(
          '  replicas: 1\n',
          `  replicas: 1\n  paused: ${paused}\n`,
        ),
        'app/late.yaml': annotated(configMap('late', 'x'), { 'argocd.argoproj.io/sync-wave': '1' }),
      });
      await repository.push(waves(true));
      await world.apply(application('preempted', { url: repository.url, path: 'app' }));
      await until('the sync to wait', PATIENCE_MS, async () => {
        const app = await world.get({ ...APPLICATION, name: 'preempted' });
        const phase = textAt(app, 'status', 'operationState', 'phase');
        const message = textAt(app, 'status', 'operationState', 'message');
        return phase === 'Running' && message.includes('stuck');
      });
      const late = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'preempted', name: 'late' };
      assert.equal(await world.get(late), undefined);
      const commit = await repository.push(waves(false));
      const { tookMs } = await until('the next wave', PATIENCE_MS, () => world.get(late));
      await untilSynced(world, 'preempted', commit);
      assert.ok(tookMs < PREEMPTED_MS, `pre-empted after ${tookMs} ms`);
      return { tookMs };
    },
  },
];
