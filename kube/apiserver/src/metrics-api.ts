import {
  addQuantities,
  formatQuantity,
  type JsonObject,
  type KubeObject,
  parseQuantity,
} from '@capstan/kube-object';
import { methodNotAllowed, notFound } from './api-error.ts';
import { type Core, listBucket, timestamp } from './core.ts';
import { encodeList, encodeObject } from './encode.ts';
import type { Call } from './handle-request.ts';
import type { ApiResponse } from './http-types.ts';
import { listAt, textAt, valueAt } from './json.ts';
import { readListOptions, selects } from './list-objects.ts';
import { representationFor } from './negotiation.ts';
import type { ServedGroup } from './registry.ts';
import type { ServedResource } from './served-resource.ts';

const GROUP = 'metrics.k8s.io';
const VERSION = 'v1beta1';
const WINDOW = '15s';
/** What a node needs for itself. */
const NODE_OVERHEAD: Usage = { cpu: '100m', memory: '256Mi' };

export interface Usage {
  readonly cpu: string;
  readonly memory: string;
}

function resource(name: string, kind: string, namespaced: boolean): ServedResource {
  return {
    group: GROUP,
    version: VERSION,
    name,
    singularName: '',
    kind,
    namespaced,
    verbs: ['get', 'list'],
    shortNames: [],
    categories: [],
    subresources: [],
    listKind: `${kind}List`,
    bucket: `${GROUP}/${name}`,
    storageVersion: VERSION,
    schema: undefined,
    strategy: {},
  };
}

/** What a cluster's metrics server adds to the API: computed when asked for, never stored. */
export const METRICS_GROUP: ServedGroup = {
  name: GROUP,
  versions: [
    {
      version: VERSION,
      resources: [resource('nodes', 'NodeMetrics', false), resource('pods', 'PodMetrics', true)],
    },
  ],
};

export function metricsResource(
  group: string,
  version: string,
  name: string,
): ServedResource | undefined {
  if (group !== GROUP || version !== VERSION) return undefined;
  return METRICS_GROUP.versions[0]?.resources.find((item) => item.name === name);
}

export function handleMetrics(core: Core, call: Call): ApiResponse {
  const { info, resource: served } = call;
  const representation = representationFor(call);
  const all = served.name === 'pods' ? podMetrics(core, info.namespace) : nodeMetrics(core);
  if (info.verb === 'get' && info.subresource === '') {
    const object = all.find(({ metadata }) => metadata.name === info.name);
    if (object === undefined) {
      throw notFound({ group: GROUP, resource: served.name, name: info.name });
    }
    return encodeObject(core, { status: 200, object, representation, call });
  }
  if (info.verb !== 'list') throw methodNotAllowed();
  const options = readListOptions(call.query, served);
  const items = all.filter((object) => selects(options, object));
  const listing = { items, resourceVersion: '', continueToken: '', remaining: undefined };
  return encodeList(core, { listing, representation, call });
}

function podMetrics(core: Core, namespace: string): KubeObject[] {
  return listBucket(core.store, '/pods', namespace).flatMap((pod) => {
    const containers = usageOf(core, pod);
    if (containers.length === 0) return [];
    return [metricsOf(core, 'PodMetrics', pod, { containers })];
  });
}

/** Only containers that run use anything. */
function usageOf(core: Core, pod: KubeObject): { readonly name: string; readonly usage: Usage }[] {
  return listAt(pod, 'status', 'containerStatuses')
    .filter((status) => valueAt(status, 'state', 'running') !== undefined)
    .map((status) => {
      const name = textAt(status, 'name');
      return { name, usage: core.runtime.usage(pod, name) };
    });
}

function nodeMetrics(core: Core): KubeObject[] {
  const pods = listBucket(core.store, '/pods');
  return listBucket(core.store, '/nodes').map((node) => {
    const here = pods.filter((pod) => textAt(pod, 'spec', 'nodeName') === node.metadata.name);
    const used = here.flatMap((pod) => usageOf(core, pod).map(({ usage }) => usage));
    return metricsOf(core, 'NodeMetrics', node, { usage: sum([NODE_OVERHEAD, ...used]) });
  });
}

function sum(all: readonly Usage[]): Usage {
  const total = (key: keyof Usage): string => {
    const amounts = all.flatMap((usage) => parseQuantity(usage[key]) ?? []);
    const [first, ...rest] = amounts;
    return first === undefined ? '0' : formatQuantity(rest.reduce(addQuantities, first));
  };
  return { cpu: total('cpu'), memory: total('memory') };
}

function metricsOf(
  core: Core,
  kind: string,
  { metadata: { name, namespace, labels } }: KubeObject,
  content: { readonly usage: Usage } | { readonly containers: readonly object[] },
): KubeObject {
  const now = timestamp(core.clock);
  return {
    kind,
    apiVersion: `${GROUP}/${VERSION}`,
    metadata: {
      name: name ?? '',
      ...(namespace === undefined ? {} : { namespace }),
      creationTimestamp: now,
      ...(labels === undefined ? {} : { labels }),
    },
    timestamp: now,
    window: WINDOW,
    ...(content as JsonObject),
  };
}
