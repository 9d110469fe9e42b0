import type { Json, KubeObject } from '@capstan/kube-object';

/** Most objects have neither: one list for all of them. */
const NONE: readonly never[] = [];

/** Images of an object's containers, init containers included; sorted, each once. */
export function imagesOf(object: KubeObject): readonly string[] {
  const spec = member(object, 'spec');
  const template = member(member(member(spec, 'jobTemplate'), 'spec'), 'template');
  const candidates = [spec, member(member(spec, 'template'), 'spec'), member(template, 'spec')];
  const images = new Set<string>();
  for (const candidate of candidates) {
    for (const list of ['initContainers', 'containers', 'ephemeralContainers']) {
      for (const container of items(member(candidate, list))) {
        const image = member(container, 'image');
        if (typeof image === 'string' && image !== '') images.add(image);
      }
    }
  }
  return images.size === 0 ? NONE : [...images].sort();
}

/** Addresses under which an Ingress or a load balancer can be reached from outside, as Argo CD lists them. */
export function externalUrlsOf(object: KubeObject): readonly string[] {
  if (object.kind === 'Ingress' && object.apiVersion.startsWith('networking.k8s.io/')) {
    return ingressUrls(object);
  }
  return NONE;
}

function ingressUrls(object: KubeObject): readonly string[] {
  const spec = member(object, 'spec');
  const secure = new Set(
    items(member(spec, 'tls')).flatMap((tls) => items(member(tls, 'hosts')).filter(isText)),
  );
  const hasTls = items(member(spec, 'tls')).length > 0;
  const addresses = items(member(member(member(object, 'status'), 'loadBalancer'), 'ingress'))
    .map((address) => member(address, 'hostname') ?? member(address, 'ip'))
    .filter(isText);
  const urls = new Set<string>();
  for (const rule of items(member(spec, 'rules'))) {
    const told = member(rule, 'host');
    const hosts = isText(told) && told !== '' ? [told] : addresses;
    const paths = items(member(member(rule, 'http'), 'paths')).map((path) => member(path, 'path'));
    for (const host of hosts) {
      const scheme = secure.has(host) || (hasTls && secure.size === 0) ? 'https' : 'http';
      for (const path of paths.length === 0 ? ['/'] : paths) {
        const tail =
          isText(path) && path !== '/' ? path.replace(/\*$/, '') : isText(path) ? '/' : '';
        urls.add(`${scheme}://${host}${tail}`);
      }
    }
  }
  return [...urls].sort();
}

function member(value: Json | undefined, name: string): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { readonly [key: string]: Json | undefined })[name]
    : undefined;
}

function items(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string';
}
