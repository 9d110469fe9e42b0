import { isIPv6 } from 'node:net';
import {
  cloneJson,
  type DraftObject,
  equalJson,
  listAt,
  objectAt,
  textAt,
  valueAt,
} from '@capstan/kube-apiserver';
import type { Json, KubeObject } from '@capstan/kube-object';
import { type Controller, type ControllerClient, splitKey } from '../control-loop.ts';
import { ownerReference } from '../pods.ts';

const SLICES = 'discovery.k8s.io/v1/endpointslices';
const ENDPOINTS = 'v1/endpoints';
const SERVICE_LABEL = 'kubernetes.io/service-name';
const MANAGER_LABEL = 'endpointslice.kubernetes.io/managed-by';
const MANAGER = 'endpointslicemirroring-controller.k8s.io';
const NOT_MIRRORED = [
  'endpoints.kubernetes.io/last-change-trigger-time',
  'kubectl.kubernetes.io/last-applied-configuration',
];

/** Endpoints that people write for a service without a selector: EndpointSlices that say the same. */
export const endpointsMirrorController: Controller = {
  name: 'endpointslicemirroring-controller',
  keysFor({ bucket, key, object }) {
    if (bucket === '/endpoints' || bucket === '/services') return [key];
    if (bucket !== 'discovery.k8s.io/endpointslices') return [];
    const { namespace = '', labels } = object.metadata;
    if (labels?.[MANAGER_LABEL] !== MANAGER) return [];
    return [`${namespace}/${labels[SERVICE_LABEL] ?? ''}`];
  },
  reconcile(key, { client }) {
    const [namespace, name] = splitKey(key);
    const endpoints = client.get(ENDPOINTS, namespace, name);
    const wanted = isMirrored(endpoints, client) ? slicesOf(endpoints) : [];
    const left = client
      .list(SLICES, namespace)
      .filter(({ metadata: { labels } }) => labels?.[MANAGER_LABEL] === MANAGER)
      .filter(({ metadata: { labels } }) => labels?.[SERVICE_LABEL] === name);
    for (const slice of wanted) {
      const at = left.findIndex((one) => equalJson(placeOf(one), placeOf(slice)));
      const [known] = at < 0 ? [] : left.splice(at, 1);
      if (known === undefined) client.create(SLICES, slice);
      else keepUp(known, slice, client);
    }
    for (const { metadata } of left) client.remove(SLICES, namespace, metadata.name ?? '');
  },
};

function isMirrored(
  endpoints: KubeObject | undefined,
  client: ControllerClient,
): endpoints is KubeObject {
  if (endpoints === undefined) return false;
  const { namespace = '', name = '', labels, annotations } = endpoints.metadata;
  if (labels?.['endpointslice.kubernetes.io/skip-mirror'] === 'true') return false;
  if (annotations?.['control-plane.alpha.kubernetes.io/leader'] !== undefined) return false;
  const service = client.get('v1/services', namespace, name);
  return service !== undefined && valueAt(service, 'spec', 'selector') === undefined;
}

/** A slice is for one kind of addresses and one set of ports. */
function placeOf(slice: KubeObject | DraftObject): Json[] {
  return [textAt(slice, 'addressType'), listAt(slice, 'ports').map((port) => cloneJson(port))];
}

function keepUp(known: KubeObject, wanted: DraftObject, client: ControllerClient): void {
  const isSame =
    equalJson(known['endpoints'] ?? [], wanted['endpoints'] ?? []) &&
    equalJson(known.metadata.labels, objectAt(wanted, 'metadata', 'labels')) &&
    equalJson(known.metadata.annotations ?? {}, objectAt(wanted, 'metadata', 'annotations'));
  if (isSame) return;
  const { labels, annotations } = objectAt(wanted, 'metadata') as DraftObject;
  const metadata = { ...cloneJson(objectAt(known, 'metadata')), labels, annotations };
  client.update(SLICES, {
    ...cloneJson(known),
    metadata,
    endpoints: wanted['endpoints'] ?? [],
  } as DraftObject);
}

function slicesOf(endpoints: KubeObject): DraftObject[] {
  const slices = new Map<string, DraftObject & { endpoints: DraftObject[] }>();
  for (const subset of listAt(endpoints, 'subsets')) {
    const ports = listAt(subset, 'ports').map((port) => ({
      name: textAt(port, 'name'),
      port: valueAt(port, 'port') ?? 0,
      protocol: textAt(port, 'protocol') || 'TCP',
      ...(textAt(port, 'appProtocol') === '' ? {} : { appProtocol: textAt(port, 'appProtocol') }),
    }));
    const add = (address: Json, ready: boolean): void => {
      const addressType = isIPv6(textAt(address, 'ip')) ? 'IPv6' : 'IPv4';
      const place = JSON.stringify([addressType, ports]);
      const slice = slices.get(place) ?? {
        ...emptySlice(endpoints),
        addressType,
        ports: cloneJson(ports),
        endpoints: [],
      };
      slices.set(place, slice);
      const made = endpointOf(address, ready);
      if (!slice.endpoints.some((one) => equalJson(one, made))) slice.endpoints.push(made);
    };
    for (const address of listAt(subset, 'addresses')) add(address, true);
    for (const address of listAt(subset, 'notReadyAddresses')) add(address, false);
  }
  return [...slices.values()];
}

function emptySlice(endpoints: KubeObject): DraftObject {
  const { namespace = '', name = '', labels, annotations } = endpoints.metadata;
  const shown = Object.entries(annotations ?? {}).filter(([key]) => !NOT_MIRRORED.includes(key));
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels: { ...labels, [SERVICE_LABEL]: name, [MANAGER_LABEL]: MANAGER },
      annotations: Object.fromEntries(shown),
      ownerReferences: [ownerReference(endpoints)],
    },
  };
}

function endpointOf(address: Json, ready: boolean): DraftObject {
  const { ip = '', hostname, nodeName, targetRef } = objectAt(address);
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname === undefined ? {} : { hostname }),
    ...(targetRef === undefined ? {} : { targetRef: cloneJson(targetRef) }),
    ...(nodeName === undefined ? {} : { nodeName }),
  } as DraftObject;
}
