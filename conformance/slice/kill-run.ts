/**
 * `capstan serve` killed (SIGKILL) at random instants while applications sync: commits go on, each changes some of them and
 * brings a hook of its own. In the end everything is as the last commits say, nothing was made twice, and no hook of one commit
 * ran twice for one application.
 */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { APPLICATION, application, configMap, until, type World } from '@capstan/apps-server/slice';
import type { KubeObject } from '@capstan/kube-object';
import { startServing } from './serving.ts';

export interface KillOptions {
  readonly world: World;
  readonly kubeconfig: string;
  readonly cache: string;
  readonly apps: number;
  readonly kills: number;
  readonly seed: number;
  readonly log?: (text: string) => void;
}

const OBJECTS = 3;
/** A kill comes this long after the process serves (or a commit), at most. */
const LIFE_MS = 1_500;

export async function runKills(options: KillOptions): Promise<void> {
  const { world, apps, kills, log } = options;
  const random = randomFrom(options.seed);
  const repository = await world.repository('killed');
  /** The round (commit) whose content each application has last. */
  const rounds = new Array<number>(apps).fill(0);
  const all = rounds.map((_, app) => app);
  const push = async (round: number, changed: readonly number[]) => {
    const files: Record<string, string> = {};
    for (const app of changed) {
      Object.assign(files, filesOf(app, round));
      rounds[app] = round;
    }
    return repository.push(files);
  };
  await push(0, all);
  let serving = await startServing(options);
  try {
    for (const app of all) await createApplication(world, app, repository.url);
    for (let kill = 1; kill <= kills; kill++) {
      await pause(random() * LIFE_MS);
      await serving.kill();
      if (random() < 0.7)
        await push(
          kill,
          all.filter(() => random() < 0.1),
        );
      serving = await startServing(options);
      // Sometimes the push comes while it works.
      if (random() < 0.5) {
        const commit = await push(
          kills + kill,
          all.filter(() => random() < 0.1),
        );
        await serving.notify(repository.url, commit);
      }
      if (kill % 10 === 0) log?.(`${kill} kills`);
    }
    await until('everything to be synced', 600_000, () => isSettled(world, rounds));
    await assertOnce(world, rounds);
    assert.equal(await serving.stop(), 0);
  } finally {
    await serving.kill();
  }
}

async function createApplication(world: World, app: number, url: string): Promise<void> {
  await until('the definitions', 60_000, async () => {
    await world.apply(application(`killed-${app}`, { url, path: `app-${app}` }));
    return true;
  });
}

async function isSettled(world: World, rounds: readonly number[]): Promise<boolean> {
  const { items } = await world.client.list(APPLICATION, { namespace: 'argocd' });
  if (items.filter(isDone).length < rounds.length) return false;
  const maps = await listMarked(world, 'ConfigMap');
  const values = new Map(maps.map((one) => [placeOf(one), contentOf(one)]));
  return rounds.every((round, app) =>
    Array.from({ length: OBJECTS }, (_, i) => `killed-${app}/m-${i}`).every(
      (place) => values.get(place) === `${round}`,
    ),
  );
}

async function assertOnce(world: World, rounds: readonly number[]): Promise<void> {
  const maps = await listMarked(world, 'ConfigMap');
  assert.equal(maps.length, rounds.length * OBJECTS, 'objects of each application');
  const runs = new Map<string, string[]>();
  for (const { metadata } of await listMarked(world, 'Job')) {
    const run = `${metadata.namespace} of round ${metadata.labels?.['round']}`;
    runs.set(run, [...(runs.get(run) ?? []), `${metadata.name} (${metadata.creationTimestamp})`]);
  }
  const twice = [...runs].filter(([, jobs]) => jobs.length > 1);
  assert.deepEqual(twice, [], 'no hook ran twice');
  const missing = rounds
    .map((round, app) => `killed-${app} of round ${round}`)
    .filter((run) => !runs.has(run));
  assert.deepEqual(missing, [], 'the hook of what is in place ran');
}

async function listMarked(world: World, kind: 'ConfigMap' | 'Job'): Promise<readonly KubeObject[]> {
  const apiVersion = kind === 'Job' ? 'batch/v1' : 'v1';
  const { items } = await world.client.list({ apiVersion, kind }, { labelSelector: 'suite=kill' });
  return items;
}

function placeOf({ metadata: { namespace = '', name = '' } }: KubeObject): string {
  return `${namespace}/${name}`;
}

function contentOf(map: KubeObject): string | undefined {
  return (map['data'] as { readonly value?: string } | undefined)?.value;
}

function isDone(app: KubeObject): boolean {
  const { sync, operationState } = (app['status'] ?? {}) as {
    readonly sync?: { readonly status?: string };
    readonly operationState?: { readonly phase?: string };
  };
  return sync?.status === 'Synced' && operationState?.phase === 'Succeeded';
}

function filesOf(app: number, round: number): Record<string, string> {
  const files: Record<string, string> = { [`app-${app}/hook.yaml`]: hookOf(round) };
  for (let i = 0; i < OBJECTS; i++) {
    const text = configMap(`m-${i}`, `${round}`);
    files[`app-${app}/m-${i}.yaml`] = text.replace('\ndata:', '\n  labels: {suite: kill}\ndata:');
  }
  return files;
}

/** Each run leaves a Job, so that every run can be counted. */
function hookOf(round: number): string {
  return `apiVersion: batch/v1
kind: Job
metadata:
  generateName: migrate-
  labels: {suite: kill, round: "${round}"}
  annotations:
    argocd.argoproj.io/hook: PreSync
    argocd.argoproj.io/hook-delete-policy: HookFailed
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: migrate
        image: busybox:1
`;
}

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x80000000;
  };
}
