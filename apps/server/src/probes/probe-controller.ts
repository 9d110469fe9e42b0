/**
 * Asks what HealthProbes name, from inside the control plane, and says in their status what came of it. A probe lies in
 * Git beside the objects it speaks for, so its health counts into the app's as that of any other object. Between two
 * changes of a verdict nothing is written.
 */
import type { Health } from '@capstan/engine-health';
import { isNotFound, type KubeClient, type LiveState } from '@capstan/kube-client';
import {
  type ControllerRuntime,
  createController,
  enqueueChanges,
  isMeaningful,
  type ReconcileResult,
} from '@capstan/kube-controller';
import type { KubeObject, ObjectKey } from '@capstan/kube-object';
import { CapstanError, type Clock } from '@capstan/lib-std';
import { listAt, numberAt, textAt } from '../views/fields.ts';
import {
  PROBE_API_VERSION,
  PROBE_GROUP,
  PROBE_KIND,
  type ProbeTarget,
  parseProbe,
  type SqlProbeTarget,
} from './probe-spec.ts';
import { runProbe } from './run-probe.ts';
import { nextVerdict, UNPROBED, type Verdict } from './verdict.ts';

export interface ProbeControllerPorts {
  readonly client: KubeClient;
  /** Holds HealthProbes whole. */
  readonly live: LiveState;
  readonly clock: Clock;
  readonly runtime?: ControllerRuntime;
}

interface Known {
  readonly generation: number;
  readonly verdict: Verdict;
  /** Of a database, as long as it is taken. */
  readonly login?: Login | undefined;
}

type Login = NonNullable<SqlProbeTarget['login']>;

interface Bench extends ProbeControllerPorts {
  /** By key; a verdict in the status is taken up again after a restart, what is in a row is not. */
  readonly known: Map<string, Known>;
}

const KIND = { group: PROBE_GROUP, kind: PROBE_KIND } as const;
const CONCURRENCY = 16;

export function createProbeController(ports: ProbeControllerPorts): {
  run(options: { readonly signal: AbortSignal }): Promise<void>;
} {
  const bench: Bench = { ...ports, known: new Map() };
  const controller = createController<ObjectKey>({
    name: 'healthprobe',
    reconcile: (key, { signal }) => reconcile(key, bench, signal),
    keyString: toId,
    concurrency: CONCURRENCY,
    onMoved: (key) => bench.known.delete(toId(key)),
    clock: ports.clock,
    ...(ports.runtime === undefined ? {} : { runtime: ports.runtime }),
  });
  return {
    run: async ({ signal }) => {
      const stop = enqueueChanges(ports.live, controller, {
        kinds: [KIND],
        keysOf: ({ key }) => [key],
        filter: isMeaningful,
        supersede: () => true,
      });
      try {
        for (const { key } of ports.live.list(KIND)) controller.enqueue(key, { priority: -100 });
        await controller.run({ signal });
      } finally {
        stop();
      }
    },
  };
}

function toId({ namespace = '', name }: ObjectKey): string {
  return `${namespace}/${name}`;
}

async function reconcile(
  key: ObjectKey,
  bench: Bench,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const object = bench.live.get(key)?.read();
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) {
    bench.known.delete(toId(key));
    return { kind: 'settled' };
  }
  const probe = parseProbe(object);
  if ('error' in probe) {
    bench.known.delete(toId(key));
    await writeHealth(object, { status: 'Degraded', message: probe.error }, bench, signal);
    const error = new CapstanError('PROBE_INVALID', probe.error, { kind: 'stalled' });
    return { kind: 'stalled', error };
  }
  const held = bench.known.get(toId(key))?.login;
  const { target, login } = await withLogin(probe.target, held, { key, bench, signal });
  const outcome = await runProbe({ ...probe, target }, { signal });
  const generation = object.metadata.generation ?? 0;
  const known = bench.known.get(toId(key));
  const before = known?.generation === generation ? known.verdict : readVerdict(object);
  const verdict = nextVerdict(before, outcome, probe);
  // A login that is refused may be an old one.
  bench.known.set(toId(key), { generation, verdict, login: outcome.ok ? login : undefined });
  await writeHealth(object, verdict.health, bench, signal);
  return { kind: 'settled', recheckAfterMs: probe.intervalMs };
}

async function withLogin(
  target: ProbeTarget,
  held: Login | undefined,
  {
    key,
    bench,
    signal,
  }: { readonly key: ObjectKey; readonly bench: Bench; readonly signal: AbortSignal },
): Promise<{ readonly target: ProbeTarget; readonly login?: Login }> {
  if (target.kind !== 'sql') return { target };
  const login = held ?? (await readLogin(target, key, bench, signal));
  return login === undefined ? { target } : { target: { ...target, login }, login };
}

/** Of a Secret beside the probe; undefined: it is not there, or lacks a key. */
async function readLogin(
  { secretName: name }: SqlProbeTarget,
  { namespace }: ObjectKey,
  { client }: Bench,
  signal: AbortSignal,
): Promise<Login | undefined> {
  const secret = await client.find(
    { apiVersion: 'v1', kind: 'Secret', namespace, name },
    { signal },
  );
  const read = (field: string) => Buffer.from(textAt(secret, 'data', field), 'base64').toString();
  const [user, password] = [read('username'), read('password')];
  const authority = read('ca.crt');
  if (user === '' || password === '') return undefined;
  return { user, password, ...(authority === '' ? {} : { authority }) };
}

/** The verdict as the status has it, unless that is about an older spec. */
function readVerdict(object: KubeObject): Verdict {
  const status = textAt(object, 'status', 'health', 'status');
  if (!isObserved(object) || (status !== 'Healthy' && status !== 'Degraded')) return UNPROBED;
  const health = { status, message: textAt(object, 'status', 'health', 'message') } as const;
  return { ...UNPROBED, health };
}

function isObserved(object: KubeObject): boolean {
  return numberAt(object, 'status', 'observedGeneration') === (object.metadata.generation ?? 0);
}

/** Writes a verdict that differs from the one in the status; while there is none yet, nothing. */
async function writeHealth(
  object: KubeObject,
  { status, message = '' }: Health,
  { client, live, clock }: Bench,
  signal: AbortSignal,
): Promise<void> {
  const isSame =
    isObserved(object) &&
    textAt(object, 'status', 'health', 'status') === status &&
    textAt(object, 'status', 'health', 'message') === message;
  if (status === 'Progressing' || isSame) return;
  const { name = '', namespace = '', generation = 0 } = object.metadata;
  const now = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  const ready = status === 'Healthy' ? 'True' : 'False';
  const was = listAt(object, 'status', 'conditions').find((one) => textAt(one, 'type') === 'Ready');
  const since = textAt(was, 'status') === ready ? textAt(was, 'lastTransitionTime') : '';
  const condition = {
    type: 'Ready',
    status: ready,
    reason: status === 'Healthy' ? 'ProbeSucceeded' : 'ProbeFailed',
    message,
    observedGeneration: generation,
    lastTransitionTime: since === '' ? now : since,
  };
  const patch = {
    status: {
      observedGeneration: generation,
      health: { status, message },
      lastProbeTime: now,
      conditions: [condition],
    },
  };
  try {
    const written = await client.patch(
      { apiVersion: PROBE_API_VERSION, kind: PROBE_KIND, namespace, name },
      patch,
      { type: 'merge', subresource: 'status', fieldManager: 'capstan', signal },
    );
    live.observeWrite(written);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
