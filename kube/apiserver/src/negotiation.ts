import { ApiError, notAcceptable } from './api-error.ts';

/** How the client wants the answer. */
export interface Representation {
  readonly format: 'json' | 'yaml';
  readonly as:
    | 'object'
    | 'Table'
    | 'PartialObjectMetadata'
    | 'PartialObjectMetadataList'
    | 'APIGroupDiscoveryList';
  readonly version: string;
  readonly pretty: boolean;
}

const ACCEPTED = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Picks the first clause of the Accept header that can be served; protobuf never is, so that clients fall back to JSON. */
export function negotiate(accept: string | undefined, query: URLSearchParams): Representation {
  const pretty =
    query.has('pretty') && query.get('pretty') !== '0' && query.get('pretty') !== 'false';
  const clauses = parseAccept(accept ?? '');
  if (clauses.length === 0) return { format: 'json', as: 'object', version: '', pretty };
  for (const { type, parameters } of clauses) {
    const format = FORMATS[type];
    if (format === undefined) continue;
    const as = parameters.get('as');
    const version = parameters.get('v') ?? '';
    if (as === undefined) return { format, as: 'object', version: '', pretty };
    if (isKnown(as, parameters.get('g'), version)) return { format, as, version, pretty };
  }
  const asked = clauses.some(
    ({ type, parameters }) => FORMATS[type] !== undefined && parameters.has('as'),
  );
  throw asked ? notAcceptable(ACCEPTED) : unknownFormat();
}

function unknownFormat(): ApiError {
  const streams = [
    'application/json;stream=watch',
    'application/vnd.kubernetes.protobuf;stream=watch',
  ];
  return new ApiError(
    406,
    'NotAcceptable',
    `406: Not Acceptable\n\nAvailable representations: ${[...ACCEPTED, ...streams].join(', ')}`,
    { details: {} },
  );
}

const FORMATS: Readonly<Record<string, 'json' | 'yaml' | undefined>> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
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
