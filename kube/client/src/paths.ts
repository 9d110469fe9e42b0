import { CapstanError } from '@capstan/lib-std';
import type { KindRef, ObjectRef, ResourceKind } from './kube-client.ts';

export interface KindName {
  readonly group: string;
  readonly version: string | undefined;
  readonly kind: string;
}

export function kindNameOf(ref: KindRef): KindName {
  if ('apiVersion' in ref && typeof ref.apiVersion === 'string') {
    const slash = ref.apiVersion.indexOf('/');
    return {
      group: slash < 0 ? '' : ref.apiVersion.slice(0, slash),
      version: ref.apiVersion.slice(slash + 1),
      kind: ref.kind,
    };
  }
  const { group, version, kind } = ref as Exclude<KindRef, { apiVersion: string }>;
  return { group, version: version === '' ? undefined : version, kind };
}

/** For people: `Deployment apps/web`. */
export function nameObject(ref: ObjectRef): string {
  const { namespace = '', name, kind } = ref;
  return namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

export function nameKind(ref: KindRef): string {
  const { group, version, kind } = kindNameOf(ref);
  const groupVersion = [group, version]
    .filter((part) => part !== undefined && part !== '')
    .join('/');
  return groupVersion === '' ? kind : `${kind} (${groupVersion})`;
}

export function collectionPath(resource: ResourceKind, namespace: string | undefined): string {
  const base =
    resource.group === ''
      ? `/api/${resource.version}`
      : `/apis/${resource.group}/${resource.version}`;
  const scope =
    resource.namespaced && namespace !== undefined && namespace !== ''
      ? `/namespaces/${segment(namespace, 'namespace')}`
      : '';
  return `${base}${scope}/${resource.resource}`;
}

/** Throws NAMESPACE_REQUIRED, NAME_REQUIRED or NAME_INVALID: such a request could only be refused, or hit something else. */
export function objectPath(resource: ResourceKind, ref: ObjectRef, subresource?: string): string {
  requireNamespace(resource, ref);
  if (ref.name === '') {
    throw new CapstanError('NAME_REQUIRED', `a ${ref.kind} without a name cannot be addressed`, {
      hint: 'set metadata.name',
    });
  }
  const path = `${collectionPath(resource, ref.namespace)}/${segment(ref.name, 'name')}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

export function requireNamespace(
  resource: ResourceKind,
  ref: { readonly kind: string; readonly namespace?: string; readonly name?: string },
): void {
  if (!resource.namespaced || (ref.namespace !== undefined && ref.namespace !== '')) return;
  throw new CapstanError(
    'NAMESPACE_REQUIRED',
    `${ref.kind} ${ref.name ?? ''} has no namespace, but ${resource.resource} are namespaced`,
    { hint: 'set metadata.namespace' },
  );
}

export function withQuery(
  path: string,
  query: Readonly<Record<string, string | number | boolean | undefined>>,
): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  if (pairs.length === 0) return path;
  const text = pairs.map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`).join('&');
  return `${path}?${text}`;
}

/** The rules of the API server's path segments: no '/', no '%', not '.' or '..'. */
function segment(text: string, what: string): string {
  if (text === '.' || text === '..' || /[/%]/.test(text)) {
    throw new CapstanError('NAME_INVALID', `the ${what} "${text}" cannot be part of an address`, {
      hint: `a ${what} must not be "." or ".." and must not hold "/" or "%"`,
    });
  }
  return encodeURIComponent(text);
}
