import { randomUUID } from 'node:crypto';
import { type Catalogue, loadCatalogue, readKubernetesMinor } from '@capstan/kube-schema';
import { CapstanError, type Clock } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';
import { Admission } from './admission/admission.ts';
import { ApiError, internalError, noSuchResource } from './api-error.ts';
import { authenticate, type ClientCertificate, impersonate } from './auth/authenticate.ts';
import { authorizeRequest } from './auth/authorize-request.ts';
import { createTokenSigner, type TokenSigner } from './auth/tokens.ts';
import { bootstrap } from './bootstrap.ts';
import { builtInsFor } from './built-ins.ts';
import { createRuleCompiler } from './cel/rule-compiler.ts';
import { type ContainerRuntime, SILENT_RUNTIME } from './container-runtime.ts';
import type { Core } from './core.ts';
import { cleanUpDefinitions } from './definition-cleanup.ts';
import { encodeError, withWarnings } from './encode.ts';
import { type Call, handleResource } from './handle-request.ts';
import {
  type ApiRequest,
  type ApiResponse,
  joinHeaders,
  type StreamedResponse,
  type TransportRequest,
  toStreamed,
} from './http-types.ts';
import { handleMetrics, metricsResource } from './metrics-api.ts';
import { handlePath } from './non-resource.ts';
import { EventLines, KeptEncodings, ObjectTexts } from './object-texts.ts';
import type { Describe } from './openapi.ts';
import { afterPersisting, type Persist } from './persisted.ts';
import { createMessages } from './protobuf/messages.ts';
import { Registry } from './registry.ts';
import { readRequestInfo } from './request-info.ts';
import { checkTimeout } from './request-timeout.ts';
import type { ServedResource } from './served-resource.ts';
import { ServerMetrics } from './server-metrics.ts';
import { Store } from './store.ts';
import { prepareStreams, type StreamCall } from './streams/stream-call.ts';
import { systemClock } from './system-clock.ts';
import { ADMIN, type UserInfo } from './user.ts';

export interface ApiServerOptions {
  readonly clock?: Clock;
  /** In [0, 1); by default Math.random. */
  readonly random?: () => number;
  /** Objects to begin with, e.g. what a durable log has kept, or a fork. */
  readonly store?: Store;
  readonly catalogue?: Catalogue;
  /** Where no catalogue is given: the minor whose kinds are served, as `1.35`; by default the one that is proven. */
  readonly kubernetesVersion?: string;
  readonly signer?: TokenSigner;
  readonly runtime?: ContainerRuntime;
  /** Called before anything is answered: resolves when all changes so far are safe. A fork has none. */
  readonly persist?: Persist;
  /** Bearer tokens of people. */
  readonly staticTokens?: ReadonlyMap<string, UserInfo>;
  /** Whoever comes without credentials is an administrator: for a server that only its own process reaches. */
  readonly trustAnonymous?: boolean;
  /** False: admission webhooks by URL are taken to have no objections. They are asked by default, but never by a fork. */
  readonly asksWebhooks?: boolean;
}

/** The Kubernetes API of one cluster, in this process. */
export interface ApiServer {
  readonly core: Core;
  /** One exchange, as whoever the request's credentials say. */
  handle(request: ApiRequest, certificate?: ClientCertificate): Promise<ApiResponse>;
  /** Streams to a container, for whoever the credentials say. Rejects with ApiError. */
  streams(request: ApiRequest, certificate?: ClientCertificate): Promise<StreamCall>;
  /** As a given user, without credentials: for clients in this process. */
  handleAs(request: ApiRequest, user: UserInfo): Promise<ApiResponse>;
  /** The shape that kube/client takes: an administrator's connection without a socket. */
  readonly transport: {
    readonly server: string;
    request(request: TransportRequest): Promise<StreamedResponse>;
    close(): Promise<void>;
  };
  /** A server over a copy of all objects, made in O(1): what happens there does not happen here. */
  fork(): ApiServer;
}

