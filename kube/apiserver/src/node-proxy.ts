import {
  type JsonObject,
  type KubeObject,
  parseQuantity,
  quantityToNumber,
} from '@capstan/kube-object';
import { notFound } from './api-error.ts';
import { type Core, listBucket, timestamp } from './core.ts';
import type { Call } from './handle-request.ts';
import type { ApiResponse } from './http-types.ts';
import { listAt, stringifyJson, textAt, valueAt } from './json.ts';

/** What the kubelet of a node says over `/api/v1/nodes/NAME/proxy/PATH`, as far as its pods have anything to tell. */
export function proxyToNode(core: Core, call: Call): ApiResponse {
  const name = call.info.name.split(':')[0] ?? '';
  const node = core.store.get('/nodes', name);
  if (node === undefined) throw notFound({ group: '', resource: 'nodes', name });
  const kubelet: Kubelet = {
    core,
    node,
    pods: listBucket(core.store, '/pods').filter((pod) => textAt(pod, 'spec', 'nodeName') === name),
  };
  const path = call.info.rest.replace(/\/$/, '');
  const logs = /^containerLogs\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(path);
  if (logs !== null) return containerLogs(core, logs[1] ?? '', logs[2] ?? '', logs[3] ?? '');
  switch (path) {
    case 'healthz':
      return plain('ok');
    case 'pods':
      return json({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: kubelet.pods });
    case 'stats/summary':
      return json(summary(kubelet));
    case 'configz':
      return json({ kubeletconfig: { maxPods: 110, enableServer: true } });
    case 'metrics':
      return prometheus(runningMetrics(kubelet));
    case 'metrics/resource':
      return prometheus(resourceMetrics(kubelet));
    default:
      return { ...plain('404 page not found\n'), status: 404 };
  }
}

interface Kubelet {
  readonly core: Core;
  readonly node: KubeObject;
  readonly pods: readonly KubeObject[];
}

interface Used {
  readonly cpu: number;
  readonly memory: number;
}

function json(body: JsonObject | { readonly items: readonly KubeObject[] }): ApiResponse {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: stringifyJson(body),
  };
}

