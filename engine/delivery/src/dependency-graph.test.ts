import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveChange, LiveObject } from '@capstan/kube-client';
import type { KubeObject, ObjectKey } from '@capstan/kube-object';
import {
  DEPENDS_ON,
  DependencyGraph,
  type DependencyReader,
  readDependsOn,
} from './dependency-graph.ts';

const APP: DependencyReader = {
  group: 'example.com',
  kind: 'App',
  read: (object) => ({
    dependsOn: readDependsOn(object),
    unready: object['state'] === 'ready' ? undefined : `is ${String(object['state'])}`,
    revisions: [{ source: 'repo main', commit: String(object['commit'] ?? 'c1') }],
  }),
};

function app(name: string, state: string, dependsOn = '', commit = 'c1'): KubeObject {
  const annotations = dependsOn === '' ? {} : { [DEPENDS_ON]: dependsOn };
  const metadata = { name, namespace: 'apps', annotations };
  return { apiVersion: 'example.com/v1', kind: 'App', metadata, state, commit };
}

function graphOf(...objects: readonly KubeObject[]) {
  const listeners = new Set<(change: LiveChange) => void>();
  const find = ({ group, kind, namespace, name }: ObjectKey) =>
    objects.find(
      (one) =>
        one.kind === kind &&
        (one.apiVersion.includes('/') ? one.apiVersion.split('/')[0] : '') === group &&
        (one.metadata.namespace ?? '') === namespace &&
        one.metadata.name === name,
    );
  const live = {
    get: (key: ObjectKey) => {
      const object = find(key);
      return object && ({ key, read: () => object } as LiveObject);
    },
    list: () => [],
    subscribe: (listener: (change: LiveChange) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const graph = new DependencyGraph({
    live,
    readers: [APP],
    healthRules: { base: 'workload', custom: [] },
    now: () => 0,
  });
  const change = (name: string) => {
    const key = { group: 'example.com', kind: 'App', namespace: 'apps', name };
    for (const listener of listeners)
      listener({ key, before: undefined, after: undefined, isInitial: false });
  };
  const check = (name: string, commit = 'c1') => {
    const object = find({ group: 'example.com', kind: 'App', namespace: 'apps', name });
    const id = { kind: 'App', namespace: 'apps', name };
    const verdict = graph.check(id, object === undefined ? [] : readDependsOn(object), [
      { source: 'repo main', commit },
    ]);
    return verdict.kind === 'ready' ? 'ready' : `${verdict.kind}: ${verdict.message}`;
  };
  return { graph, check, change };
}

test('a delivery waits until all that it depends on is in place, and says for what', () => {
  const { check } = graphOf(
    app('free', 'ready'),
    app('after-ready', 'new', 'App/free'),
    app('slow', 'Progressing'),
    app('after-slow', 'new', 'App/free, App/apps/slow'),
    app('after-none', 'new', 'App/elsewhere/none'),
  );
  assert.equal(check('free'), 'ready');
  assert.equal(check('after-ready'), 'ready');
  assert.equal(check('after-slow'), 'waiting: waiting for App apps/slow, which is Progressing');
  assert.equal(
    check('after-none'),
    'waiting: waiting for App elsewhere/none, which does not exist',
  );
});

test('who deploys a newer commit of the same source waits for that commit', () => {
  const { check } = graphOf(app('first', 'ready'), app('second', 'new', 'App/first'));
  assert.equal(check('second', 'c1'), 'ready');
  assert.equal(
    check('second', 'c2'),
    'waiting: waiting for App apps/first, which is still at another revision',
  );
});

test('a dependency that is behind is asked to look', () => {
  const { graph, check } = graphOf(app('first', 'ready'), app('second', 'new', 'App/first'));
  const asked: string[] = [];
  graph.subscribe({ wake: () => undefined, refresh: ({ name }) => asked.push(name) });
  check('second', 'c1');
  assert.deepEqual(asked, []);
  check('second', 'c2');
  assert.deepEqual(asked, ['first']);
});

test('any resource can be waited for, by its health', () => {
  const set = (ready: number): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db', namespace: 'data', generation: 1 },
    spec: { replicas: 1, updateStrategy: { type: 'RollingUpdate' } },
    status: {
      observedGeneration: 1,
      readyReplicas: ready,
      updatedReplicas: 1,
      currentRevision: 'a',
      updateRevision: 'a',
    },
  });
  const namespace: KubeObject = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'data' },
  };
  const web = app('web', 'new', 'StatefulSet.apps/data/db Namespace/data');
  assert.equal(
    graphOf(set(0), namespace, web).check('web'),
    'waiting: waiting for StatefulSet data/db, which is Progressing',
  );
  assert.equal(graphOf(set(1), namespace, web).check('web'), 'ready');
});

test('a cycle is told with the whole way, to each that stands in it, and to nobody else', () => {
  const { check } = graphOf(
    app('a', 'new', 'App/b'),
    app('b', 'new', 'App/c'),
    app('c', 'new', 'App/a'),
    app('self', 'new', 'App/self'),
    app('outside', 'new', 'App/a'),
  );
  assert.equal(
    check('a'),
    'cycle: dependency cycle: App apps/a → App apps/b → App apps/c → App apps/a',
  );
  assert.equal(
    check('c'),
    'cycle: dependency cycle: App apps/c → App apps/a → App apps/b → App apps/c',
  );
  assert.equal(check('self'), 'cycle: dependency cycle: App apps/self → App apps/self');
  assert.equal(check('outside'), 'waiting: waiting for App apps/a, which is new');
});

test('whoever asked is woken by a change of what it asked about, and by nothing else', () => {
  const { graph, check, change } = graphOf(
    app('db', 'new'),
    app('web', 'new', 'App/db'),
    app('api', 'new', 'App/db'),
  );
  const woken: string[] = [];
  const stop = graph.subscribe({ wake: ({ name }) => woken.push(name) });
  check('web');
  check('api');
  change('db');
  change('web');
  assert.deepEqual(woken, ['web', 'api']);
  graph.check({ kind: 'App', namespace: 'apps', name: 'web' }, []);
  change('db');
  assert.deepEqual(woken, ['web', 'api', 'api']);
  stop();
  change('db');
  assert.equal(woken.length, 3);
});

test('what names nothing is refused with how to write it', () => {
  for (const text of ['db', 'App/', 'App/a/b/c', '/x']) {
    assert.throws(() => readDependsOn(app('web', 'new', text)), /names no resource/, text);
  }
  assert.deepEqual(readDependsOn(app('web', 'new', 'Deployment.apps/ns/x')), [
    { group: 'apps', kind: 'Deployment', namespace: 'ns', name: 'x' },
  ]);
});
