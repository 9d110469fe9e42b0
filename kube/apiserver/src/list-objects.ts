import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { ApiError, badRequest, expired, invalid } from './api-error.ts';
import { goJsonError } from './body.ts';
import type { Core } from './core.ts';
import type { OrderedMap } from './ordered-map.ts';
import {
  checkFieldSelector,
  EVENT_FIELDS,
  type FieldRequirement,
  type LabelSelector,
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
} from './selectors.ts';
import type { ServedResource } from './served-resource.ts';
import { fromStorage } from './version-conversion.ts';

/** metav1.ListOptions as they come in a query. */
export interface ListOptions {
  readonly labels: LabelSelector;
  readonly fields: readonly FieldRequirement[];
  readonly limit: number;
  readonly continueToken: string;
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  readonly watch: boolean;
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
  readonly timeoutSeconds: number | undefined;
}

export interface Listing {
  readonly items: KubeObject[];
  readonly resourceVersion: string;
  readonly continueToken: string;
  readonly remaining: number | undefined;
}

export function readListOptions(query: URLSearchParams, resource: ServedResource): ListOptions {
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '');
  const isNewEvent = resource.group === 'events.k8s.io';
  const selectable = isNewEvent ? EVENT_FIELDS : resource.custom?.selectableFields;
  checkFieldSelector(resource.bucket, fields, selectable);
  return {
    labels,
    fields,
    limit: integer(query, 'limit') ?? 0,
    continueToken: query.get('continue') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    watch: isSet(query.get('watch')),
    allowWatchBookmarks: isSet(query.get('allowWatchBookmarks')),
    sendInitialEvents: query.has('sendInitialEvents')
      ? isSet(query.get('sendInitialEvents'))
      : undefined,
    timeoutSeconds: integer(query, 'timeoutSeconds'),
  };
}

function isSet(value: string | null): boolean {
  return value !== null && value !== 'false' && value !== '0';
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^-?\d+$/.test(text)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  return Number(text);
}

export function selects(
  options: Pick<ListOptions, 'labels' | 'fields'>,
  object: KubeObject,
  resource?: ServedResource,
): boolean {
  const { labels, fields } = options;
  if (labels.length > 0 && !matchesLabels(labels, object.metadata.labels)) return false;
  if (fields.length === 0) return true;
  // The fields of a custom resource are those of the version that is asked for.
  return matchesFields(fields, resource?.custom ? fromStorage(object, resource) : object);
}

/**
 * One page. The first page of an unlimited list shows the newest state; a continue token carries the resourceVersion of
 * the first page, so that all pages together show one moment, as etcd gives it.
 */
export function listObjects(
  core: Core,
  resource: ServedResource,
  namespace: string,
  options: ListOptions,
): Listing {
  checkVersionMatch(options, resource);
  const prefix = namespace === '' || !resource.namespaced ? '' : `${namespace}/`;
  const from = startOf(core, resource, options, prefix);
  const items: KubeObject[] = [];
  const end = prefix === '' ? undefined : `${namespace}0`;
  let next: string | undefined;
  const filtered = options.labels.length > 0 || options.fields.length > 0;
  for (const [key, object] of from.map.entries(from.key, end)) {
    if (!selects(options, object, resource)) continue;
    if (options.limit > 0 && items.length === options.limit) {
      next = key;
      break;
    }
    items.push(fromStorage(object, resource));
  }
  const resourceVersion = String(from.version);
  if (next === undefined) {
    return { items, resourceVersion, continueToken: '', remaining: undefined };
  }
  const last = end === undefined ? from.map.size : from.map.rank(end);
  return {
    items,
    resourceVersion,
    continueToken: encodeToken(from.version, next.slice(prefix.length)),
    remaining: filtered ? undefined : last - from.map.rank(next),
  };
}

function startOf(
  core: Core,
  resource: ServedResource,
  options: ListOptions,
  prefix: string,
): { map: OrderedMap<KubeObject>; key: string; version: number } {
  const { store } = core;
  if (options.continueToken !== '') {
    const token = decodeToken(options.continueToken);
    const version = token.version === -1 ? store.resourceVersion : token.version;
    const map = store.viewAt(resource.bucket, version);
    if (map === undefined) {
      throw expired(CONTINUE_EXPIRED, {
        continue: encodeToken(-1, token.start),
      });
    }
    return { map, key: prefix + token.start, version };
  }
  const asked = options.resourceVersion === '' ? 0 : Number(options.resourceVersion);
  const exact =
    options.resourceVersionMatch === 'Exact' ||
    (options.limit > 0 && asked > 0 && options.resourceVersionMatch === '');
  if (asked > store.resourceVersion) throw tooLargeVersion(asked, store.resourceVersion);
  if (!exact)
    return { map: store.view(resource.bucket), key: prefix, version: store.resourceVersion };
  const map = store.viewAt(resource.bucket, asked);
  if (map === undefined) {
    throw expired('The resourceVersion for the provided list is too old.');
  }
  return { map, key: prefix, version: asked };
}

