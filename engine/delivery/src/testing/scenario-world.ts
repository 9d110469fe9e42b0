/** For scenarios: one delivery of one repository in memory to a namespace of a cluster in this process. */

import { RenderCache } from '@capstan/engine-render';
import { SYNC_DEFAULTS } from '@capstan/engine-sync';
import { createKubeClient, isNotFound, type KubeClient } from '@capstan/kube-client';
import type { Json, KubeObject } from '@capstan/kube-object';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { type Catalogue, loadCatalogue } from '@capstan/kube-schema';
import type { Clock } from '@capstan/lib-std';
import { type Cluster, createCluster } from '../cluster.ts';
import { createVerdictCache } from '../compare-live.ts';
import type { DeliveryPorts } from '../ports.ts';
import type { Delivery } from '../types.ts';
import { MemorySources } from './memory-sources.ts';

const MARK = 'example/id';

/** One cluster for all scenarios of a file. */
export interface ScenarioCluster extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly catalogue: Catalogue;
}

export async function startScenarioCluster(): Promise<ScenarioCluster> {
  const [sandbox, catalogue] = await Promise.all([startSandbox(), loadCatalogue()]);
  return { sandbox, catalogue, [Symbol.asyncDispose]: () => sandbox.close() };
}

export interface ScenarioWorld extends AsyncDisposable {
  readonly client: KubeClient;
  readonly sources: MemorySources;
  readonly ports: DeliveryPorts;
  /** Moves the clock of the delivery, not that of the cluster. */
  wait(ms: number): void;
}

export interface ScenarioWorldOptions {
  readonly namespace: string;
  /** Told of each request but watches, counted from 1; what it throws is what the request gives. */
  readonly onRequest?: (count: number) => void;
}

export async function createScenarioWorld(
  { sandbox, catalogue }: ScenarioCluster,
  { namespace, onRequest }: ScenarioWorldOptions,
): Promise<ScenarioWorld> {
  const client = createKubeClient(sandbox.transport);
  await makeNamespace(client, namespace);
  let requests = 0;
  const ours = createKubeClient({
    ...sandbox.transport,
    async request(request: Parameters<typeof sandbox.transport.request>[0]) {
      if (!request.path.includes('watch=')) onRequest?.(++requests);
      return sandbox.transport.request(request);
    },
  });
  let nowMs = Date.now();
  const clock: Clock = {
    // It stands still, so that a slow machine gives the same scenario.
    now: () => nowMs,
    after: (delayMs, run) => {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
  };
  const cluster: Cluster = createCluster({
    name: 'test',
    client: ours,
    schemaOf: (kind) => catalogue.kind(kind),
    ownerReaders: [ownersOf],
    clock,
  });
  const sources = new MemorySources();
  const renders = new RenderCache();
  return {
    client,
    sources,
    ports: {
      sources,
      render: async (snapshot, spec) => renders.render(snapshot, spec),
      cluster,
      clock,
      verdicts: createVerdictCache(),
    },
    wait: (ms) => {
      nowMs += ms;
    },
    async [Symbol.asyncDispose]() {
      await cluster[Symbol.asyncDispose]();
      await ours.close();
      await client.close();
    },
  };
}

async function makeNamespace(client: KubeClient, name: string): Promise<void> {
  const ref = { apiVersion: 'v1', kind: 'Namespace', name };
  try {
    await client.get(ref);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
}

/** The mark says `owner:group/kind:namespace/name`. */
function ownersOf(object: KubeObject): readonly string[] {
  const mark = object.metadata.annotations?.[MARK];
  return mark === undefined ? [] : [mark.slice(0, mark.indexOf(':'))];
}

const SYNC: Omit<Delivery['sync'], 'failOnShared' | 'rehearsal'> = {
  ...SYNC_DEFAULTS,
  vocabulary: {
    wave: ['example/wave'],
    hooks: [
      {
        annotation: 'example/hook',
        phases: {
          PreSync: 'PreSync',
          Sync: 'Sync',
          PostSync: 'PostSync',
          SyncFail: 'SyncFail',
          Skip: 'Skip',
        },
        wave: [],
        deletePolicy: 'example/hook-delete',
        deletePolicies: {
          HookSucceeded: 'HookSucceeded',
          HookFailed: 'HookFailed',
          BeforeHookCreation: 'BeforeHookCreation',
        },
        defaultDeletePolicy: 'BeforeHookCreation',
      },
    ],
    hookFinalizer: 'example/hook-finalizer',
    options: ['example/options'],
    switches: [],
  },
  prune: true,
  propagation: 'Background',
  takeOverFrom: [{ manager: 'capstan' }],
};

export const SCENARIO_URL = 'https://git.example.com/scenario.git';

/** Everything that a scenario does not say. */
export function scenarioDelivery(namespace: string): Delivery {
  return {
    id: { kind: 'Delivery', namespace: '', name: namespace },
    sources: [
      {
        source: { kind: 'git', url: SCENARIO_URL, revision: { kind: 'any', name: 'HEAD' } },
        render: { kind: 'directory', path: '.' },
      },
    ],
    destination: { cluster: 'test', namespace },
    tracking: {
      annotations: { [MARK]: `${namespace}:{group}/{kind}:{namespace:${namespace}}/{name}` },
      labels: {},
      owner: namespace,
      find: 'mark',
    },
    fieldManager: 'capstan',
    compare: {
      ignore: [],
      respectIgnored: false,
      ignoreAggregatedRoles: false,
    },
    sync: { ...SYNC, failOnShared: false, rehearsal: 'always' },
    automation: {
      kind: 'automatic',
      selfHeal: true,
      allowEmpty: false,
      retry: { limit: 0, backoff: { baseMs: 5000, factor: 2, maxMs: 180_000, jitter: 0 } },
      healBackoff: { baseMs: 2000, factor: 3, maxMs: 300_000, jitter: 0 },
    },
    health: { rules: { base: 'workload', custom: [] }, rollUp: true },
    guard: { name: 'any', clusterKinds: { denied: [] }, namespacedKinds: { denied: [] } },
    suspended: false,
    preempt: 'afterHook',
  };
}

/** `part` laid over `whole`, member by member; lists and null take the place of what was there. */
export function overlay<T>(whole: T, part: Json): T {
  if (!isRecord(whole) || !isRecord(part)) return part as T;
  const merged: { [name: string]: unknown } = { ...whole };
  for (const [name, value] of Object.entries(part)) {
    merged[name] = overlay(merged[name], value as Json);
  }
  return merged as T;
}

function isRecord(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