function plain(body: string): ApiResponse {
  return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

function prometheus(lines: readonly string[]): ApiResponse {
  const headers = {
    'content-type': 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores',
  };
  return { status: 200, headers, body: `${lines.join('\n')}\n` };
}

function containerLogs(
  core: Core,
  namespace: string,
  name: string,
  container: string,
): ApiResponse {
  const pod = core.store.get('/pods', `${namespace}/${name}`);
  if (pod === undefined) {
    return { ...plain(`pod ${JSON.stringify(name)} does not exist\n`), status: 404 };
  }
  const request = { container, follow: false, previous: false, timestamps: false };
  const all = { tailLines: undefined, sinceMs: undefined, limitBytes: undefined };
  const body = core.runtime.logs(core, pod, { ...request, ...all, signal: undefined });
  return { status: 200, headers: { 'content-type': 'text/plain' }, body };
}

/** The containers of a pod that run, with what they use in cores and bytes. */
function containersOf(core: Core, pod: KubeObject): { name: string; since: string; used: Used }[] {
  return listAt(pod, 'status', 'containerStatuses').flatMap((status) => {
    const running = valueAt(status, 'state', 'running');
    if (running === undefined) return [];
    const name = textAt(status, 'name');
    const { cpu, memory } = core.runtime.usage(pod, name);
    const used = { cpu: numberOf(cpu), memory: numberOf(memory) };
    return [{ name, since: textAt(running, 'startedAt'), used }];
  });
}

function numberOf(text: string): number {
  const quantity = parseQuantity(text);
  return quantity === undefined ? 0 : quantityToNumber(quantity);
}

function total(all: readonly Used[]): Used {
  return {
    cpu: all.reduce((sum, { cpu }) => sum + cpu, 0),
    memory: all.reduce((sum, { memory }) => sum + memory, 0),
  };
}

const NANO = 1e9;

function summary({ core, node, pods }: Kubelet): JsonObject {
  const time = timestamp(core.clock);
  const stats = ({ cpu, memory }: Used, since: string): JsonObject => ({
    cpu: {
      time,
      usageNanoCores: Math.round(cpu * NANO),
      usageCoreNanoSeconds: Math.round(cpu * seconds(core, since) * NANO),
    },
    memory: { time, usageBytes: memory, workingSetBytes: memory, rssBytes: memory },
  });
  const shown = pods.map((pod) => {
    const containers = containersOf(core, pod);
    const since = textAt(pod, 'status', 'startTime');
    const { name = '', namespace = '', uid = '' } = pod.metadata;
    return {
      used: total(containers.map(({ used }) => used)),
      body: {
        podRef: { name, namespace, uid },
        startTime: since,
        containers: containers.map((one) => ({
          name: one.name,
          startTime: one.since,
          ...stats(one.used, one.since),
        })),
        ...stats(total(containers.map(({ used }) => used)), since),
      },
    };
  });
  const since = node.metadata.creationTimestamp ?? time;
  return {
    node: {
      nodeName: node.metadata.name ?? '',
      startTime: since,
      ...stats(total(shown.map(({ used }) => used)), since),
    },
    pods: shown.map(({ body }) => body),
  };
}

function seconds(core: Core, since: string): number {
  return Math.max(0, (core.clock.now() - (Date.parse(since) || core.clock.now())) / 1000);
}

function runningMetrics({ core, pods }: Kubelet): string[] {
  const containers = pods.map((pod) => containersOf(core, pod).length);
  const running = containers.filter((count) => count > 0).length;
  return [
    '# HELP kubelet_running_containers [ALPHA] Number of containers currently running',
    '# TYPE kubelet_running_containers gauge',
    `kubelet_running_containers{container_state="running"} ${containers.reduce((a, b) => a + b, 0)}`,
    '# HELP kubelet_running_pods [ALPHA] Number of pods that have a running pod sandbox',
    '# TYPE kubelet_running_pods gauge',
    `kubelet_running_pods ${running}`,
  ];
}

function resourceMetrics({ core, node, pods }: Kubelet): string[] {
  const rows = pods.map((pod) => ({ pod, containers: containersOf(core, pod) }));
  const nodeUsed = total(rows.flatMap(({ containers }) => containers.map(({ used }) => used)));
  const cpu = (used: Used, since: string): string => (used.cpu * seconds(core, since)).toFixed(6);
  const family = (name: string, type: string, lines: readonly string[]): string[] => [
    `# TYPE ${name} ${type}`,
    ...lines,
  ];
  const label = ({ metadata }: KubeObject): string =>
    `namespace="${metadata.namespace ?? ''}",pod="${metadata.name ?? ''}"`;
  const each = (
    line: (pod: KubeObject, one: { name: string; since: string; used: Used }) => string,
  ) => rows.flatMap(({ pod, containers }) => containers.map((one) => line(pod, one)));
  const sums = rows.map(({ pod, containers }) => ({
    pod,
    used: total(containers.map(({ used }) => used)),
  }));
  return [
    ...family(
      'container_cpu_usage_seconds_total',
      'counter',
      each(
        (pod, { name, since, used }) =>
          `container_cpu_usage_seconds_total{container="${name}",${label(pod)}} ${cpu(used, since)}`,
      ),
    ),
    ...family(
      'container_memory_working_set_bytes',
      'gauge',
      each(
        (pod, { name, used }) =>
          `container_memory_working_set_bytes{container="${name}",${label(pod)}} ${used.memory}`,
      ),
    ),
    ...family('node_cpu_usage_seconds_total', 'counter', [
      `node_cpu_usage_seconds_total ${cpu(nodeUsed, node.metadata.creationTimestamp ?? '')}`,
    ]),
    ...family('node_memory_working_set_bytes', 'gauge', [
      `node_memory_working_set_bytes ${nodeUsed.memory}`,
    ]),
    ...family(
      'pod_cpu_usage_seconds_total',
      'counter',
      sums.map(
        ({ pod, used }) =>
          `pod_cpu_usage_seconds_total{${label(pod)}} ${cpu(used, textAt(pod, 'status', 'startTime'))}`,
      ),
    ),
    ...family(
      'pod_memory_working_set_bytes',
      'gauge',
      sums.map(({ pod, used }) => `pod_memory_working_set_bytes{${label(pod)}} ${used.memory}`),
    ),
    ...family('resource_scrape_error', 'gauge', ['resource_scrape_error 0']),
  ];
}