const CONTINUE_EXPIRED =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';

function tooLargeVersion(asked: number, current: number): Error {
  return new TooLargeVersion(asked, current);
}

/** A resourceVersion that has not been reached: the server waits a while and then answers 504. */
export class TooLargeVersion extends Error {
  readonly asked: number;
  readonly current: number;
  constructor(asked: number, current: number) {
    super(`Too large resource version: ${asked}, current: ${current}`);
    this.asked = asked;
    this.current = current;
  }
}

export function checkVersionMatch(options: ListOptions, resource: ServedResource): void {
  const { resourceVersionMatch: match, resourceVersion: version, continueToken } = options;
  const subject = { group: resource.group, kind: 'ListOptions', name: '' };
  const forbid = (field: string, detail: string): never => {
    throw invalid({ ...subject, group: 'meta.k8s.io' }, [
      { reason: 'FieldValueForbidden', field, detail },
    ]);
  };
  const malformed = versionProblem(version);
  if (malformed !== undefined) {
    // A watch meets it below where errors are still made into bad requests.
    if (options.watch) throw new ApiError(500, '', malformed);
    throw badRequest(`invalid resource version: ${malformed}`);
  }
  if (options.sendInitialEvents !== undefined && (!options.watch || match !== 'NotOlderThan')) {
    forbid(
      options.watch ? 'resourceVersionMatch' : 'sendInitialEvents',
      options.watch
        ? 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'
        : 'sendInitialEvents is forbidden for list',
    );
  }
  if (match !== '') {
    if (continueToken !== '') {
      forbid('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided');
    }
    if (version === '' && options.sendInitialEvents === undefined) {
      forbid(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden unless resourceVersion is provided',
      );
    }
    if (match !== 'Exact' && match !== 'NotOlderThan') {
      throw invalid({ ...subject, group: 'meta.k8s.io' }, [
        {
          reason: 'FieldValueNotSupported',
          field: 'resourceVersionMatch',
          value: match,
          detail: 'supported values: "Exact", "NotOlderThan", ""',
        },
      ]);
    }
    if (match === 'Exact' && version === '0') {
      forbid(
        'resourceVersionMatch',
        'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
      );
    }
  }
  if (continueToken !== '' && version !== '' && version !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
}

const TOKEN_VERSION = 'meta.k8s.io/v1';

function encodeToken(version: number, start: string): string {
  const text = JSON.stringify({ v: TOKEN_VERSION, rv: version, start });
  return Buffer.from(text).toString('base64url');
}

const UINT64_MAX = 2n ** 64n - 1n;

function versionProblem(version: string): string | undefined {
  if (version === '') return undefined;
  const isNumber = /^\d+$/.test(version);
  if (isNumber && BigInt(version) <= UINT64_MAX) return undefined;
  const quoted = JSON.stringify(version);
  const why = isNumber ? 'value out of range' : 'invalid syntax';
  return `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: ${why}`;
}

function decodeToken(token: string): { version: number; start: string } {
  const refuse = (why: string): never => {
    throw badRequest(`invalid continue token: continue key is not valid: ${why}`);
  };
  const wrong = token.search(/[^\w-]/);
  if (wrong >= 0) refuse(`illegal base64 data at input byte ${wrong}`);
  // Bytes as characters: what does not begin a JSON value is shown as one byte.
  const text = Buffer.from(token, 'base64url').toString('latin1');
  let parsed: JsonObject = {};
  try {
    parsed = JSON.parse(text) as JsonObject;
  } catch (error) {
    refuse(goJsonError(text, error));
  }
  const { v: encoding = '', rv: version, start } = parsed;
  if (encoding !== TOKEN_VERSION) {
    refuse(`server does not recognize this encoded version ${encoding}`);
  }
  if (typeof start !== 'string' || start === '' || typeof version !== 'number') {
    return refuse(`encoded start key empty (version ${TOKEN_VERSION})`);
  }
  return { version, start: Buffer.from(start, 'latin1').toString() };
}

/** What a list says beside its items. */
export function listHead(resource: ServedResource, listing: Listing): JsonObject {
  const apiVersion =
    resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
  return {
    kind: resource.listKind,
    apiVersion,
    // A list of custom resources is encoded with all its metadata.
    metadata:
      resource.custom === undefined ? listMeta(listing) : { continue: '', ...listMeta(listing) },
  };
}

export function listMeta(listing: Listing): JsonObject {
  return {
    resourceVersion: listing.resourceVersion,
    ...(listing.continueToken === '' ? {} : { continue: listing.continueToken }),
    ...(listing.remaining === undefined ? {} : { remainingItemCount: listing.remaining }),
  };
}
