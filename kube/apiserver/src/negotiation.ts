import { ApiError, notAcceptable } from './api-error.ts';
import { isReview } from './auth/reviews.ts';
import type { ApiRequest } from './http-types.ts';
import { isTrue } from './request-info.ts';
import type { ServedResource } from './served-resource.ts';

/** How the client wants the answer. */
export interface Representation {
  readonly format: 'json' | 'yaml' | 'protobuf';
  readonly as:
    | 'object'
    | 'Table'
    | 'PartialObjectMetadata'
    | 'PartialObjectMetadataList'
    | 'APIGroupDiscoveryList';
  readonly version: string;
  readonly pretty: boolean;
}

export const STREAMED = [
  'application/json;stream=watch',
  'application/vnd.kubernetes.protobuf;stream=watch',
];
const ACCEPTED = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** What an answer about a resource shall look like. Custom resources are not spoken in protobuf, only their metadata. */
export function representationFor(call: {
  readonly request: ApiRequest;
  readonly query: URLSearchParams;
  readonly resource: ServedResource;
  readonly info: { readonly verb: string };
}): Representation {
  return negotiate(call.request, call.query, {
    protobuf: call.resource.custom === undefined,
    streams: STREAMING_VERBS.has(call.info.verb),
    tables: !isReview(call.resource.bucket),
  });
}

const STREAMING_VERBS: ReadonlySet<string> = new Set(['list', 'watch']);

/** Picks the first clause of the Accept header that can be served. */
export function negotiate(
  request: ApiRequest,
  query: URLSearchParams,
  serves: Serves = WHOLE,
): Representation {
  const pretty = isPretty(request, query);
  const clauses = parseAccept(request.headers['accept'] ?? '');
  if (clauses.length === 0) return { format: 'json', as: 'object', version: '', pretty };
  for (const { type, parameters } of clauses) {
    const format = FORMATS[type];
    if (format === undefined) continue;
    const as = parameters.get('as');
    const version = parameters.get('v') ?? '';
    if (as === undefined) {
      if (format === 'protobuf' && !serves.protobuf) continue;
      return { format, as: 'object', version: '', pretty };
    }
    if (as === 'Table' && (format === 'protobuf' || !serves.tables)) continue;
    if (isKnown(as, parameters.get('g'), version)) return { format, as, version, pretty };
  }
  throw clauses.some(({ type }) => FORMATS[type] !== undefined)
    ? notAcceptable(ACCEPTED)
    : unknownFormat(serves.streams ? [...ACCEPTED, ...STREAMED] : ACCEPTED);
}

/** How an error is told: never as a table; in JSON for whoever takes nothing of what there is. */
export function negotiateStatus(request: ApiRequest): Pick<Representation, 'format' | 'pretty'> {
  const clauses = parseAccept(request.headers['accept'] ?? '');
  const found = clauses.find(
    ({ type, parameters }) => FORMATS[type] !== undefined && !parameters.has('as'),
  );
  const format = FORMATS[found?.type ?? ''];
  const query = new URLSearchParams(request.path.split('?')[1] ?? '');
  if (format === undefined) return { format: 'json', pretty: clauses.length > 0 };
  return { format, pretty: isPretty(request, query) };
}

/** People who look with a browser or curl get indented JSON unless they say otherwise. */
function isPretty(request: ApiRequest, query: URLSearchParams): boolean {
  const asked = query.get('pretty') ?? '';
  if (asked !== '') return isTrue(asked);
  return /^(curl|Wget|Mozilla\/5\.0)/.test(request.headers['user-agent'] ?? '');
}

interface Serves {
  readonly protobuf: boolean;
  readonly streams: boolean;
  readonly tables: boolean;
}

const WHOLE: Serves = { protobuf: true, streams: false, tables: true };

function unknownFormat(available: readonly string[]): ApiError {
  return new ApiError(
    406,
    'NotAcceptable',
    `406: Not Acceptable\n\nAvailable representations: ${available.join(', ')}`,
    { details: {} },
  );
}

const FORMATS: Readonly<Record<string, Representation['format'] | undefined>> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
  'application/*': 'json',
  '*/*': 'json',
};

function isKnown(
  as: string,
  group: string | undefined,
  version: string,
): as is Exclude<Representation['as'], 'object'> {
  if (as === 'APIGroupDiscoveryList') {
    return group === 'apidiscovery.k8s.io' && (version === 'v2' || version === 'v2beta1');
  }
  return (
    group === 'meta.k8s.io' &&
    (version === 'v1' || version === 'v1beta1') &&
    (as === 'Table' || as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList')
  );
}

function parseAccept(header: string): Clause[] {
  const clauses: (Clause & { readonly quality: number })[] = [];
  for (const part of header.split(',')) {
    const [type = '', ...rest] = part.split(';').map((text) => text.trim());
    if (type === '') continue;
    const parameters = new Map<string, string>();
    for (const parameter of rest) {
      const at = parameter.indexOf('=');
      if (at > 0) parameters.set(parameter.slice(0, at), parameter.slice(at + 1));
    }
    clauses.push({
      type: type.toLowerCase(),
      parameters,
      quality: Number(parameters.get('q') ?? 1),
    });
  }
  return clauses.sort((a, b) => b.quality - a.quality);
}
