import type { ApiResponse } from './http-types.ts';

/** What this server has of the checks of kube-apiserver, in their order and under their names. */
const CHECKS: readonly (readonly [name: string, only?: 'readyz'])[] = [
  ['ping'],
  ['log'],
  ['etcd'],
  ['etcd-readiness', 'readyz'],
  ['informer-sync', 'readyz'],
  ['poststarthook/start-apiserver-admission-initializer'],
  ['poststarthook/start-apiextensions-controllers'],
  ['poststarthook/crd-informer-synced'],
  ['poststarthook/start-system-namespaces-controller'],
  ['poststarthook/rbac/bootstrap-roles'],
  ['poststarthook/bootstrap-controller'],
  ['shutdown', 'readyz'],
];

/** `/healthz`, `/livez` and `/readyz`: all checks, or one below; `?verbose` names them, `?exclude=` leaves some out. */
export function health(path: string, query: URLSearchParams): ApiResponse | undefined {
  const match = /^\/(healthz|livez|readyz)(?:\/(.*))?$/.exec(path);
  if (match === null) return undefined;
  const [, kind = '', one] = match;
  const checks = CHECKS.filter(([, only]) => only === undefined || only === kind);
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
