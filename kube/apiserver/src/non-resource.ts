import { createHash } from 'node:crypto';
import type { JsonObject } from '@capstan/kube-object';
import { noSuchResource } from './api-error.ts';
import { pageNotFound } from './api-server.ts';
import type { Core } from './core.ts';
import {
  aggregatedDiscovery,
  coreVersions,
  groupList,
  groupObject,
  resourceList,
} from './discovery.ts';
import { encodeError, encodeValue } from './encode.ts';
import { health } from './health.ts';
import type { ApiRequest, ApiResponse } from './http-types.ts';
import { stringifyJson } from './json.ts';
import { METRICS_GROUP } from './metrics-api.ts';
import { negotiate } from './negotiation.ts';
import { openApiV2, openApiV3 } from './openapi.ts';
import { encodeOpenApiV2 } from './protobuf/openapi-v2.ts';
import { CRD_BUCKET, type ServedGroup } from './registry.ts';

/** Paths that are not resources: discovery, OpenAPI, health, version. */
export function handlePath(
  core: Core,
  request: ApiRequest,
  path: string,
): ApiResponse | Promise<ApiResponse> {
  const trimmed = path.length > 1 ? path.replace(/\/$/, '') : path;
  const checked = health(trimmed, new URLSearchParams(request.path.split('?')[1] ?? ''));
  if (checked !== undefined) return checked;
  if (trimmed === '/') return json({ paths: paths(core) });
  if (trimmed === '/metrics') return metrics(core);
  if (trimmed === '/version') return json(versionInfo(core));
  if (trimmed === '/api' || trimmed === '/apis') return discoveryRoot(core, request, trimmed);
  const parts = trimmed.split('/').slice(1);
  if (parts[0] === 'openapi') return openApi(core, request, parts.slice(1));
  if (parts[0] === 'api' && parts.length === 2) return groupVersion(core, request, ['', parts[1]!]);
  if (parts[0] === 'apis' && parts.length === 3)
    return groupVersion(core, request, [parts[1]!, parts[2]!]);
  if (parts[0] === 'apis' && parts.length === 2) {
    const group = discovered(core).find(({ name }) => name === parts[1]);
    if (group === undefined) return pageNotFound();
    const representation = negotiate(request, new URLSearchParams());
    return encodeValue(core, 200, groupObject(group), representation);
  }
  return pageNotFound();
}

