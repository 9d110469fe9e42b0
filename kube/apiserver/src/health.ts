import type { ApiResponse } from './http-types.ts';

type Kind = 'healthz' | 'livez' | 'readyz';

/**
 * The checks of kube-apiserver 1.36, in their order. Whoever waits for one of them finds it under its name: here all that
 * they stand for is there before the first answer.
 */
const CHECKS: readonly (readonly [name: string, ...only: readonly Kind[]])[] = [
  ['ping'],
  ['log'],
  ['loopback-serving-certificate', 'healthz', 'livez'],
  ['etcd'],
  ['etcd-readiness', 'readyz'],
  ['informer-sync', 'readyz'],
  ['poststarthook/start-apiserver-admission-initializer'],
  ['poststarthook/generic-apiserver-start-informers'],
  ['poststarthook/max-in-flight-filter'],
  ['poststarthook/storage-object-count-tracker-hook'],
  ['poststarthook/start-apiextensions-informers'],
  ['poststarthook/start-apiextensions-controllers'],
  ['poststarthook/crd-informer-synced'],
  ['poststarthook/start-system-namespaces-controller'],
  ['poststarthook/peer-endpoint-reconciler-controller'],
  ['poststarthook/start-cluster-authentication-info-controller'],
  ['poststarthook/start-kube-apiserver-identity-lease-controller'],
  ['poststarthook/start-kube-apiserver-identity-lease-garbage-collector'],
  ['poststarthook/storage-readiness'],
  ['poststarthook/start-legacy-token-tracking-controller'],
  ['poststarthook/start-service-ip-repair-controllers'],
  ['poststarthook/rbac/bootstrap-roles'],
  ['poststarthook/scheduling/bootstrap-system-priority-classes'],
  ['poststarthook/priority-and-fairness-config-producer'],
  ['poststarthook/bootstrap-controller'],
  ['poststarthook/start-kubernetes-service-cidr-controller'],
  ['poststarthook/start-kube-aggregator-informers'],
  ['poststarthook/apiservice-status-local-available-controller'],
  ['poststarthook/apiservice-status-remote-available-controller'],
  ['poststarthook/apiservice-registration-controller'],
  ['poststarthook/apiservice-discovery-controller'],
  ['poststarthook/kube-apiserver-autoregistration'],
  ['autoregister-completion'],
  ['poststarthook/apiservice-openapi-controller'],
  ['poststarthook/apiservice-openapiv3-controller'],
  ['shutdown', 'readyz'],
];

/** `/healthz`, `/livez` and `/readyz`: all checks, or one below; `?verbose` names them, `?exclude=` leaves some out. */
export function health(path: string, query: URLSearchParams): ApiResponse | undefined {
  const match = /^\/(healthz|livez|readyz)(?:\/(.*))?$/.exec(path);
  if (match === null) return undefined;
  const [, kind = '', one] = match;
  const checks = CHECKS.filter(([, ...only]) => only.length === 0 || only.some((k) => k === kind));
  if (one !== undefined) return checks.some(([name]) => name === one) ? text('ok') : undefined;
  if (!query.has('verbose')) return text('ok');
  const excluded = new Set(query.getAll('exclude'));
  const lines = checks.map(([name]) => `[+]${name}${excluded.has(name) ? ' excluded:' : ''} ok\n`);
  return text(`${lines.join('')}${kind} check passed\n`);
}

function text(body: string): ApiResponse {
  return {
    status: 200,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache, private',
    },
    body,
  };
}
