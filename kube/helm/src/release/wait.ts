import { computeStatus, type KubeObject, parseApiVersion } from '@capstan/kube-object';
import { valueAt } from '@capstan/lib-std';
import { isNotFound, pause, type ReleasePorts, type WaitOptions } from './cluster-port.ts';
import { ReleaseError } from './release-error.ts';
import { refOf } from './release-objects.ts';

type Judge = (object: KubeObject, now: number) => { status: string; message: string };

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Waits until every object is ready by kstatus's rules, Jobs only when asked. A paused Deployment is not waited for. Throws
 * RELEASE_NOT_READY with a line per object, at the timeout, or as soon as nothing is left to wait for but failed objects.
 */
export async function waitUntilReady(
  objects: readonly KubeObject[],
  options: WaitOptions & { readonly jobs: boolean },
  ports: ReleasePorts,
): Promise<void> {
  if (ports.waits !== undefined) return ports.waits.untilReady(objects, options);
  const judge: Judge = (object, now) =>
    options.jobs && isJob(object) ? judgeJob(object) : computeStatus(object, now);
  await waitFor(
    objects.filter((object) => !isPaused(object)),
    judge,
    { options, ports },
  );
}

/** Waits for hooks: Jobs and Pods until they ended, everything else until it exists. */
export async function waitUntilRun(
  objects: readonly KubeObject[],
  options: WaitOptions,
  ports: ReleasePorts,
): Promise<void> {
  if (ports.waits !== undefined) return ports.waits.untilRun(objects, options);
  const judge: Judge = (object) => {
    if (isJob(object)) return judgeJob(object);
    if (object.apiVersion === 'v1' && object.kind === 'Pod') return judgePod(object);
    return { status: 'Current', message: 'Resource is current' };
  };
  await waitFor(objects, judge, { options, ports });
}

async function waitFor(
  objects: readonly KubeObject[],
  judge: Judge,
  { options, ports }: { readonly options: WaitOptions; readonly ports: ReleasePorts },
): Promise<void> {
  const { clock, cluster } = ports;
  const end = clock.now() + options.timeoutMs;
  let waiting = objects.filter((object) => object.metadata.name !== undefined);
  const failed = new Map<KubeObject, string>();
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    const states = await Promise.all(
      waiting.map(async (object) => {
        const live = await cluster.find(refOf(object));
        return live === undefined
          ? { object, status: 'NotFound', message: 'Resource not found' }
          : { object, ...judge(live, clock.now()) };
      }),
    );
    const open = states.filter(({ status }) => status !== 'Current');
    const hopeless = open.every(({ status }) => status === 'Failed');
    if (open.length === 0) return;
    failed.clear();
    for (const { object, status, message } of open)
      failed.set(object, notReady(object, status, message));
    if (hopeless) throw waitError([...failed.values()]);
    if (clock.now() >= end) {
      throw waitError([...failed.values(), 'context deadline exceeded']);
    }
    waiting = open.map(({ object }) => object);
    await pause(clock, Math.min(pauseMs, Math.max(1, end - clock.now())), options.signal);
  }
}

function notReady(object: KubeObject, status: string, message: string): string {
  return `resource ${shortName(object)} not ready. status: ${status}, message: ${message}`;
}

function shortName({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

function waitError(lines: readonly string[]): ReleaseError {
  return new ReleaseError('RELEASE_NOT_READY', lines.join('\n'), { kind: 'retry' });
}

/** Waits until none of the objects exists; an object of the same name with another uid is another one. */
export async function waitUntilGone(
  objects: readonly KubeObject[],
  options: WaitOptions,
  { clock, cluster, waits }: ReleasePorts,
): Promise<void> {
  if (waits !== undefined) return waits.untilGone(objects, options);
  const end = clock.now() + options.timeoutMs;
  let waiting = objects;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    const left = await Promise.all(
      waiting.map(async (object) => {
        const live = await cluster.find(refOf(object)).catch((error: unknown) => {
          if (isNotFound(error)) return undefined;
          throw error;
        });
        return live === undefined ? [] : [object];
      }),
    );
    waiting = left.flat();
    if (waiting.length === 0) return;
    if (clock.now() >= end) {
      const lines = waiting.map(
        (object) =>
          `resource ${shortName(object)} still exists. status: Terminating, message: Resource scheduled for deletion`,
      );
      throw waitError([...lines, 'context deadline exceeded']);
    }
    await pause(clock, Math.min(pauseMs, Math.max(1, end - clock.now())), options.signal);
  }
}

function isPaused(object: KubeObject): boolean {
  return object.kind === 'Deployment' && valueAt(object, 'spec', 'paused') === true;
}

function isJob({ apiVersion, kind }: KubeObject): boolean {
  return kind === 'Job' && parseApiVersion(apiVersion).group === 'batch';
}

/** Whether a Job has ended: `Current`, `Failed` or `InProgress`. */
export function judgeJob(job: KubeObject): ReturnType<Judge> {
  const wanted = numberOr(
    valueAt(job, 'spec', 'completions'),
    numberOr(valueAt(job, 'spec', 'parallelism'), 1),
  );
  const conditions = valueAt(job, 'status', 'conditions');
  for (const condition of Array.isArray(conditions) ? conditions : []) {
    if (Reflect.get(Object(condition), 'status') !== 'True') continue;
    const type: unknown = Reflect.get(Object(condition), 'type');
    if (type === 'Complete') {
      const done = numberOr(valueAt(job, 'status', 'succeeded'), 0);
      return { status: 'Current', message: `Job Completed. succeeded: ${done}/${wanted}` };
    }
    if (type === 'Failed') {
      const failed = numberOr(valueAt(job, 'status', 'failed'), 0);
      return { status: 'Failed', message: `Job Failed. failed: ${failed}/${wanted}` };
    }
  }
  return { status: 'InProgress', message: 'Job in progress' };
}

/** Whether a Pod that is to end has ended. */
export function judgePod(pod: KubeObject): ReturnType<Judge> {
  const name = pod.metadata.name ?? '';
  const phase = valueAt(pod, 'status', 'phase');
  if (phase === 'Succeeded') return { status: 'Current', message: `pod ${name} succeeded` };
  if (phase === 'Failed') return { status: 'Failed', message: `pod ${name} failed` };
  return { status: 'InProgress', message: 'Pod in progress' };
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}
