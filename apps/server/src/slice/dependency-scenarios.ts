import assert from 'node:assert/strict';
import { DEPENDS_ON } from '@capstan/engine-delivery';
import type { KubeObject } from '@capstan/kube-object';
import { listAt, textAt } from '../views/fields.ts';
import { type Scenario, untilSynced } from './application-scenarios.ts';
import {
  APPLICATION,
  application,
  configMap,
  type Repository,
  until,
  type World,
} from './world.ts';

const CONFIG = { apiVersion: 'v1', kind: 'ConfigMap' } as const;
const PATIENCE_MS = 20_000;
const FLUX = 'flux-system';

function waiting(app: KubeObject, dependsOn: string): KubeObject {
  const annotations = { [DEPENDS_ON]: dependsOn };
  return { ...app, metadata: { ...app.metadata, annotations } };
}

function untilCondition(world: World, name: string, pattern: RegExp) {
  return until(`${name} says ${pattern}`, PATIENCE_MS, async () => {
    const app = await world.get({ ...APPLICATION, name });
    const told = listAt(app, 'status', 'conditions').map(
      (one) => `${textAt(one, 'type')}: ${textAt(one, 'message')}`,
    );
    if (!told.some((text) => pattern.test(text))) throw new Error(told.join('; '));
    return true;
  });
}

async function versionOf(world: World, namespace: string, name: string): Promise<number> {
  const object = await world.get({ ...CONFIG, namespace, name });
  return Number(object?.metadata.resourceVersion ?? 0);
}

async function createKustomization(world: World, repository: Repository, name: string) {
  const metadata = { name, namespace: FLUX };
  await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: FLUX } });
  await world.apply({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata,
    spec: { interval: '1m', url: repository.url, ref: { branch: 'main' } },
  });
  await world.apply({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata,
    spec: {
      interval: '10m',
      path: './infra',
      prune: true,
      targetNamespace: FLUX,
      sourceRef: { kind: 'GitRepository', name },
    },
  });
}

export const DEPENDENCY_SCENARIOS: readonly Scenario[] = [
  {
    name: 'an Application goes after what it depends on, of any kind, and says what it waits for',
    run: async (world) => {
      const repository = await world.repository('dep-order');
      const commit = await repository.push({
        'infra/a.yaml': configMap('dep-infra', 'one'),
        'db/a.yaml': configMap('a', 'one'),
        'web/a.yaml': configMap('a', 'one'),
      });
      const manual = { syncOptions: ['CreateNamespace=true'] };
      const source = (path: string) => ({ url: repository.url, path });
      await world.apply(application('dep-db', source('db'), { sync: manual }));
      const web = application('dep-web', source('web'));
      await world.apply(waiting(web, `Application/dep-db, Kustomization/${FLUX}/dep-infra`));
      await untilCondition(world, 'dep-web', /waiting for Application argocd\/dep-db, which is/);
      assert.equal(await versionOf(world, 'dep-web', 'a'), 0);
      await world.apply(application('dep-db', source('db')));
      await untilSynced(world, 'dep-db', commit);
      await untilCondition(world, 'dep-web', /waiting for Kustomization .*which does not exist/);
      assert.equal(await versionOf(world, 'dep-web', 'a'), 0);
      await createKustomization(world, repository, 'dep-infra');
      await untilSynced(world, 'dep-web', commit);
      assert.ok((await versionOf(world, 'dep-web', 'a')) > (await versionOf(world, 'dep-db', 'a')));
      return undefined;
    },
  },
  {
    name: 'a commit that changes both goes to the dependency first; one that changes the other alone is not held up',
    run: async (world) => {
      const repository = await world.repository('dep-commit');
      const first = await repository.push({
        'db/a.yaml': configMap('a', 'one'),
        'web/a.yaml': configMap('a', 'one'),
      });
      const source = (path: string) => ({ url: repository.url, path });
      await world.apply(application('dep-late-db', source('db')));
      const web = application('dep-late-web', source('web'));
      await world.apply(waiting(web, 'Application/argocd/dep-late-db'));
      await untilSynced(world, 'dep-late-web', first);
      const second = await repository.push({
        'db/a.yaml': configMap('a', 'two'),
        'web/a.yaml': configMap('a', 'two'),
      });
      await untilSynced(world, 'dep-late-web', second);
      const versions = [
        await versionOf(world, 'dep-late-db', 'a'),
        await versionOf(world, 'dep-late-web', 'a'),
      ];
      assert.ok((versions[0] ?? 0) < (versions[1] ?? 0), versions.join(' '));
      const third = await repository.push({ 'web/a.yaml': configMap('a', 'three') });
      const tookMs = await untilSynced(world, 'dep-late-web', third);
      return { tookMs };
    },
  },
  {
    name: 'a cycle is told with the whole way, and what names nothing with how to write it',
    run: async (world) => {
      const repository = await world.repository('dep-cycle');
      await repository.push({ 'x/a.yaml': configMap('a', 'one') });
      const source = { url: repository.url, path: 'x' };
      await world.apply(waiting(application('dep-chicken', source), 'Application/dep-egg'));
      await world.apply(waiting(application('dep-egg', source), 'Application/dep-chicken'));
      await world.apply(waiting(application('dep-typo', source), 'dep-egg'));
      await untilCondition(
        world,
        'dep-egg',
        /DependencyError: .*Application argocd\/dep-egg → Application argocd\/dep-chicken → Application argocd\/dep-egg/,
      );
      await untilCondition(world, 'dep-typo', /InvalidSpecError: .*"dep-egg" names no resource/);
      assert.equal(await versionOf(world, 'dep-chicken', 'a'), 0);
      return undefined;
    },
  },
];
