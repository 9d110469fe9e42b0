import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { type Core, listBucket } from '../core.ts';
import { listAt, numberAt, objectAt, textAt } from '../json.ts';
import type { WebhookEndpoint } from './webhook-call.ts';

/** Where a webhook is reached. `simulated`: in a pod that runs nothing, and so has no objections. */
export type WebhookTarget =
  | { readonly kind: 'endpoint'; readonly endpoint: WebhookEndpoint }
  | { readonly kind: 'simulated' }
  | { readonly kind: 'unreachable'; readonly message: string };

const PORT_DEFAULT = 443;
const TIMEOUT_DEFAULT = 10;

/** Finds a webhook's URL, or an endpoint of its service (k8s.io/apiserver's util/webhook and util/proxy). */
export function webhookTarget(core: Core, webhook: Json): WebhookTarget {
  const config = objectAt(webhook, 'clientConfig');
  const timeoutSeconds = numberAt(webhook, 'timeoutSeconds') ?? TIMEOUT_DEFAULT;
  const bundle = textAt(config, 'caBundle');
  const authorities = bundle === '' ? undefined : Buffer.from(bundle, 'base64').toString();
  const service = config['service'];
  if (service === undefined || service === null) {
    const url = textAt(config, 'url');
    return { kind: 'endpoint', endpoint: { url, authorities, timeoutSeconds } };
  }
  const name = textAt(service, 'name');
  const namespace = textAt(service, 'namespace');
  const port = numberAt(service, 'port') ?? PORT_DEFAULT;
  const path = textAt(service, 'path');
  const url = `https://${name}.${namespace}.svc:${port}${path.startsWith('/') || path === '' ? path : `/${path}`}`;
  const unreachable = (why: string): WebhookTarget => ({
    kind: 'unreachable',
    message: `failed to call webhook: Post ${JSON.stringify(`${url}?timeout=${timeoutSeconds}s`)}: ${why}`,
  });
  const found = core.store.get('/services', `${namespace}/${name}`);
  if (found === undefined) return unreachable(`service ${JSON.stringify(name)} not found`);
  const type = textAt(found, 'spec', 'type');
  if (type === 'ExternalName')
    return unreachable(`unsupported service type ${JSON.stringify(type)}`);
  const wanted = listAt(found, 'spec', 'ports').find((item) => numberAt(item, 'port') === port);
  if (wanted === undefined) {
    return unreachable(`no service port ${port} found for service ${JSON.stringify(name)}`);
  }
  const endpoint = readyEndpoint(core, found, textAt(wanted, 'name'));
  if (endpoint === undefined) {
    return unreachable(`no endpoints available for service ${JSON.stringify(name)}`);
  }
  if (endpoint.isPod) return { kind: 'simulated' };
  const { host, port: number } = endpoint;
  return {
    kind: 'endpoint',
    endpoint: { url, address: { host, port: number }, authorities, timeoutSeconds },
  };
}

function readyEndpoint(
  core: Core,
  service: KubeObject,
  portName: string,
): { readonly host: string; readonly port: number; readonly isPod: boolean } | undefined {
  const { namespace = '', name = '' } = service.metadata;
  for (const slice of listBucket(core.store, 'discovery.k8s.io/endpointslices', namespace)) {
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== name) continue;
    const port = listAt(slice, 'ports').find((item) => textAt(item, 'name') === portName);
    const number = numberAt(port, 'port');
    for (const endpoint of number === undefined ? [] : listAt(slice, 'endpoints')) {
      const conditions: JsonObject = objectAt(endpoint, 'conditions');
      const host = listAt(endpoint, 'addresses')[0];
      if (conditions['ready'] === false || typeof host !== 'string') continue;
      return { host, port: number ?? 0, isPod: textAt(endpoint, 'targetRef', 'kind') === 'Pod' };
    }
  }
  return undefined;
}
