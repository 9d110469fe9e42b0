import {
  type DraftObject,
  fromSelectorObject,
  listAt,
  matchesLabels,
  numberAt,
  objectAt,
  textAt,
  valueAt,
} from '@capstan/kube-apiserver';
import { type Json, type KubeObject, parseQuantity, quantityToNumber } from '@capstan/kube-object';
import { usageOf } from '../containers/usage.ts';
import type { ControllerClient } from '../control-loop.ts';
import { isActive, isPodReady } from '../pods.ts';

/** On the autoscaler or on its target: the present value of a metric, e.g. `metric.sandbox.capstan.dev/cpu: "90"`. */
export const METRIC = 'metric.sandbox.capstan.dev/';

/** One metric of an autoscaler. */
export interface MetricValue {
  readonly name: string;
  readonly target: number;
  /** In the unit of the target; undefined: `problem` says why it is not known. */
  readonly value: number | undefined;
  readonly problem: string;
  /** Somebody has set it: it counts at once. */
  readonly isSet: boolean;
  /** For `status.currentMetrics`. */
  readonly shown: DraftObject;
}

interface Where {
  readonly client: ControllerClient;
  readonly scaler: KubeObject;
  readonly target: KubeObject;
}

/** What an annotation says, else for resources what the Metrics API tells of the target's pods. */
export function readMetric(metric: Json, where: Where): MetricValue {
  const type = textAt(metric, 'type');
  const section = objectAt(metric, type.charAt(0).toLowerCase() + type.slice(1));
  const name = textAt(section, 'name') || textAt(section, 'metric', 'name');
  const aim = objectAt(section, 'target');
  const utilization = numberAt(aim, 'averageUtilization');
  const target = utilization ?? amount(textAt(aim, 'averageValue') || textAt(aim, 'value')) ?? 1;
  const said =
    where.scaler.metadata.annotations?.[METRIC + name] ??
    where.target.metadata.annotations?.[METRIC + name];
  const isResource = type === 'Resource' || type === 'ContainerResource';
  const shownAs = (current: DraftObject): DraftObject => ({
    type: isResource ? type : 'Resource',
    [type === 'ContainerResource' ? 'containerResource' : 'resource']: {
      ...(type === 'ContainerResource' ? { container: textAt(section, 'container') } : {}),
      name,
      current,
    },
  });
  if (said !== undefined) {
    const value = amount(said) ?? 0;
    const shown = shownAs({ averageUtilization: Math.round(value), averageValue: said });
    return { name, target, value, problem: '', isSet: true, shown };
  }
  const unknown = (problem: string): MetricValue => {
    return { name, target, value: undefined, problem, isSet: false, shown: {} };
  };
  if (!isResource) return unknown(`no value is set: annotate the target with ${METRIC}${name}`);
  const container = type === 'ContainerResource' ? textAt(section, 'container') : undefined;
  const usage = resourceUsage(where, name, container);
  if (typeof usage === 'string') return unknown(usage);
  const { used, requested, missing, pods } = usage;
  const averageValue = `${Math.round((used / pods) * MILLI)}m`;
  if (utilization === undefined) {
    const shown = shownAs({ averageValue });
    return { name, target, value: used / pods, problem: '', isSet: false, shown };
  }
  if (missing !== undefined) return unknown(missing);
  const value = Math.floor((PERCENT * used) / requested);
  const shown = shownAs({ averageUtilization: value, averageValue });
  return { name, target, value, problem: '', isSet: false, shown };
}

const PERCENT = 100;
const MILLI = 1000;

function amount(text: string): number | undefined {
  const quantity = parseQuantity(text);
  return quantity === undefined ? undefined : quantityToNumber(quantity);
}

interface ResourceUsage {
  readonly used: number;
  readonly requested: number;
  /** The first container that asks for nothing. */
  readonly missing: string | undefined;
  readonly pods: number;
}

function resourceUsage(
  { client, target }: Where,
  name: string,
  container: string | undefined,
): ResourceUsage | string {
  const selector = fromSelectorObject(valueAt(target, 'spec', 'selector')) ?? [];
  const pods = client
    .list('v1/pods', target.metadata.namespace ?? '')
    .filter(
      (pod) => isActive(pod) && isPodReady(pod) && matchesLabels(selector, pod.metadata.labels),
    );
  if (pods.length === 0) return `no metrics returned from resource metrics API`;
  let used = 0;
  let requested = 0;
  let missing: string | undefined;
  for (const pod of pods) {
    for (const item of listAt(pod, 'spec', 'containers')) {
      const own = textAt(item, 'name');
      if (container !== undefined && container !== own) continue;
      const usage: Readonly<Record<string, string | undefined>> = { ...usageOf(pod, own) };
      used += amount(usage[name] ?? '0') ?? 0;
      const asked = amount(textAt(item, 'resources', 'requests', name));
      requested += asked ?? 0;
      if (asked === undefined) {
        missing ??= `failed to get ${name} utilization: missing request for ${name} in container ${own} of Pod ${pod.metadata.name}`;
      }
    }
  }
  return { used, requested, missing, pods: pods.length };
}