/** Makes a server and its first objects (namespaces, roles); it listens nowhere, see `listen`. */
export async function createApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const { kubernetesVersion } = options;
  const minor =
    kubernetesVersion === undefined ? undefined : readKubernetesMinor(kubernetesVersion);
  const catalogue = options.catalogue ?? (await loadCatalogue(minor));
  const clock = options.clock ?? systemClock(newestTime(options.store));
  const server = assemble({ ...options, catalogue, clock });
  bootstrap(server.core);
  return server;
}

/** When the objects that were kept were last written: what comes is later, also when the wall clock was set back meanwhile. */
function newestTime(store: Store | undefined): number {
  let newest = 0;
  for (const bucket of store?.buckets() ?? []) {
    for (const [, { metadata }] of store?.view(bucket).entries() ?? []) {
      const times = (metadata.managedFields ?? []).map(({ time }) => String(time ?? ''));
      for (const time of [...times, metadata.creationTimestamp ?? '']) {
        newest = Math.max(newest, Date.parse(time) || 0);
      }
    }
  }
  return newest;
}

function assemble(
  options: ApiServerOptions & { readonly catalogue: Catalogue; readonly clock: Clock },
): ApiServer {
  const { catalogue } = options;
  const store = options.store ?? new Store();
  const admission = new Admission({ asksOutside: options.asksWebhooks ?? true });
  const random = options.random ?? Math.random;
  const objectTexts = new ObjectTexts();
  const core: Core = {
    store,
    registry: new Registry(store, builtInsFor(catalogue, createRuleCompiler())),
    catalogue,
    clock: admission.sessions.steady(options.clock),
    random: () => admission.sessions.draw('random', random),
    newUid: () => admission.sessions.draw('uid', () => randomUUID()),
    parseYaml,
    describe: createDescriber(catalogue),
    messages: createMessages(catalogue),
    signer: options.signer ?? createTokenSigner(),
    admission,
    runtime: options.runtime ?? SILENT_RUNTIME,
    metrics: new ServerMetrics(),
    objectTexts,
    eventLines: new EventLines(objectTexts),
    objectBytes: new KeptEncodings(),
  };
  cleanUpDefinitions(core);
  const handleAs = async (request: ApiRequest, user: UserInfo): Promise<ApiResponse> => {
    try {
      const response = await dispatch(core, request, impersonate(core, user, request));
      return await afterPersisting(response, options.persist);
    } catch (error) {
      return encodeError(core, request, toApiError(error));
    }
  };
  const credentials = { signer: core.signer, staticTokens: options.staticTokens ?? new Map() };
  return {
    core,
    handleAs,
    async streams(request, certificate) {
      const user = authenticate(core, request, certificate, credentials);
      const asked = impersonate(core, user, request);
      return core.admission.sessions.run(
        () => prepareStreams(core, asked, request),
        () => undefined,
      );
    },
    async handle(request, certificate) {
      try {
        const user = authenticate(core, request, certificate, credentials);
        const trusted = options.trustAnonymous === true && user.username === ANONYMOUS_NAME;
        return await handleAs(request, trusted ? ADMIN : user);
      } catch (error) {
        return encodeError(core, request, toApiError(error));
      }
    },
    transport: {
      server: 'in-process',
      request: async (request) => toStreamed(await handleAs(joinHeaders(request), ADMIN)),
      close: async () => undefined,
    },
    fork: () =>
      assemble({
        ...withoutPersistence(options),
        signer: core.signer,
        store: store.fork(),
        asksWebhooks: false,
      }),
  };
}

function withoutPersistence<T extends ApiServerOptions>(options: T): Omit<T, 'persist'> {
  const { persist: _, ...rest } = options;
  return rest;
}

