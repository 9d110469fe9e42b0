import type { RequestObserver } from '@capstan/kube-client';
import { type Clock, passedMs } from '@capstan/lib-std';
import type { ReconcileResult } from './controller-types.ts';
import type { Registry } from './metrics.ts';

/** What a controller tells about itself. Times are in seconds. */
export interface ControllerMetrics {
  started(concurrency: number): void;
  /** A key is queued; one that is being reconciled is queued for the time after. */
  added(priority: number): void;
  /** A queued key has a higher priority now. */
  raised(from: number, to: number): void;
  /** A queued key is so no more. */
  taken(priority: number): void;
  active(running: number): void;
  /** A reconcile begins, after it stood in the queue. */
  begin(waitedSeconds: number): RunMetrics;
  /** A key waits for a later time: a retry, a recheck, or somebody's wish. */
  retried(): void;
}

/** One of the two is called at the end. */
export interface RunMetrics {
  finished(result: ReconcileResult): void;
  interrupted(): void;
}

/** The metrics of controller-runtime (v0.25, pkg/internal/controller/metrics), under the same names and labels. */
export function createControllerMetrics(
  registry: Registry,
  controller: string,
  clock: Clock,
): ControllerMetrics {
  const labels = { controller };
  const queue = { controller, name: controller };
  const total = registry.counter(
    'controller_runtime_reconcile_total',
    'Total number of reconciliations per controller',
  );
  const errors = registry.counter(
    'controller_runtime_reconcile_errors_total',
    'Total number of reconciliation errors per controller',
  );
  const terminal = registry.counter(
    'controller_runtime_terminal_reconcile_errors_total',
    'Total number of terminal reconciliation errors per controller',
  );
  const panics = registry.counter(
    'controller_runtime_reconcile_panics_total',
    'Total number of reconciliation panics per controller',
  );
  // A reconcile has no time limit of its own here: there, so that rules and dashboards find it.
  const timeouts = registry.counter(
    'controller_runtime_reconcile_timeouts_total',
    'Total number of reconciliation timeouts per controller',
  );
  const time = registry.histogram(
    'controller_runtime_reconcile_time_seconds',
    'Length of time per reconciliation per controller',
    reconcileBuckets,
  );
  const concurrency = registry.gauge(
    'controller_runtime_max_concurrent_reconciles',
    'Maximum number of concurrent reconciles per controller',
  );
  const active = registry.gauge(
    'controller_runtime_active_workers',
    'Number of currently used workers per controller',
  );
  const work = queueMetrics(registry);
  for (const result of ['success', 'error', 'requeue', 'requeue_after']) {
    total.add({ ...labels, result }, 0);
  }
  for (const counter of [errors, terminal, panics, timeouts]) counter.add(labels, 0);
  active.set(labels, 0);
  for (const counter of [work.adds, work.retries]) counter.add(queue, 0);
  for (const histogram of [work.waited, work.worked]) histogram.show(queue);
  const depth = (priority: number, by: number): void =>
    work.depth.add({ ...queue, priority: String(priority) }, by);
  const starts = new Set<{ readonly ms: number }>();
  const ages = (): number[] => [...starts].map(({ ms }) => (passedMs(clock) - ms) / 1000);
  registry.gaugeFrom(
    'workqueue_unfinished_work_seconds',
    "How many seconds of work has been done that is in progress and hasn't been observed by work_duration. Large values indicate stuck threads. One can deduce the number of stuck threads by observing the rate at which this increases.",
    () => [[queue, ages().reduce((sum, age) => sum + age, 0)]],
  );
  registry.gaugeFrom(
    'workqueue_longest_running_processor_seconds',
    'How many seconds has the longest running processor for workqueue been running.',
    () => [[queue, Math.max(0, ...ages())]],
  );
  return {
    started: (count) => concurrency.set(labels, count),
    added(priority) {
      work.adds.add(queue);
      depth(priority, 1);
    },
    raised(from, to) {
      depth(from, -1);
      depth(to, 1);
    },
    taken: (priority) => depth(priority, -1),
    active: (running) => active.set(labels, running),
    begin(waitedSeconds) {
      const start = { ms: passedMs(clock) };
      starts.add(start);
      work.waited.observe(queue, waitedSeconds);
      const end = (result: string): void => {
        starts.delete(start);
        const seconds = (passedMs(clock) - start.ms) / 1000;
        total.add({ ...labels, result });
        time.observe(labels, seconds);
        work.worked.observe(queue, seconds);
      };
      return {
        finished(result) {
          end(resultOf(result));
          if (result.kind === 'settled') return;
          errors.add(labels);
          if (result.kind === 'stalled') terminal.add(labels);
          // What Go would have panicked at.
          if (result.error.kind === 'bug') panics.add(labels);
        },
        interrupted: () => end('requeue'),
      };
    },
    retried: () => work.retries.add(queue),
  };
}

function resultOf(result: ReconcileResult): string {
  if (result.kind !== 'settled') return 'error';
  return result.recheckAfterMs === undefined ? 'success' : 'requeue_after';
}

/** client-go's metrics of requests, as controller-runtime publishes them. Pass the result as a client's `observe`. */
export function createRequestMetrics(registry: Registry, host: string): RequestObserver {
  const requests = registry.counter(
    'rest_client_requests_total',
    'Number of HTTP requests, partitioned by status code, method, and host.',
  );
  return ({ method, status }) => {
    requests.add({ code: status === 0 ? '<error>' : String(status), host, method });
  };
}

/** The metric of client-go's leader election: 1 while this process leads. Set it from `onLeader`. */
export function createLeaderMetric(registry: Registry, name: string): (isLeader: boolean) => void {
  const status = registry.gauge(
    'leader_election_master_status',
    "Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master. 'name' is the string used to identify the lease. Please make sure to group by name.",
  );
  status.set({ name }, 0);
  return (isLeader) => status.set({ name }, isLeader ? 1 : 0);
}

function queueMetrics(registry: Registry) {
  return {
    adds: registry.counter('workqueue_adds_total', 'Total number of adds handled by workqueue'),
    depth: registry.gauge(
      'workqueue_depth',
      'Current depth of workqueue by workqueue and priority',
    ),
    waited: registry.histogram(
      'workqueue_queue_duration_seconds',
      'How long in seconds an item stays in workqueue before being requested',
      queueBuckets,
    ),
    worked: registry.histogram(
      'workqueue_work_duration_seconds',
      'How long in seconds processing an item from workqueue takes.',
      queueBuckets,
    ),
    retries: registry.counter(
      'workqueue_retries_total',
      'Total number of items added to the workqueue with a non-zero delay (rate-limited requeues, explicit RequeueAfter or AddAfter calls)',
    ),
  };
}

const reconcileBuckets = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1,
  1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
/** Each ten times the one before, with the error of its multiplication: dashboards know the bounds by their text. */
const queueBuckets = [
  1e-8, 1e-7, 1e-6, 9.999999999999999e-6, 9.999999999999999e-5, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000,
];
