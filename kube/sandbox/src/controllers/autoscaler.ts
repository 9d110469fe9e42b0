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
import type { Json, KubeObject } from '@capstan/kube-object';
import { type Controller, type Surroundings, splitKey } from '../control-loop.ts';
import { withCondition } from '../pods.ts';

const AUTOSCALERS = 'autoscaling/v2/horizontalpodautoscalers';
/** On the autoscaler or on its target: the present value of a metric, e.g. `metric.sandbox.capstan.dev/cpu: "90"`. */
const METRIC = 'metric.sandbox.capstan.dev/';

/** HorizontalPodAutoscalers, with metrics that one sets by annotation; a metric that is not set keeps the size. */
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
    readMetric(metric, scaler, target),
  );
  const known = metrics.filter((metric) => metric.value !== undefined);
  const minimum = numberAt(scaler, 'spec', 'minReplicas') ?? 1;
  const maximum = numberAt(scaler, 'spec', 'maxReplicas') ?? 1;
  const wanted =
    known.length === 0
      ? current
      : Math.max(...known.map((metric) => proposal(current, metric.value ?? 0, metric.target)));
  const bounded = current === 0 ? 0 : Math.min(maximum, Math.max(minimum, wanted));
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
    { current, desired: bounded, known: known.length > 0 },
    metrics,
    surroundings,
  );
}

interface MetricValue {
  readonly name: string;
  readonly value: number | undefined;
  readonly target: number;
}

function readMetric(metric: Json, scaler: KubeObject, target: KubeObject): MetricValue {
  const type = textAt(metric, 'type');
  const section = objectAt(metric, type.charAt(0).toLowerCase() + type.slice(1));
  const name = textAt(section, 'name') || textAt(section, 'metric', 'name');
  const aim = objectAt(section, 'target');
  const limit =
    numberAt(aim, 'averageUtilization') ??
    Number.parseFloat(textAt(aim, 'averageValue') || textAt(aim, 'value') || '1');
  const text =
    scaler.metadata.annotations?.[METRIC + name] ?? target.metadata.annotations?.[METRIC + name];
  return { name, value: text === undefined ? undefined : Number(text), target: limit };
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
            message: `no value is set: annotate the target with ${METRIC}<name>`,
          },
      now,
    );
  }
  const status: DraftObject = {
    ...(size === undefined ? {} : { currentReplicas: size.current }),
    desiredReplicas: size?.desired ?? 0,
    currentMetrics: metrics
      .filter((metric) => metric.value !== undefined)
      .map((metric) => ({
        type: 'Resource',
        resource: {
          name: metric.name,
          current: { averageUtilization: metric.value ?? 0, averageValue: String(metric.value) },
        },
      })),
    conditions,
  };
  if (equalJson(status, valueAt(scaler, 'status'))) return;
  client.updateStatus(AUTOSCALERS, { ...cloneJson(scaler), status });
}
