import {
  cloneJson,
  type DraftObject,
  equalJson,
  fromSelectorObject,
  listAt,
  matchesLabels,
  numberAt,
  objectAt,
  textAt,
  valueAt,
} from '@capstan/kube-apiserver';
import type { Json, KubeObject } from '@capstan/kube-object';
import { type Controller, splitKey } from '../control-loop.ts';
import { isPodReady, isTerminating, ownerReference } from '../pods.ts';

const SLICES = 'discovery.k8s.io/v1/endpointslices';

/** Services with a selector: an EndpointSlice, and the older Endpoints, of the pods behind them. */
const SERVICE_LABEL = 'kubernetes.io/service-name';

export const endpointsController: Controller = {
  name: 'endpointslice-controller',
  keysFor(event, client) {
    if (event.bucket === '/services') return [event.key];
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
    const slice = client
      .list(SLICES, namespace)
      .find(({ metadata: { labels } }) => labels?.[SERVICE_LABEL] === name && isOwn(labels));
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
    const wantedSlice = sliceOf(service, pods);
    if (slice === undefined) client.create(SLICES, wantedSlice);
    else if (!sameFields(slice, wantedSlice, ['endpoints', 'ports'])) {
      client.update(SLICES, {
        ...cloneJson(slice),
        endpoints: wantedSlice['endpoints']!,
        ports: wantedSlice['ports']!,
      });
    }
    const wanted = endpointsOf(service, pods);
    if (endpoints === undefined) client.create('v1/endpoints', wanted);
    else if (!sameFields(endpoints, wanted, ['subsets'])) {
      const { subsets: _, ...rest } = cloneJson(endpoints);
      const subsets = wanted['subsets'];
      client.update('v1/endpoints', { ...rest, ...(subsets === undefined ? {} : { subsets }) });
    }
  },
};

function isOwn(labels: { readonly [key: string]: string }): boolean {
  return labels['endpointslice.kubernetes.io/managed-by'] === 'endpointslice-controller.k8s.io';
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

function targetPort(port: Json, pods: readonly KubeObject[]): number {
  const target = valueAt(port, 'targetPort');
  if (typeof target === 'number') return target;
  for (const container of pods.flatMap((pod) => listAt(pod, 'spec', 'containers'))) {
    for (const open of listAt(container, 'ports')) {
      if (textAt(open, 'name') === target) return numberAt(open, 'containerPort') ?? 0;
    }
  }
  return numberAt(port, 'port') ?? 0;
}

function portsOf(service: KubeObject, pods: readonly KubeObject[]): DraftObject[] {
  return listAt(service, 'spec', 'ports').map((port) => ({
    name: textAt(port, 'name'),
    port: targetPort(port, pods),
    protocol: textAt(port, 'protocol') || 'TCP',
  }));
}

function reference(pod: KubeObject): DraftObject {
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  return { kind: 'Pod', namespace, name, uid };
}

function sliceOf(service: KubeObject, pods: readonly KubeObject[]): DraftObject {
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
    ports: portsOf(service, pods),
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
  const ready = alive.filter(isPodReady).map(address);
  const unready = alive.filter((pod) => !isPodReady(pod)).map(address);
  const ports = portsOf(service, pods).map(({ name: portName, ...port }) => ({
    ...(portName === '' ? {} : { name: portName }),
    ...port,
  }));
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      name,
      namespace,
      labels: { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' },
    },
    ...(alive.length === 0
      ? {}
      : {
          subsets: [
            {
              ...(ready.length === 0 ? {} : { addresses: ready }),
              ...(unready.length === 0 ? {} : { notReadyAddresses: unready }),
              ports,
            },
          ],
        }),
  };
}
