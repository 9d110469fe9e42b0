/** What a request asks for, read from its method and path alone (k8s.io/apiserver RequestInfoFactory). */
export type RequestInfo =
  | { readonly kind: 'resource'; readonly resource: ResourceRequest }
  | { readonly kind: 'path'; readonly path: string; readonly verb: string };

export interface ResourceRequest {
  /** get, list, watch, create, update, patch, delete, deletecollection; for a subresource the verb on it. */
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  /** What follows the subresource: only proxies have it. */
  readonly rest: string;
  readonly path: string;
}

const VERBS: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
const NAMESPACE_SUBRESOURCES: ReadonlySet<string> = new Set(['status', 'finalize']);

export function readRequestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const parts = path.split('/').filter((part) => part !== '');
  const other: RequestInfo = {
    kind: 'path',
    path,
    verb: VERBS[method]?.toString() ?? method.toLowerCase(),
  };
  const isCore = parts[0] === 'api' && parts.length >= 3;
  const isGroup = parts[0] === 'apis' && parts.length >= 4;
  if (!isCore && !isGroup) return other;
  const group = isCore ? '' : decode(parts[1]!);
  const version = decode(parts[isCore ? 1 : 2]!);
  let rest = parts.slice(isCore ? 2 : 3).map(decode);
  let verb = VERBS[method] ?? method.toLowerCase();
  // The old way to watch: /api/v1/watch/namespaces/…
  if (rest[0] === 'watch' && rest.length > 1) {
    rest = rest.slice(1);
    verb = 'watch';
  }
  let namespace = '';
  let resource = rest[0] ?? '';
  let tail = rest.slice(1);
  if (resource === 'namespaces') {
    namespace = tail[0] ?? '';
    if (tail.length >= 2 && !NAMESPACE_SUBRESOURCES.has(tail[1]!)) {
      resource = tail[1]!;
      tail = tail.slice(2);
    }
  }
  const name = tail[0] ?? '';
  if (name === '' && (verb === 'get' || verb === 'watch')) {
    const watching = verb === 'watch' || isTrue(query.get('watch'));
    verb = watching ? 'watch' : 'list';
  }
  if (name === '' && verb === 'delete') verb = 'deletecollection';
  return {
    kind: 'resource',
    resource: {
      verb,
      group,
      version,
      resource,
      namespace,
      name,
      subresource: tail[1] ?? '',
      rest: tail.slice(2).join('/'),
      path,
    },
  };
}

/** Go's strconv.ParseBool for query parameters; an empty value counts as true, as the server reads `?watch`. */
export function isTrue(value: string | null): boolean {
  if (value === null) return false;
  return (
    value === '' || value === '1' || value.toLowerCase() === 'true' || value.toLowerCase() === 't'
  );
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