function discoveryRoot(core: Core, request: ApiRequest, path: string): ApiResponse {
  const representation = negotiate(request, new URLSearchParams());
  const groups = discovered(core);
  if (representation.as === 'APIGroupDiscoveryList') {
    const version = representation.version === 'v2beta1' ? 'v2beta1' : 'v2';
    const wanted = groups.filter((group) => (group.name === '') === (path === '/api'));
    const body = encodeValue(core, 200, aggregatedDiscovery(wanted, version), representation);
    return {
      ...body,
      headers: {
        ...body.headers,
        'content-type': `${body.headers['content-type']};g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
        vary: 'Accept',
      },
    };
  }
  const value = path === '/api' ? coreVersions('127.0.0.1:443') : groupList(groups);
  return encodeValue(core, 200, value, representation);
}

function groupVersion(
  core: Core,
  request: ApiRequest,
  [group, version]: readonly [string, string],
): ApiResponse {
  const found = discovered(core)
    .find(({ name }) => name === group)
    ?.versions.find((entry) => entry.version === version);
  if (found === undefined) {
    const known = discovered(core).some(({ name }) => name === group);
    return known ? encodeError(core, request, noSuchResource()) : pageNotFound();
  }
  const list = resourceList(group === '' ? version : `${group}/${version}`, found.resources);
  return encodeValue(core, 200, list, negotiate(request, new URLSearchParams()));
}

/** As clients ask for it, and as it is answered: an @ is no part of a media type. */
const OPENAPI_PROTOBUF = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
const OPENAPI_PROTOBUF_ANSWER = OPENAPI_PROTOBUF.replace('@', '.');

async function openApi(
  core: Core,
  request: ApiRequest,
  parts: readonly string[],
): Promise<ApiResponse> {
  const groups = core.registry.groups();
  const accept = request.headers['accept'] ?? '';
  if (parts[0] === 'v2' && parts.length === 1) {
    const isProtobuf = accept.startsWith(OPENAPI_PROTOBUF);
    if (accept !== '' && !isProtobuf && !/json|\*\/\*/.test(accept)) return notAcceptable();
    const all = groups.flatMap((g) => g.versions.flatMap((v) => v.resources));
    const document = openApiV2(core.catalogue, all, await core.describe());
    if (!isProtobuf) return json(document);
    return {
      status: 200,
      headers: { 'content-type': OPENAPI_PROTOBUF_ANSWER },
      body: encodeOpenApiV2(document),
    };
  }
  if (parts[0] !== 'v3') return pageNotFound();
  if (parts.length === 1) return json({ paths: openApiIndex(core, groups) });
  const [, kind, group = '', version = ''] = parts;
  const wanted = kind === 'api' ? { group: '', version: group } : { group, version };
  const found = groups
    .find(({ name }) => name === wanted.group)
    ?.versions.find((entry) => entry.version === wanted.version);
  if (found === undefined) return pageNotFound();
  if (accept !== '' && !/json|\*\/\*/.test(accept)) return notAcceptable();
  return json(openApiV3(core.catalogue, wanted, found.resources, await core.describe()));
}

/** Where each group's document is; the hash changes when a definition does, so that clients may keep what they have. */
function openApiIndex(core: Core, groups: readonly ServedGroup[]): JsonObject {
  const paths: { [key: string]: JsonObject } = {};
  for (const group of groups) {
    for (const { version, resources } of group.versions) {
      const path = group.name === '' ? `api/${version}` : `apis/${group.name}/${version}`;
      const hash = createHash('sha256').update(core.catalogue.gitVersion);
      for (const resource of resources) {
        hash.update(resource.name);
        if (resource.custom !== undefined) {
          const definition = core.store.get(CRD_BUCKET, `${resource.name}.${resource.group}`);
          hash.update(definition?.metadata.uid ?? '');
          hash.update(String(definition?.metadata.generation ?? 0));
        }
      }
      const digest = hash.digest('hex').toUpperCase();
      paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${digest}` };
    }
  }
  return paths;
}

function notAcceptable(): ApiResponse {
  return {
    status: 406,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: 'only application/json is served here\n',
  };
}

function versionInfo(core: Core): JsonObject {
  const [major = '1', minor = ''] = core.catalogue.minor.split('.');
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: core.catalogue.gitVersion,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: 'none',
    compiler: 'none',
    platform: 'linux/amd64',
  };
}

function json(value: unknown): ApiResponse {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: stringifyJson(value),
  };
}

function metrics(core: Core): ApiResponse {
  const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };
  return { status: 200, headers, body: core.metrics.text(core) };
}

const PLAIN_PATHS = [
  '/healthz',
  '/livez',
  '/metrics',
  '/openapi/v2',
  '/openapi/v3',
  '/readyz',
  '/version',
];

/** What the server answers, as it says at its root. */
function paths(core: Core): string[] {
  const groups = discovered(core).flatMap(({ name, versions }) =>
    name === ''
      ? ['/api', ...versions.map(({ version }) => `/api/${version}`)]
      : [`/apis/${name}`, ...versions.map(({ version }) => `/apis/${name}/${version}`)],
  );
  return [...groups, '/apis', '/apis/', ...PLAIN_PATHS].sort();
}

/** The groups that discovery tells of: what is stored, and the metrics, which have no schema and are never written. */
function discovered(core: Core): readonly ServedGroup[] {
  return [...core.registry.groups(), METRICS_GROUP];
}
