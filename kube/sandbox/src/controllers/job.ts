import {
  cloneJson,
  type DraftObject,
  equalJson,
  flagAt,
  listAt,
  numberAt,
  objectAt,
  textAt,
  timestamp,
  valueAt,
} from '@capstan/kube-apiserver';
import type { KubeObject } from '@capstan/kube-object';
import { claimantKeys, claimed } from '../claim.ts';
import { type Controller, controllerKey, type Surroundings, splitKey } from '../control-loop.ts';
import {
  isActive,
  isPodReady,
  isTerminating,
  ownedBy,
  podFromTemplate,
  templateOf,
} from '../pods.ts';

const JOBS = 'batch/v1/jobs';

/** Jobs: pods until enough have succeeded, or too many have failed, or the time is up. */
export const jobController: Controller = {
  name: 'job-controller',
  keysFor(event, client) {
    if (event.bucket === 'batch/jobs') return event.removed ? [] : [event.key];
    if (event.bucket !== '/pods') return [];
    return [...controllerKey(event, 'Job'), ...claimantKeys(event, client, JOBS)];
  },
  reconcile(key, surroundings) {
    const { client } = surroundings;
    const job = client.get(JOBS, ...splitKey(key));
    if (job === undefined || isTerminating(job)) return;
    if (isFinished(job)) {
      expire(job, key, surroundings);
      return;
    }
    run(job, key, surroundings);
  },
};

export function isFinished(job: KubeObject): boolean {
  return finishCondition(job) !== undefined;
}

function finishCondition(job: KubeObject): string | undefined {
  const found = listAt(job, 'status', 'conditions').find(
    (item) =>
      ['Complete', 'Failed'].includes(textAt(item, 'type')) && textAt(item, 'status') === 'True',
  );
  return found === undefined ? undefined : textAt(found, 'type');
}

function expire(job: KubeObject, key: string, { client, clock, again }: Surroundings): void {
  const ttl = numberAt(job, 'spec', 'ttlSecondsAfterFinished');
  if (ttl === undefined) return;
  const finished = listAt(job, 'status', 'conditions').map((item) =>
    Date.parse(textAt(item, 'lastTransitionTime')),
  );
  const due = Math.max(...finished) + ttl * 1000;
  if (clock.now() < due) {
    again(key, due - clock.now());
    return;
  }
  const { namespace = '', name = '' } = job.metadata;
  client.remove(JOBS, namespace, name, { propagation: 'Foreground' });
}

interface Count {
  readonly active: readonly KubeObject[];
  readonly succeeded: number;
  readonly failed: number;
}

function countPods(job: KubeObject, pods: readonly KubeObject[]): Count {
  const inPhase = (phase: string): number =>
    pods.filter((pod) => textAt(pod, 'status', 'phase') === phase).length;
  const restarts = pods
    .filter(isActive)
    .flatMap((pod) => listAt(pod, 'status', 'containerStatuses'))
    .reduce<number>((total, status) => total + (numberAt(status, 'restartCount') ?? 0), 0);
  const onFailure = textAt(job, 'spec', 'template', 'spec', 'restartPolicy') === 'OnFailure';
  return {
    active: pods.filter(isActive),
    succeeded: inPhase('Succeeded'),
    failed: inPhase('Failed') + (onFailure ? restarts : 0),
  };
}

