import {
  cloneJson,
  type DraftObject,
  equalJson,
  isObject,
  listAt,
  numberAt,
  objectAt,
  textAt,
  timestamp,
  valueAt,
} from '@capstan/kube-apiserver';
import type { KubeObject } from '@capstan/kube-object';
import type { Controller, ControllerClient } from '../control-loop.ts';
import { withCondition } from '../pods.ts';

const API_SERVICES = 'apiregistration.k8s.io/v1/apiservices';
const SLICES = 'discovery.k8s.io/v1/endpointslices';
const SERVICE_NAME = 'kubernetes.io/service-name';

/**
 * APIServices: available as soon as something answers for their Service, as kube-aggregator's availability controller says it.
 * What answers is simulated: that it serves the group is taken for granted.
 */
export const apiServiceController: Controller = {
  name: 'available-controller',
  keysFor({ bucket, key, object, removed }, client) {
    if (bucket === 'apiregistration.k8s.io/apiservices') return removed ? [] : [key];
    const { namespace = '', name = '', labels } = object.metadata;
    if (bucket === '/services') return servedBy(client, namespace, name);
    if (bucket !== 'discovery.k8s.io/endpointslices') return [];
    return servedBy(client, namespace, labels?.[SERVICE_NAME] ?? '');
  },
  reconcile(key, { client, clock }) {
    const found = client.get(API_SERVICES, '', key);
    if (found === undefined) return;
    const old = objectAt(found, 'status');
    const condition = { type: 'Available', ...availability(client, found) };
    const conditions = withCondition(listAt(old, 'conditions'), condition, timestamp(clock));
    const status = { ...old, conditions };
    if (equalJson(status, old)) return;
    client.updateStatus(API_SERVICES, { ...cloneJson(found), status: cloneJson(status) });
  },
};

function servedBy(client: ControllerClient, namespace: string, name: string): string[] {
  return client
    .list(API_SERVICES)
    .filter(
      (one) =>
        textAt(one, 'spec', 'service', 'namespace') === namespace &&
        textAt(one, 'spec', 'service', 'name') === name,
    )
    .map(({ metadata }) => metadata.name ?? '');
}

function availability(client: ControllerClient, found: KubeObject): DraftObject {
  const reference = valueAt(found, 'spec', 'service');
  if (!isObject(reference)) {
    return yes('Local', 'Local APIServices are always available');
  }
  const [namespace, name] = [textAt(reference, 'namespace'), textAt(reference, 'name')];
  const what = `service/${name} in "${namespace}"`;
  const service = client.get('v1/services', namespace, name);
  if (service === undefined) return no('ServiceNotFound', `${what} is not present`);
  const number = numberAt(reference, 'port') ?? 443;
  const port = listAt(service, 'spec', 'ports').find((one) => numberAt(one, 'port') === number);
  if (port === undefined) {
    return no('ServicePortError', `${what} is not listening on port ${number}`);
  }
  const portName = textAt(port, 'name');
  const isAnswered = client
    .list(SLICES, namespace)
    .filter(({ metadata }) => metadata.labels?.[SERVICE_NAME] === name)
    .some(
      (slice) =>
        listAt(slice, 'ports').some((one) => textAt(one, 'name') === portName) &&
        listAt(slice, 'endpoints').some((one) => valueAt(one, 'conditions', 'ready') !== false),
    );
  if (isAnswered) return yes('Passed', 'all checks passed');
  const missing = `endpoints for ${what} have no addresses with port name "${portName}"`;
  return no('MissingEndpoints', missing);
}

function yes(reason: string, message: string): DraftObject {
  return { status: 'True', reason, message };
}

function no(reason: string, message: string): DraftObject {
  return { status: 'False', reason, message };
}
