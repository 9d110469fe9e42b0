import {
  cloneJson,
  type DraftObject,
  equalJson,
  fromSelectorObject,
  listAt,
  matchesLabels,
  numberAt,
  objectAt,
  type StoreEvent,
  textAt,
  valueAt,
} from '@capstan/kube-apiserver';
import type { Json, KubeObject } from '@capstan/kube-object';
import { type Controller, type ControllerClient, splitKey } from '../control-loop.ts';
import { isPodReady, isTerminating, ownerReference } from '../pods.ts';

const SLICES = 'discovery.k8s.io/v1/endpointslices';

/** Services with a selector: an EndpointSlice, and the older Endpoints, of the pods behind them. */
const SERVICE_LABEL = 'kubernetes.io/service-name';

export const endpointsController: Controller = {
  name: 'endpointslice-controller',
  keysFor(event, client) {
    if (event.bucket === '/services') return [event.key];
    // What somebody has deleted is made anew.
    if (event.bucket === '/endpoints') return event.removed ? [event.key] : [];
    if (event.bucket === 'discovery.k8s.io/endpointslices') return sliceKeys(event);
    if (event.bucket !== '/pods') return [];
    const { namespace = '' } = event.object.metadata;
    return client
      .list('v1/services', namespace)
      .filter((service) => selects(service, event.object) || selects(service, event.previous))
      .map((service) => `${namespace}/${service.metadata.name}`);
  },
  reconcile(key, { client }) {
    const [namespace, name] = splitKey(key);
    const service = client.get('v1/services', namespace, name);
    const endpoints = client.get('v1/endpoints', namespace, name);
    if (service === undefined) {
      if (endpoints !== undefined) client.remove('v1/endpoints', namespace, name);
      return;
    }
    if (valueAt(service, 'spec', 'selector') === undefined || isTerminating(service)) return;
    const pods = client
      .list('v1/pods', namespace)
      .filter((pod) => selects(service, pod) && textAt(pod, 'status', 'podIP') !== '')
      .filter((pod) => !['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase')));
    keepSlices(service, slicesOf(service, pods), client);
    const wanted = endpointsOf(service, pods);
    if (endpoints === undefined) client.create('v1/endpoints', wanted);
    else if (!sameFields(endpoints, wanted, ['subsets'])) {
      const { subsets: _, ...rest } = cloneJson(endpoints);
      const subsets = wanted['subsets'];
      client.update('v1/endpoints', { ...rest, ...(subsets === undefined ? {} : { subsets }) });
    }
  },
};

function sliceKeys({ object, removed }: StoreEvent): string[] {
  const { namespace = '', labels } = object.metadata;
  return removed && isOwn(labels) ? [`${namespace}/${labels?.[SERVICE_LABEL] ?? ''}`] : [];
}

function isOwn(labels: { readonly [key: string]: string } | undefined): boolean {
  return labels?.['endpointslice.kubernetes.io/managed-by'] === 'endpointslice-controller.k8s.io';
}

function sameFields(object: KubeObject, wanted: DraftObject, fields: readonly string[]): boolean {
  return fields.every((field) => equalJson(emptied(object[field]), emptied(wanted[field])));
}

function emptied(value: Json | undefined): Json | undefined {
  return value === null || (Array.isArray(value) && value.length === 0) ? undefined : value;
}

function selects(service: KubeObject, pod: KubeObject | undefined): boolean {
  const matchLabels = valueAt(service, 'spec', 'selector');
  if (pod === undefined || matchLabels === undefined) return false;
  return matchesLabels(fromSelectorObject({ matchLabels }) ?? [], pod.metadata.labels);
}

/** The number of a pod's port that a service leads to; undefined when the pod has none of that name. */
function targetPort(port: Json, pod: KubeObject): number | undefined {
  const target = valueAt(port, 'targetPort');
  if (typeof target === 'number') return target;
  const named = listAt(pod, 'spec', 'containers')
    .flatMap((container) => listAt(container, 'ports'))
    .find((open) => textAt(open, 'name') === target);
  return numberAt(named, 'containerPort');
}

function portsOf(service: KubeObject, pod: KubeObject): DraftObject[] {
  return listAt(service, 'spec', 'ports').flatMap((port) => {
    const number = targetPort(port, pod);
    if (number === undefined) return [];
    const protocol = textAt(port, 'protocol') || 'TCP';
    return [{ name: textAt(port, 'name'), port: number, protocol }];
  });
}