function run(job: KubeObject, key: string, surroundings: Surroundings): void {
  const { client, clock, again, record } = surroundings;
  const pods = claimed(client, { path: 'v1/pods', owner: job });
  const count = countPods(job, pods);
  const suspended = flagAt(job, 'spec', 'suspend');
  const parallelism = numberAt(job, 'spec', 'parallelism') ?? 1;
  const completions = numberAt(job, 'spec', 'completions') ?? parallelism;
  const limit = numberAt(job, 'spec', 'backoffLimit') ?? 6;
  const deadline = numberAt(job, 'spec', 'activeDeadlineSeconds');
  const start = Date.parse(textAt(job, 'status', 'startTime')) || clock.now();
  const now = timestamp(clock);
  const finish = (type: 'Complete' | 'Failed', reason: string, message: string): void => {
    for (const pod of count.active) {
      client.remove('v1/pods', pod.metadata.namespace ?? '', pod.metadata.name ?? '');
    }
    record(
      job,
      type === 'Complete' ? 'Normal' : 'Warning',
      type === 'Complete' ? 'Completed' : reason,
      message,
    );
    const stage = type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget';
    report(job, { ...count, active: [] }, now, surroundings, [
      condition(stage, reason, message, now),
      condition(type, reason, message, now),
    ]);
  };
  if (count.succeeded >= completions) {
    finish('Complete', 'CompletionsReached', 'Reached expected number of succeeded pods');
    return;
  }
  if (count.failed > limit) {
    finish('Failed', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit');
    return;
  }
  if (deadline !== undefined && clock.now() - start >= deadline * 1000) {
    finish('Failed', 'DeadlineExceeded', 'Job was active longer than specified deadline');
    return;
  }
  if (deadline !== undefined) again(key, start + deadline * 1000 - clock.now());
  if (suspended) {
    for (const pod of count.active) {
      client.remove('v1/pods', pod.metadata.namespace ?? '', pod.metadata.name ?? '');
    }
    report(job, { ...count, active: [] }, now, surroundings, [
      condition('Suspended', 'JobSuspended', 'Job suspended', now),
    ]);
    return;
  }
  const wanted = Math.min(parallelism, completions - count.succeeded);
  if (count.active.length < wanted && waits(job, pods, count, key, surroundings)) {
    report(job, count, now, surroundings, []);
    return;
  }
  for (let i = count.active.length; i < wanted; i++) {
    const pod = client.create('v1/pods', jobPod(job, pods, i));
    record(job, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
  }
  const after = countPods(job, ownedBy(client, 'v1/pods', job));
  report(client.get(JOBS, ...splitKey(key)) ?? job, after, now, surroundings, []);
}

/** After a failure the next pod comes a little later, and later each time. */
function waits(
  _job: KubeObject,
  pods: readonly KubeObject[],
  count: Count,
  key: string,
  { clock, again }: Surroundings,
): boolean {
  if (count.failed === 0) return false;
  const ends = pods
    .flatMap((pod) => listAt(pod, 'status', 'containerStatuses'))
    .map((status) => Date.parse(textAt(status, 'state', 'terminated', 'finishedAt')))
    .filter((time) => !Number.isNaN(time));
  const due = Math.max(0, ...ends) + Math.min(5000, 250 * 2 ** (count.failed - 1));
  if (clock.now() >= due) return false;
  again(key, due - clock.now());
  return true;
}

function jobPod(job: KubeObject, pods: readonly KubeObject[], offset: number): DraftObject {
  if (textAt(job, 'spec', 'completionMode') !== 'Indexed') {
    return podFromTemplate(job, templateOf(job));
  }
  const used = new Set(
    pods
      .filter((pod) => textAt(pod, 'status', 'phase') !== 'Failed')
      .map((pod) => pod.metadata.annotations?.['batch.kubernetes.io/job-completion-index']),
  );
  let index = 0;
  let skip = offset - pods.filter(isActive).length;
  while (used.has(String(index)) || skip-- > 0) index++;
  const label = { 'batch.kubernetes.io/job-completion-index': String(index) };
  return podFromTemplate(job, templateOf(job), { labels: label, annotations: label });
}

function condition(type: string, reason: string, message: string, now: string): DraftObject {
  return { type, status: 'True', lastProbeTime: now, lastTransitionTime: now, reason, message };
}

function report(
  job: KubeObject,
  count: Count,
  now: string,
  { client }: Surroundings,
  added: readonly DraftObject[],
): void {
  const old = objectAt(job, 'status');
  const known = listAt(old, 'conditions').map((item) => cloneJson(objectAt(item)));
  const kept = known.filter((item) => added.every((one) => one['type'] !== item['type']));
  const resumed = added.length === 0 ? kept.filter((item) => item['type'] !== 'Suspended') : kept;
  const same = added.filter((one) => known.some((item) => item['type'] === one['type']));
  const conditions =
    same.length === added.length && added.length > 0 ? known : [...resumed, ...added];
  const complete = added.some((item) => item['type'] === 'Complete');
  const ready = count.active.filter(isPodReady).length;
  const status: DraftObject = {
    ...(conditions.length === 0 ? {} : { conditions }),
    startTime: textAt(old, 'startTime') || now,
    ...(complete ? { completionTime: now } : {}),
    ...(count.active.length > 0 ? { active: count.active.length } : {}),
    ...(count.succeeded > 0 ? { succeeded: count.succeeded } : {}),
    ...(count.failed > 0 ? { failed: count.failed } : {}),
    terminating: 0,
    uncountedTerminatedPods: {},
    ready,
  };
  if (equalJson(status, valueAt(job, 'status'))) return;
  client.updateStatus(JOBS, { ...cloneJson(job), status });
}
