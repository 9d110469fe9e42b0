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
import { type Controller, controllerKey, type Surroundings, splitKey } from '../control-loop.ts';
import { isTerminating, ownedBy, ownerReference } from '../pods.ts';
import { latestRun, nextRun, parseSchedule, type Schedule } from '../schedule.ts';
import { isFinished } from './job.ts';

const CRON_JOBS = 'batch/v1/cronjobs';
const JOBS = 'batch/v1/jobs';

/** CronJobs: a Job whenever the schedule says, and only a few finished ones are kept. */
export const cronJobController: Controller = {
  name: 'cronjob-controller',
  keysFor(event) {
    if (event.bucket === 'batch/cronjobs') return event.removed ? [] : [event.key];
    return event.bucket === 'batch/jobs' ? controllerKey(event, 'CronJob') : [];
  },
  reconcile(key, surroundings) {
    const { client, clock, again } = surroundings;
    const cron = client.get(CRON_JOBS, ...splitKey(key));
    if (cron === undefined || isTerminating(cron)) return;
    const jobs = ownedBy(client, JOBS, cron);
    prune(cron, jobs, surroundings);
    const schedule = parseSchedule(textAt(cron, 'spec', 'schedule'));
    const last =
      textAt(cron, 'status', 'lastScheduleTime') || cron.metadata.creationTimestamp || '';
    let scheduled: string | undefined;
    if (schedule !== undefined && !flagAt(cron, 'spec', 'suspend')) {
      const now = clock.now();
      const due = dueRun(cron, schedule, { after: Date.parse(last), now }, surroundings);
      if (due !== undefined) scheduled = start(cron, jobs, due, surroundings);
      const next = nextRun(schedule, now);
      if (next !== undefined) again(key, Math.max(1, next - now));
    }
    report(client.get(CRON_JOBS, ...splitKey(key)) ?? cron, scheduled, surroundings);
  },
};

const MISSED_MAX = 100;

/**
 * The run that shall start now. Of all that were missed, while the controller was away or the clock jumped, only the last
 * is made up for, and not even that when its deadline is over.
 */
function dueRun(
  cron: KubeObject,
  schedule: Schedule,
  { after, now }: { readonly after: number; readonly now: number },
  { record }: Surroundings,
): number | undefined {
  const first = nextRun(schedule, after);
  if (first === undefined || first > now) return undefined;
  const latest = latestRun(schedule, now) ?? first;
  const second = nextRun(schedule, first) ?? latest;
  const deadline = numberAt(cron, 'spec', 'startingDeadlineSeconds');
  if (
    second > first &&
    (latest - first) / (second - first) >= MISSED_MAX &&
    deadline === undefined
  ) {
    record(
      cron,
      'Warning',
      'TooManyMissedTimes',
      'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
    );
  }
  if (deadline === undefined || latest + deadline * 1000 >= now) return latest;
  record(
    cron,
    'Warning',
    'MissSchedule',
    `Missed scheduled time to start a job: ${new Date(latest).toUTCString()}`,
  );
  return undefined;
}

function start(
  cron: KubeObject,
  jobs: readonly KubeObject[],
  due: number,
  { client, record }: Surroundings,
): string | undefined {
  const active = jobs.filter((job) => !isFinished(job));
  const policy = textAt(cron, 'spec', 'concurrencyPolicy');
  if (policy === 'Forbid' && active.length > 0) {
    record(
      cron,
      'Normal',
      'JobAlreadyActive',
      'Not starting job because prior execution is running and concurrency policy is Forbid',
    );
    return undefined;
  }
  if (policy === 'Replace') {
    for (const job of active) {
      client.remove(JOBS, job.metadata.namespace ?? '', job.metadata.name ?? '', {
        propagation: 'Background',
      });
    }
  }
  const name = `${cron.metadata.name}-${Math.floor(due / 60_000)}`;
  const namespace = cron.metadata.namespace ?? '';
  if (client.get(JOBS, namespace, name) === undefined) {
    const template = objectAt(cron, 'spec', 'jobTemplate');
    client.create(JOBS, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name,
        namespace,
        labels: cloneJson(objectAt(template, 'metadata', 'labels')),
        annotations: {
          ...cloneJson(objectAt(template, 'metadata', 'annotations')),
          'batch.kubernetes.io/cronjob-scheduled-timestamp': new Date(due)
            .toISOString()
            .replace('.000', ''),
        },
        ownerReferences: [ownerReference(cron)],
      },
      spec: cloneJson(objectAt(template, 'spec')),
    });
    record(cron, 'Normal', 'SuccessfulCreate', `Created job ${name}`);
  }
  return new Date(due).toISOString().replace('.000', '');
}

function prune(cron: KubeObject, jobs: readonly KubeObject[], { client }: Surroundings): void {
  const finished = (type: string): KubeObject[] =>
    jobs
      .filter((job) =>
        listAt(job, 'status', 'conditions').some(
          (item) => textAt(item, 'type') === type && textAt(item, 'status') === 'True',
        ),
      )
      .sort((a, b) =>
        textAt(a, 'status', 'startTime') < textAt(b, 'status', 'startTime') ? -1 : 1,
      );
  const limits = { Complete: 'successfulJobsHistoryLimit', Failed: 'failedJobsHistoryLimit' };
  for (const [type, field] of Object.entries(limits)) {
    const done = finished(type);
    const limit = numberAt(cron, 'spec', field) ?? 3;
    for (const job of done.slice(0, Math.max(0, done.length - limit))) {
      client.remove(JOBS, job.metadata.namespace ?? '', job.metadata.name ?? '', {
        propagation: 'Background',
      });
    }
  }
}

function report(cron: KubeObject, scheduled: string | undefined, surroundings: Surroundings): void {
  const { client, clock } = surroundings;
  const jobs = ownedBy(client, JOBS, cron);
  const active = jobs.filter((job) => !isFinished(job));
  const old = objectAt(cron, 'status');
  const completions = jobs
    .map((job) => textAt(job, 'status', 'completionTime'))
    .filter((time) => time !== '')
    .sort();
  const success = completions.at(-1) ?? textAt(old, 'lastSuccessfulTime');
  const lastTime = scheduled ?? textAt(old, 'lastScheduleTime');
  const status: DraftObject = {
    ...(active.length === 0
      ? {}
      : {
          active: active.map((job) => ({
            kind: 'Job',
            namespace: job.metadata.namespace ?? '',
            name: job.metadata.name ?? '',
            uid: job.metadata.uid ?? '',
            apiVersion: 'batch/v1',
            resourceVersion: job.metadata.resourceVersion ?? '',
          })),
        }),
    ...(lastTime === '' ? {} : { lastScheduleTime: lastTime || timestamp(clock) }),
    ...(success === '' ? {} : { lastSuccessfulTime: success }),
  };
  if (equalJson(withoutVersions(status), withoutVersions(objectAt(cron, 'status')))) return;
  if (valueAt(cron, 'metadata', 'uid') === undefined) return;
  client.updateStatus(CRON_JOBS, { ...cloneJson(cron), status });
}

/** The jobs' own changes are no reason to write. */
function withoutVersions(status: object): DraftObject {
  return JSON.parse(
    JSON.stringify(status).replace(/"resourceVersion":"\d+"/g, '"resourceVersion":""'),
  ) as DraftObject;
}