interface Group {
  readonly ports: DraftObject[];
  readonly pods: KubeObject[];
}

/** Pods that are reached at the same ports: a name may stand for another number in each pod. */
function byPorts(service: KubeObject, pods: readonly KubeObject[]): Group[] {
  const groups = new Map<string, Group>();
  for (const pod of pods) {
    const ports = portsOf(service, pod);
    const place = JSON.stringify(ports);
    const group = groups.get(place) ?? { ports, pods: [] };
    groups.set(place, group);
    group.pods.push(pod);
  }
  return [...groups.values()];
}

/** A slice for each set of ports; one without any when there are no pods. */
function slicesOf(service: KubeObject, pods: readonly KubeObject[]): DraftObject[] {
  const groups = byPorts(service, pods);
  return (groups.length === 0 ? [{ ports: [], pods: [] }] : groups).map((group) =>
    sliceOf(service, group),
  );
}

/** Those of the same ports are kept up to date; what else there is turns into what is missing, or goes. */
function keepSlices(
  service: KubeObject,
  wanted: readonly DraftObject[],
  client: ControllerClient,
): void {
  const { namespace = '', name } = service.metadata;
  const left = client
    .list(SLICES, namespace)
    .filter(({ metadata: { labels } }) => labels?.[SERVICE_LABEL] === name && isOwn(labels));
  const missing = wanted.filter((slice) => {
    const at = left.findIndex((one) => sameFields(one, slice, ['ports']));
    const [known] = at < 0 ? [] : left.splice(at, 1);
    if (known !== undefined) updateSlice(known, slice, client);
    return known === undefined;
  });
  for (const slice of missing) {
    const reused = left.shift();
    if (reused === undefined) client.create(SLICES, slice);
    else updateSlice(reused, slice, client);
  }
  for (const { metadata } of left) client.remove(SLICES, namespace, metadata.name ?? '');
}

function updateSlice(known: KubeObject, wanted: DraftObject, client: ControllerClient): void {
  if (sameFields(known, wanted, ['endpoints', 'ports'])) return;
  const { endpoints = [], ports = [] } = wanted;
  client.update(SLICES, { ...cloneJson(known), endpoints, ports });
}

function reference(pod: KubeObject): DraftObject {
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  return { kind: 'Pod', namespace, name, uid };
}

function sliceOf(service: KubeObject, { ports, pods }: Group): DraftObject {
  const { namespace = '', name: serviceName = '' } = service.metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${serviceName}-`,
      namespace,
      labels: {
        ...cloneJson(objectAt(service, 'metadata', 'labels')),
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        'kubernetes.io/service-name': serviceName,
      },
      ownerReferences: [ownerReference(service)],
    },
    addressType: 'IPv4',
    endpoints: pods.map((pod) => ({
      addresses: [textAt(pod, 'status', 'podIP')],
      conditions: {
        ready: isPodReady(pod) && !isTerminating(pod),
        serving: isPodReady(pod),
        terminating: isTerminating(pod),
      },
      targetRef: reference(pod),
      nodeName: textAt(pod, 'spec', 'nodeName'),
    })),
    ports,
  };
}

function endpointsOf(service: KubeObject, pods: readonly KubeObject[]): DraftObject {
  const { namespace = '', name = '' } = service.metadata;
  const address = (pod: KubeObject): DraftObject => ({
    ip: textAt(pod, 'status', 'podIP'),
    nodeName: textAt(pod, 'spec', 'nodeName'),
    targetRef: reference(pod),
  });
  const alive = pods.filter((pod) => !isTerminating(pod));
  const subsets = byPorts(service, alive).map((group): DraftObject => {
    const ready = group.pods.filter(isPodReady).map(address);
    const unready = group.pods.filter((pod) => !isPodReady(pod)).map(address);
    return {
      ...(ready.length === 0 ? {} : { addresses: ready }),
      ...(unready.length === 0 ? {} : { notReadyAddresses: unready }),
      ports: group.ports.map(({ name: portName = '', ...port }) => ({
        ...(portName === '' ? {} : { name: portName }),
        ...port,
      })),
    };
  });
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      name,
      namespace,
      labels: { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' },
    },
    ...(subsets.length === 0 ? {} : { subsets }),
  };
}
