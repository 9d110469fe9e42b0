import { proxyFromEnvironment } from '@capstan/lib-egress';

export type ProxyEnvironment = { readonly [name: string]: string | undefined };

type ProxyFor = (url: URL) => string | undefined;

/** As any program is told: HTTPS_PROXY, HTTP_PROXY, NO_PROXY. */
export function usualProxy(environment: ProxyEnvironment): ProxyFor {
  return (url) => proxyFromEnvironment(url, environment);
}

const PROXY = 'ARGOCD_APPLICATIONSET_CONTROLLER_SCM_PROXY_URL';
const EXEMPT = 'ARGOCD_APPLICATIONSET_CONTROLLER_SCM_NO_PROXY';

/**
 * Hosters of repositories have a proxy of their own where the process is told one (documentation: "SCM Provider Generator",
 * HTTP proxy); the exceptions of the usual one do not count for it.
 */
export function hosterProxy(environment: ProxyEnvironment): ProxyFor {
  const proxy = environment[PROXY] ?? '';
  if (proxy === '') return usualProxy(environment);
  return usualProxy({
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    NO_PROXY: environment[EXEMPT],
  });
}
