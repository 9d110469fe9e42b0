import type { Json, KubeObject } from '@capstan/kube-object';
import { ApiError, notFound } from './api-error.ts';
import { type Core, listBucket } from './core.ts';
import type { Call } from './handle-request.ts';
import type { ApiResponse } from './http-types.ts';
import { listAt, numberAt, textAt } from './json.ts';

/**
 * Hands a request on to a container: `/api/v1/namespaces/NS/pods/[SCHEME:]NAME[:PORT]/proxy/PATH`, and the same of services,
 * by the port's number or name.
 */
export function proxyToPod(core: Core, call: Call): ApiResponse {
  const { namespace, rest } = call.info;
  const [, name = '', port = ''] = /^(?:https?:)?([^:]+)(?::([^:]*))?$/.exec(call.info.name) ?? [];
  const bucket = call.resource.bucket;
  const object = core.store.get(bucket, `${namespace}/${name}`);
  if (object === undefined) throw notFound({ group: '', resource: call.resource.name, name });
  const target =
    bucket === '/pods' ? { pod: object, port: podPort(object, port) } : backend(core, object, port);
  const search = call.request.path.split('?')[1];
  const { status, headers, body } = core.runtime.request(target.pod, target.port, {
    method: call.request.method,
    path: `/${rest}${search === undefined ? '' : `?${search}`}`,
    headers: call.request.headers,
  });
  return { status, headers, body };
}

const PORT_DEFAULT = 80;

/** Without one it is the first that a container declares. */
function podPort(pod: KubeObject, wanted: string): number {
  if (/^\d+$/.test(wanted)) return Number(wanted);
  const ports = listAt(pod, 'spec', 'containers').flatMap((item) => listAt(item, 'ports'));
  const named = wanted === '' ? ports[0] : ports.find((port) => textAt(port, 'name') === wanted);
  return numberAt(named, 'containerPort') ?? PORT_DEFAULT;
}

function backend(
  core: Core,
  service: KubeObject,
  wanted: string,
): { readonly pod: KubeObject; readonly port: number } {
  const { namespace = '', name = '' } = service.metadata;
  const ports = listAt(service, 'spec', 'ports');
  const isWanted = (port: Json): boolean =>
    textAt(port, 'name') === wanted || String(numberAt(port, 'port')) === wanted;
  const port = wanted === '' ? ports[0] : ports.find(isWanted);
  if (port === undefined) {
    throw unavailable(`no service port ${wanted} found for service "${name}"`);
  }
  const slices = listBucket(core.store, 'discovery.k8s.io/endpointslices', namespace).filter(
    (slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === name,
  );
  for (const slice of slices) {
    const number = listAt(slice, 'ports').find(
      (item) => textAt(item, 'name') === textAt(port, 'name'),
    );
    for (const endpoint of listAt(slice, 'endpoints')) {
      const pod = core.store.get('/pods', `${namespace}/${textAt(endpoint, 'targetRef', 'name')}`);
      const target = numberAt(number, 'port');
      if (pod !== undefined && target !== undefined) return { pod, port: target };
    }
  }
  throw unavailable(`no endpoints available for service "${name}"`);
}

function unavailable(message: string): ApiError {
  return new ApiError(503, 'ServiceUnavailable', message);
}
