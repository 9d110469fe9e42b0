import {
  childDraft,
  cloneJson,
  type DraftObject,
  equalJson,
  listAt,
  numberAt,
  objectAt,
  textAt,
  timestamp,
  valueAt,
} from '@capstan/kube-apiserver';
import type { KubeObject } from '@capstan/kube-object';
import { type Controller, type Surroundings, splitKey } from '../control-loop.ts';
import { withCondition } from '../pods.ts';
import { type MetricValue, readMetric } from './scaler-metrics.ts';

const AUTOSCALERS = 'autoscaling/v2/horizontalpodautoscalers';
/** How often the Metrics API is asked, as by the real controller. */
const PERIOD_MS = 15_000;
/** How long a size has stood before what the pods use makes it smaller, unless the autoscaler says otherwise. */
const SHRINK_AFTER_SECONDS = 300;

/** HorizontalPodAutoscalers: by the metric that one sets by annotation, else by what the target's pods use. */
export const autoscalerController: Controller = {
  name: 'horizontal-pod-autoscaler',
  keysFor(event, client) {
    if (event.bucket === 'autoscaling/horizontalpodautoscalers') {
      return event.removed ? [] : [event.key];
    }
    const namespace = event.object.metadata.namespace ?? '';
    if (!['apps/deployments', 'apps/statefulsets', 'apps/replicasets'].includes(event.bucket))
      return [];
    return client
      .list(AUTOSCALERS, namespace)
      .filter(
        (item) => textAt(item, 'spec', 'scaleTargetRef', 'name') === event.object.metadata.name,
      )
      .map((item) => `${namespace}/${item.metadata.name}`);
  },
  reconcile(key, surroundings) {
    const { client } = surroundings;
    const scaler = client.get(AUTOSCALERS, ...splitKey(key));
    if (scaler === undefined) return;
    const reference = objectAt(scaler, 'spec', 'scaleTargetRef');
    const path = client.pathOfKind(textAt(reference, 'apiVersion'), textAt(reference, 'kind'));
    const target =
      path === undefined
        ? undefined
        : client.get(path, scaler.metadata.namespace ?? '', textAt(reference, 'name'));
    if (path === undefined || target === undefined) {
      report(scaler, undefined, [], surroundings);
      return;
    }
    scaleTarget(scaler, path, target, surroundings);
  },
};

function scaleTarget(
  scaler: KubeObject,
  path: string,
  target: KubeObject,
  surroundings: Surroundings,
): void {
  const { client, record } = surroundings;
  const current = numberAt(target, 'spec', 'replicas') ?? 1;
  const metrics = listAt(scaler, 'spec', 'metrics').map((metric) =>
    readMetric(metric, { client, scaler, target }),
  );
  if (metrics.some(({ isSet }) => !isSet)) {
    surroundings.again(`${scaler.metadata.namespace}/${scaler.metadata.name}`, PERIOD_MS);
  }
  const known = metrics.filter((metric) => metric.value !== undefined);
  const minimum = numberAt(scaler, 'spec', 'minReplicas') ?? 1;
  const maximum = numberAt(scaler, 'spec', 'maxReplicas') ?? 1;
  const wanted =
    known.length === 0
      ? current
      : Math.max(...known.map((metric) => proposal(current, metric.value ?? 0, metric.target)));
  const steady = wanted < current && !mayShrink(scaler, known, surroundings) ? current : wanted;
  const bounded = current === 0 ? 0 : Math.min(maximum, Math.max(minimum, steady));
  if (bounded !== current) {
    const draft = cloneJson(target);
    childDraft(draft, 'spec')['replicas'] = bounded;
    client.update(path, draft);
    const why = wanted > current ? 'above' : 'below';
    record(
      scaler,
      'Normal',
      'SuccessfulRescale',
      `New size: ${bounded}; reason: metrics ${why} target`,
    );
  }
  report(
    client.get(AUTOSCALERS, scaler.metadata.namespace ?? '', scaler.metadata.name ?? '') ?? scaler,
    { current, desired: bounded, known: known.length > 0 || metrics.length === 0 },
    metrics,
    surroundings,
  );
}

/** What somebody has set counts at once; what pods use must have stood for a while. */
function mayShrink(
  scaler: KubeObject,
  known: readonly MetricValue[],
  { clock }: Surroundings,
): boolean {
  if (known.some(({ isSet }) => isSet)) return true;
  const window =
    numberAt(scaler, 'spec', 'behavior', 'scaleDown', 'stabilizationWindowSeconds') ??
    SHRINK_AFTER_SECONDS;
  const since = Math.max(
    Date.parse(textAt(scaler, 'status', 'lastScaleTime')) || 0,
    Date.parse(scaler.metadata.creationTimestamp ?? '') || 0,
  );
  return clock.now() - since >= window * 1000;
}

const TOLERANCE = 0.1;

function proposal(current: number, value: number, target: number): number {
  const ratio = value / target;
  return Math.abs(ratio - 1) <= TOLERANCE ? current : Math.ceil(current * ratio);
}

function report(
  scaler: KubeObject,
  size: { current: number; desired: number; known: boolean } | undefined,
  metrics: readonly MetricValue[],
  { client, clock }: Surroundings,
): void {
  const now = timestamp(clock);
  const old = listAt(scaler, 'status', 'conditions');
  let conditions = withCondition(
    old,
    size === undefined
      ? {
          type: 'AbleToScale',
          status: 'False',
          reason: 'FailedGetScale',
          message: "the HPA controller was unable to get the target's current scale",
        }
      : {
          type: 'AbleToScale',
          status: 'True',
          reason: 'ReadyForNewScale',
          message: 'recommended size matches current size',
        },
    now,
  );
  if (size !== undefined) {
    conditions = withCondition(
      conditions,
      size.known
        ? {
            type: 'ScalingActive',
            status: 'True',
            reason: 'ValidMetricFound',
            message: 'the HPA was able to successfully calculate a replica count',
          }
        : {
            type: 'ScalingActive',
            status: 'False',
            reason: 'FailedGetResourceMetric',
            message: `the HPA was unable to compute the replica count: ${metrics.find(({ problem }) => problem !== '')?.problem ?? ''}`,
          },
      now,
    );
  }
  const status: DraftObject = {
    ...(size === undefined ? {} : { currentReplicas: size.current }),
    desiredReplicas: size?.desired ?? 0,
    currentMetrics: metrics.flatMap(({ value, shown }) => (value === undefined ? [] : [shown])),
    ...lastScaleTime(scaler, size, now),
    conditions,
  };
  if (equalJson(status, valueAt(scaler, 'status'))) return;
  client.updateStatus(AUTOSCALERS, { ...cloneJson(scaler), status });
}

function lastScaleTime(
  scaler: KubeObject,
  size: { readonly current: number; readonly desired: number } | undefined,
  now: string,
): DraftObject {
  if (size !== undefined && size.current !== size.desired) return { lastScaleTime: now };
  const known = textAt(scaler, 'status', 'lastScaleTime');
  return known === '' ? {} : { lastScaleTime: known };
}
