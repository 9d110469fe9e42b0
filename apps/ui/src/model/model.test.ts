import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AppSummary, ResourceNode } from '@capstan/apps-contract';
import { applyEvent, EMPTY_STORE } from './app-store.ts';
import { filterApps, NO_FILTER } from './filter-apps.ts';
import { formatAge, safeLink, shortName, shortRevision } from './format.ts';
import { layoutTree, NODE } from './layout-tree.ts';

const app = (name: string, more: Partial<AppSummary> = {}): AppSummary => ({
  kind: 'Application',
  namespace: 'argocd',
  name,
  family: 'argocd',
  project: 'default',
  sync: 'Synced',
  health: 'Healthy',
  syncing: false,
  suspended: false,
  repo: 'https://git.example.com/a',
  path: 'apps',
  targetRevision: 'main',
  revision: '',
  destination: 'in-cluster/web',
  message: '',
  lastSyncedAt: '',
  ...more,
});

const resource = (id: string, parent: string | null): ResourceNode => ({
  id,
  parent,
  group: '',
  version: 'v1',
  kind: 'Pod',
  namespace: 'web',
  name: id,
  sync: null,
  health: null,
  healthMessage: '',
  createdAt: '',
  info: [],
  requiresPruning: false,
});

test('the worst apps stand first, then the names', () => {
  const apps = [app('b'), app('a'), app('z', { health: 'Degraded' })];
  assert.deepEqual(
    filterApps(apps, NO_FILTER).map((found) => found.name),
    ['z', 'a', 'b'],
  );
});

test('every word of a search must occur, and facets narrow', () => {
  const apps = [
    app('web-prod'),
    app('web-dev', { sync: 'OutOfSync' }),
    app('db', { destination: 'in-cluster/data' }),
  ];
  const names = (text: string, sync: readonly AppSummary['sync'][] = []) =>
    filterApps(apps, { ...NO_FILTER, text, sync }).map((found) => found.name);
  assert.deepEqual(names('WEB argocd'), ['web-dev', 'web-prod']);
  assert.deepEqual(names('web', ['OutOfSync']), ['web-dev']);
});

test('stream events build the picture and keep what did not change', () => {
  const first = applyEvent(EMPTY_STORE, { type: 'apps', apps: [app('a'), app('b')] });
  const second = applyEvent(first, { type: 'app', app: app('b', { sync: 'OutOfSync' }) });
  const a = 'Application/argocd/a';
  assert.equal(second.apps?.get(a), first.apps?.get(a));
  assert.equal(second.apps?.get('Application/argocd/b')?.sync, 'OutOfSync');
  const third = applyEvent(second, { type: 'removed', ref: app('a') });
  assert.deepEqual([...(third.apps?.keys() ?? [])], ['Application/argocd/b']);
});

test('a tree gives each generation a column and never lays two nodes on each other', () => {
  const layout = layoutTree([
    resource('deployment', null),
    resource('set', 'deployment'),
    resource('pod-1', 'set'),
    resource('pod-2', 'set'),
    resource('orphan', 'not in the list'),
  ]);
  const at = (id: string) => layout.nodes.find((placed) => placed.node?.id === id)!;
  assert.equal(at('pod-1').x, at('pod-2').x);
  assert.ok(Math.abs(at('pod-1').y - at('pod-2').y) >= NODE.height);
  assert.equal(at('orphan').x, at('deployment').x);
  assert.equal(layout.links.length, 5);
  assert.ok(
    layout.nodes.every((placed) => placed.y >= 0 && placed.y + NODE.height <= layout.height),
  );
});

test('a thousand nodes are laid out whole', () => {
  const resources = Array.from({ length: 1000 }, (_, i) =>
    resource(`n${i}`, i === 0 ? null : `n${i >> 2}`),
  );
  resources[1] = resource('n1', null);
  assert.equal(layoutTree(resources).nodes.length, 1001);
});

test('times and revisions are short, links are web addresses only', () => {
  assert.equal(formatAge('2026-01-01T00:00:00Z', Date.parse('2026-01-01T02:30:00Z')), '2h');
  assert.equal(formatAge('', 0), '');
  assert.equal(shortRevision('0123456789abcdef0123456789abcdef01234567'), '0123456');
  assert.equal(shortRevision('main@sha1:0123456789abcdef0123456789abcdef01234567'), 'main@0123456');
  assert.equal(shortName('webapp-556c6cc465-cf4pr', 13), 'webapp…-cf4pr');
  assert.equal(safeLink('javascript:alert(1)'), null);
  assert.equal(safeLink('https://git.example.com/a'), 'https://git.example.com/a');
});
