/** Waiting as Flux does: by status, failing as soon as one object has failed, in Flux's words. */
import { judgeJob, judgePod, pause, type ReleaseWaits, type WaitOptions } from '@capstan/kube-helm';
import { computeStatus, type KubeObject, parseApiVersion } from '@capstan/kube-object';
import { CapstanError, type Clock, messageOf } from '@capstan/lib-std';
import { objectText } from './drift-report.ts';
import type { KnownCluster } from './known-cluster.ts';

export interface ObjectVerdict {
  readonly status: string;
  readonly message: string;
}

/** What a custom health check says of a live object; undefined when there is none for its kind. */
export type HealthCheck = (live: KubeObject) => ObjectVerdict | undefined;

export interface WaitPorts {
  readonly cluster: KnownCluster;
  readonly clock: Clock;
  readonly check: HealthCheck;
  /** Ends waits for readiness early, never those for hooks: these may be migrations. */
  readonly interrupt: AbortSignal;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

export function createWaits(ports: WaitPorts): ReleaseWaits {
  const { check, clock } = ports;
  return {
    untilReady: (objects, { jobs, ...options }) => {
      const judge = (live: KubeObject): ObjectVerdict =>
        check(live) ?? (jobs && isJob(live) ? judgeJob(live) : computeStatus(live, clock.now()));
      const signal = AbortSignal.any([
        ports.interrupt,
        ...(options.signal === undefined ? [] : [options.signal]),
      ]);
      const waited = objects.filter((object) => !isPaused(object));
      return waitFor(waited, judge, { ports, options: { ...options, signal }, failsFast: true });
    },
    untilRun: (objects, options) => {
      const judge = (live: KubeObject): ObjectVerdict => {
        const own = check(live);
        if (own !== undefined) return own;
        if (isJob(live)) return judgeJob(live);
        if (live.apiVersion === 'v1' && live.kind === 'Pod') return judgePod(live);
        return { status: 'Current', message: 'Resource is current' };
      };
      return waitFor(objects, judge, { ports, options, failsFast: false });
    },
    untilGone: (objects, options) => waitUntilGone(objects, options, ports),
  };
}

interface Wait {
  readonly ports: WaitPorts;
  readonly options: WaitOptions;
  readonly failsFast: boolean;
}

async function waitFor(
  objects: readonly KubeObject[],
  judge: (live: KubeObject) => ObjectVerdict,
  { ports, options, failsFast }: Wait,
): Promise<void> {
  const { clock } = ports;
  const end = clock.now() + options.timeoutMs;
  let waiting = objects.filter(({ metadata }) => metadata.name !== undefined);
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    const states = await Promise.all(waiting.map((object) => look(object, judge, ports)));
    const open = states.filter(({ status }) => status !== 'Current');
    if (open.length === 0) return;
    const failed = open.filter(({ status }) => status === 'Failed');
    if (failed.length === open.length || (failsFast && failed.length > 0)) {
      throw notReady('failed early due to stalled resources', failed);
    }
    if (clock.now() >= end) throw notReady('timeout waiting for', open);
    waiting = open.map(({ object }) => object);
    const left = Math.max(1, end - clock.now());
    await pause(clock, Math.min(pauseMs, left), options.signal).catch(() => {
      throw new CapstanError('RELEASE_NOT_READY', 'context canceled', { kind: 'retry' });
    });
  }
}

interface State {
  readonly object: KubeObject;
  readonly status: string;
  readonly problem?: string;
}

async function look(
  object: KubeObject,
  judge: (live: KubeObject) => ObjectVerdict,
  { cluster }: WaitPorts,
): Promise<State> {
  try {
    const ref = refOf(object);
    const live = cluster.takeWritten(ref) ?? (await cluster.find(ref));
    if (live !== undefined) return { object, status: judge(live).status };
    return { object, status: endsItself(object) ? 'Current' : 'NotFound' };
  } catch (error) {
    return { object, status: 'Unknown', problem: messageOf(error) };
  }
}

function notReady(prefix: string, states: readonly State[]): CapstanError {
  const texts = states.map(({ object, status, problem }) => {
    const text = `${objectText(object)} status: '${status}'`;
    return problem === undefined ? text : `${text}: ${problem}`;
  });
  const message = `${prefix}: [${texts.join(', ')}]`;
  return new CapstanError('RELEASE_NOT_READY', message, { kind: 'retry' });
}

async function waitUntilGone(
  objects: readonly KubeObject[],
  options: WaitOptions,
  { cluster, clock }: WaitPorts,
): Promise<void> {
  const end = clock.now() + options.timeoutMs;
  for (const object of objects) {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      if ((await cluster.find(refOf(object))) === undefined) break;
      if (clock.now() >= end) {
        const message = `${objectText(object)} termination timeout: context deadline exceeded`;
        throw new CapstanError('RELEASE_NOT_GONE', message, { kind: 'retry' });
      }
      await pause(clock, Math.min(pauseMs, Math.max(1, end - clock.now())), options.signal);
    }
  }
}

function refOf({ apiVersion, kind, metadata }: KubeObject) {
  const { name = '', namespace } = metadata;
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

function isJob({ apiVersion, kind }: KubeObject): boolean {
  return kind === 'Job' && parseApiVersion(apiVersion).group === 'batch';
}

/** A Job that is deleted when it has ended is not missed. */
function endsItself(object: KubeObject): boolean {
  return isJob(object) && fieldOf(object, 'ttlSecondsAfterFinished') !== undefined;
}

function isPaused(object: KubeObject): boolean {
  return object.kind === 'Deployment' && fieldOf(object, 'paused') === true;
}

function fieldOf(object: KubeObject, name: string): unknown {
  const spec = object['spec'];
  return typeof spec === 'object' && spec !== null ? Reflect.get(spec, name) : undefined;
}