function createDescriber(catalogue: Catalogue): () => Promise<Describe> {
  let loading: Promise<Describe> | undefined;
  const load = async (): Promise<Describe> => {
    const { loadDescriptions } = await import('@capstan/kube-schema/descriptions');
    const describe = await loadDescriptions(catalogue.minor, (definition) => [
      ...(catalogue.definition(definition)?.properties?.keys() ?? []),
    ]);
    return (definition, field) => {
      const text = describe(definition, field);
      return text === '' ? undefined : text;
    };
  };
  return () => {
    loading ??= load();
    return loading;
  };
}

const DEPRECATIONS: Readonly<Record<string, string>> = {
  '/endpoints': 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
};

/** What every request for a version of a custom resource that is on its way out is told. */
function deprecationOf({ custom, group, version, kind }: ServedResource): string | undefined {
  if (custom?.deprecated !== true) return undefined;
  return custom.deprecationWarning ?? `${group}/${version} ${kind} is deprecated`;
}

const ANONYMOUS_NAME = 'system:anonymous';

async function dispatch(core: Core, request: ApiRequest, user: UserInfo): Promise<ApiResponse> {
  const at = request.path.indexOf('?');
  const path = at < 0 ? request.path : request.path.slice(0, at);
  const query = new URLSearchParams(at < 0 ? '' : request.path.slice(at + 1));
  const info = readRequestInfo(request.method, path, query);
  checkTimeout(info, query);
  authorizeRequest(core, user, info);
  if (info.kind === 'path') return handlePath(core, request, path);
  const { group, version, resource } = info.resource;
  const metrics = metricsResource(group, version, resource);
  const served = metrics ?? core.registry.find(group, version, resource);
  if (served === undefined) {
    if (core.registry.groups().some(({ name }) => name === group)) throw noSuchResource();
    return pageNotFound();
  }
  const warnings: string[] = [];
  const deprecation = DEPRECATIONS[served.bucket] ?? deprecationOf(served);
  if (deprecation !== undefined) warnings.push(deprecation);
  const call = { request, info: info.resource, query, user, resource: served, warnings };
  const begun = performance.now();
  const response = await answerCall(core, call, metrics !== undefined);
  countCall(core, call, { code: response.status, seconds: (performance.now() - begun) / 1000 });
  return response;
}

async function answerCall(core: Core, call: Call, isMetrics: boolean): Promise<ApiResponse> {
  try {
    const said = call.warnings.length;
    const response = await core.admission.sessions.run(
      () => (isMetrics ? handleMetrics(core, call) : handleResource(core, call)),
      () => {
        call.warnings.length = said;
      },
    );
    return withWarnings(response, call.warnings);
  } catch (error) {
    return withWarnings(encodeError(core, call.request, toApiError(error)), call.warnings);
  }
}

function countCall(
  core: Core,
  { info, resource }: Call,
  { code, seconds }: { readonly code: number; readonly seconds: number },
): void {
  const { group, version, name } = resource;
  const known = resource.subresources.some((sub) => sub.name === info.subresource);
  const subresource = known ? info.subresource : '';
  const verb = PROMETHEUS_VERBS[info.verb] ?? info.verb.toUpperCase();
  core.metrics.count(
    { verb, group, version, resource: name, subresource, code: String(code) },
    seconds,
  );
}

/** Verbs as kube-apiserver's metrics call them. */
const PROMETHEUS_VERBS: Readonly<Record<string, string | undefined>> = {
  create: 'POST',
  update: 'PUT',
};

export function pageNotFound(): ApiResponse {
  return {
    status: 404,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
    body: '404 page not found\n',
  };
}

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof RangeError && /call stack/.test(error.message)) {
    return new ApiError(400, 'BadRequest', 'the object is nested too deeply: exceeded max depth');
  }
  if (error instanceof CapstanError && error.kind !== 'bug') {
    return internalError(error.message, error);
  }
  return internalError(error instanceof Error ? error.message : String(error), error);
}
