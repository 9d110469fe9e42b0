import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { isNotFound } from './api-error.ts';
import { secretValues } from './conceal.ts';
import type { ClusterConnection } from './connection.ts';
import { createDiscovery } from './discovery.ts';
import { followKind, followPieces, type StreamingLists } from './follow.ts';
import { createHttpTransport, type HttpTransportOptions } from './http-transport.ts';
import type {
  AccessAnswer,
  AccessQuestion,
  ApplyOptions,
  DeleteCollectionOptions,
  DeleteOptions,
  Discovery,
  ExecOptions,
  ExecSession,
  FollowEvent,
  FollowOptions,
  FollowPiece,
  GetOptions,
  Identity,
  KindRef,
  KubeClient,
  ListOptions,
  LogOptions,
  ObjectPage,
  ObjectRef,
  PatchOptions,
  PortConnection,
  RequestOptions,
  ResourceKind,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './kube-client.ts';
import { Limiter, type LimiterOptions } from './limiter.ts';
import {
  collectionPath,
  nameKind,
  nameObject,
  objectPath,
  requireNamespace,
  withQuery,
} from './paths.ts';
import { openExec, openPortForward, type PodName, podPath, readLogs } from './pod-streams.ts';
import { type Call, isJsonObject, Requester, type RequestObserver } from './requester.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';
import { asKubeObject, readWatchEvent, splitLines, versionIn } from './watch-stream.ts';

export interface ClientOptions {
  /** Client-side limits; by default 64 requests in flight and no rate but what the server's 429 answers ask for. */
  readonly limits?: LimiterOptions;
  /** For a call with its retries; 60 s by default. */
  readonly timeoutMs?: number;
  readonly observe?: RequestObserver;
}

/** A client over any transport; `connect` is the usual way to one over sockets. */
export function createKubeClient(transport: Transport, options: ClientOptions = {}): KubeClient {
  const requester = new Requester({
    transport,
    limiter: new Limiter(options.limits ?? { inFlightMax: 64 }),
    timeoutMs: options.timeoutMs ?? 60_000,
    headers: {},
    ...(options.observe === undefined ? {} : { observe: options.observe }),
  });
  return new Client(requester, createDiscovery(requester), { areServed: true });
}

/** A client of a real API server. Opens no connection before the first request. */
export function connect(
  connection: ClusterConnection,
  options: ClientOptions & HttpTransportOptions = {},
): KubeClient {
  return createKubeClient(createHttpTransport(connection, options), options);
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

class Client implements KubeClient {
  readonly discovery: Discovery;
  readonly #requester: Requester;
  readonly #streaming: StreamingLists;

  constructor(requester: Requester, discovery: Discovery, streaming: StreamingLists) {
    this.#requester = requester;
    this.discovery = discovery;
    this.#streaming = streaming;
  }

  get server(): string {
    return this.#requester.transport.server;
  }

  async get(ref: ObjectRef, options: GetOptions = {}): Promise<KubeObject> {
    const resource = await this.discovery.resolve(ref, options);
    const path = objectPath(resource, ref, options.subresource);
    const answer = await this.#json(options, {
      method: 'GET',
      path: withQuery(path, { resourceVersion: options.resourceVersion }),
      what: `get ${nameObject(ref)}`,
      ...(options.metadataOnly === true ? { accept: partial('PartialObjectMetadata') } : {}),
    });
    return asAnswered(answer, resource, options.subresource);
  }

  async find(ref: ObjectRef, options: GetOptions = {}): Promise<KubeObject | undefined> {
    try {
      return await this.get(ref, options);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async list(ref: KindRef, options: ListOptions = {}): Promise<ObjectPage> {
    const items: KubeObject[] = [];
    let resourceVersion = '';
    for await (const page of this.listPages(ref, options)) {
      for (const item of page.items) items.push(item);
      resourceVersion = page.resourceVersion;
    }
    return { items, resourceVersion };
  }

  async *listPages(
    ref: KindRef,
    options: ListOptions = {},
  ): AsyncGenerator<ObjectPage, void, undefined> {
    const resource = await this.discovery.resolve(ref, options);
    const path = collectionPath(resource, options.namespace);
    const limit = options.pageSize ?? 500;
    for (let token: string | undefined; ; ) {
      const first: Query = {
        resourceVersion: options.resourceVersion,
        resourceVersionMatch: options.resourceVersionMatch,
      };
      const answer = await this.#json(options, {
        method: 'GET',
        path: withQuery(path, {
          ...selectors(options),
          limit: limit === 0 ? undefined : limit,
          ...(token === undefined ? first : { continue: token }),
        }),
        what: `list ${nameKind(ref)}`,
        ...(options.metadataOnly === true ? { accept: partial('PartialObjectMetadataList') } : {}),
      });
      const page = readPage(answer, resource);
      yield page;
      token = page.continueToken;
      if (token === undefined) return;
    }
  }

  async *watch(
    ref: KindRef,
    options: WatchOptions = {},
  ): AsyncGenerator<WatchEvent, void, undefined> {
    const resource = await this.discovery.resolve(ref, options);
    const what = `watch ${nameKind(ref)}`;
    const body = await this.#requester.stream({
      method: 'GET',
      path: withQuery(collectionPath(resource, options.namespace), {
        watch: 1,
        allowWatchBookmarks: true,
        ...selectors(options),
        resourceVersion: options.resourceVersion,
        timeoutSeconds: options.timeoutSeconds,
        ...(options.sendInitialEvents === true
          ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
          : {}),
      }),
      what,
      ...(options.metadataOnly === true ? { accept: partial('PartialObjectMetadata') } : {}),
      signal: options.signal,
      timeoutMs: options.timeoutMs,
      onAnswer: options.onAnswer,
    });
    const { isKnown } = options;
    for await (const line of splitLines(body)) {
      const version = isKnown === undefined ? undefined : versionIn(line);
      if (version !== undefined && isKnown?.(version) === true) {
        yield { type: 'BOOKMARK', resourceVersion: version, initialEventsEnd: false };
      } else {
        yield readWatchEvent(line, resource, what);
      }
    }
  }

  follow(ref: KindRef, options: FollowOptions = {}): AsyncIterable<FollowEvent> {
    return followKind(this, ref, options);
  }

  followPieces(ref: KindRef, options: FollowOptions = {}): AsyncIterable<FollowPiece> {
    return followPieces(this, ref, options, this.#streaming);
  }

  async create(object: KubeObject, options: WriteOptions = {}): Promise<KubeObject> {
    const resource = await this.discovery.resolve(object, options);
    const ref = refOf(object);
    requireNamespace(resource, ref);
    const { subresource } = options;
    const path =
      subresource === undefined
        ? collectionPath(resource, ref.namespace)
        : objectPath(resource, ref, subresource);
    const call = {
      method: 'POST',
      path: withQuery(path, writeQuery(options)),
      what: `create ${nameObject(ref)}`,
      body: object,
    };
    const answer = await this.#write(options, call, resource);
    return asAnswered(answer, resource, subresource);
  }

  async update(object: KubeObject, options: WriteOptions = {}): Promise<KubeObject> {
    const resource = await this.discovery.resolve(object, options);
    const ref = refOf(object);
    const call = {
      method: 'PUT',
      path: withQuery(objectPath(resource, ref, options.subresource), writeQuery(options)),
      what: `update ${nameObject(ref)}`,
      body: object,
    };
    const answer = await this.#write(options, call, resource);
    return asAnswered(answer, resource, options.subresource);
  }

  async patch(ref: ObjectRef, patch: Json, options: PatchOptions): Promise<KubeObject> {
    const resource = await this.discovery.resolve(ref, options);
    const isApply = options.type === 'apply';
    const call = {
      method: 'PATCH',
      path: withQuery(objectPath(resource, ref, options.subresource), {
        ...writeQuery(options),
        force: isApply ? options.force : undefined,
      }),
      what: `${isApply ? 'apply' : 'patch'} ${nameObject(ref)}`,
      body: patch,
      contentType: patchTypes[options.type],
      isIdempotent: isApply,
    };
    const answer = await this.#write(options, call, resource);
    return asAnswered(answer, resource, options.subresource);
  }

  apply(object: KubeObject, options: ApplyOptions): Promise<KubeObject> {
    return this.patch(refOf(object), object, { ...options, type: 'apply' });
  }

  async delete(ref: ObjectRef, options: DeleteOptions = {}): Promise<KubeObject | undefined> {
    const resource = await this.discovery.resolve(ref, options);
    const answer = await this.#json(options, {
      method: 'DELETE',
      path: objectPath(resource, ref),
      what: `delete ${nameObject(ref)}`,
      body: deleteBody(options),
    });
    if (answer['kind'] === 'Status') return undefined;
    const object = asKubeObject(answer, resource);
    return object.metadata.deletionTimestamp === undefined ? undefined : object;
  }

  async deleteCollection(ref: KindRef, options: DeleteCollectionOptions = {}): Promise<void> {
    const resource = await this.discovery.resolve(ref, options);
    await this.#json(options, {
      method: 'DELETE',
      path: withQuery(collectionPath(resource, options.namespace), selectors(options)),
      what: `delete all of ${nameKind(ref)}`,
      body: deleteBody(options),
    });
  }

  async evict(pod: PodName, options: DeleteOptions = {}): Promise<void> {
    await this.#json(options, {
      method: 'POST',
      path: podPath(pod, 'eviction'),
      what: `evict Pod ${pod.namespace}/${pod.name}`,
      body: {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: pod.name, namespace: pod.namespace },
        deleteOptions: deleteBody(options),
      },
      waitsWhenBusy: false,
    });
  }

  logs(pod: PodName, options: LogOptions = {}): AsyncIterable<Uint8Array> {
    return readLogs(this.#requester, pod, options);
  }

  exec(pod: PodName, options: ExecOptions): Promise<ExecSession> {
    return openExec(this.#requester, pod, options);
  }

  portForward(
    pod: PodName,
    port: number,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<PortConnection> {
    return openPortForward(this.#requester, pod, port, options);
  }

  async canI(question: AccessQuestion, options: RequestOptions = {}): Promise<AccessAnswer> {
    const { path, verb, ...resourceAttributes } = question;
    const answer = await this.#json(options, {
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      what: `ask whether ${verb} ${question.resource ?? path ?? ''} is allowed`,
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec:
          path === undefined
            ? { resourceAttributes: { verb, ...resourceAttributes } }
            : { nonResourceAttributes: { verb, path } },
      },
      isIdempotent: true,
    });
    const status = isJsonObject(answer['status']) ? answer['status'] : {};
    const reason = status['reason'] ?? status['evaluationError'];
    return {
      allowed: status['allowed'] === true,
      reason: typeof reason === 'string' ? reason : '',
    };
  }

  as(identity: Identity): KubeClient {
    return new Client(
      this.#requester.withHeaders(impersonationHeaders(identity)),
      this.discovery,
      this.#streaming,
    );
  }

  raw(request: TransportRequest): Promise<TransportResponse> {
    return this.#requester.transport.request({
      ...request,
      headers: this.#requester.headersFor(request.headers),
    });
  }

  getJson(path: string, options: RequestOptions = {}): Promise<JsonObject> {
    return this.#json(options, { method: 'GET', path, what: `get ${path}` });
  }

  close(): Promise<void> {
    return this.#requester.transport.close();
  }

  #json(options: RequestOptions, call: Call): Promise<JsonObject> {
    const { signal, timeoutMs, onAnswer, yieldsForMs } = options;
    return this.#requester.json({ ...call, signal, timeoutMs, onAnswer, yieldsForMs });
  }

  #write(options: RequestOptions, call: Call, resource: ResourceKind): Promise<JsonObject> {
    const isSecret = resource.kind === 'Secret' && resource.group === '';
    return this.#json(options, isSecret ? { ...call, conceal: secretValues(call.body) } : call);
  }
}

const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

function partial(kind: string): string {
  return `application/json;as=${kind};g=meta.k8s.io;v=v1,application/json`;
}

function selectors({
  labelSelector,
  fieldSelector,
}: Pick<ListOptions, 'labelSelector' | 'fieldSelector'>): Query {
  return { labelSelector, fieldSelector };
}

function writeQuery({ fieldManager, dryRun, fieldValidation }: WriteOptions): Query {
  return { fieldManager, dryRun: dryRun === true ? 'All' : undefined, fieldValidation };
}

function deleteBody(options: DeleteOptions): JsonObject {
  const { propagation, gracePeriodSeconds, preconditions, dryRun } = options;
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    ...(propagation === undefined ? {} : { propagationPolicy: propagation }),
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(preconditions === undefined ? {} : { preconditions }),
    ...(dryRun === true ? { dryRun: ['All'] } : {}),
  };
}

function refOf({ apiVersion, kind, metadata }: KubeObject): {
  apiVersion: string;
  kind: string;
  namespace: string;
  name: string;
} {
  const { namespace = '', name = metadata.generateName ?? '' } = metadata;
  return { apiVersion, kind, namespace, name };
}

/** A subresource may answer with another kind (Scale), whose name must stay. */
function asAnswered(
  answer: JsonObject,
  resource: ResourceKind,
  subresource: string | undefined,
): KubeObject {
  if (subresource === undefined || subresource === 'status') return asKubeObject(answer, resource);
  const { kind, apiVersion } = answer;
  if (typeof kind !== 'string' || typeof apiVersion !== 'string') {
    return asKubeObject(answer, resource);
  }
  const metadata = isJsonObject(answer['metadata']) ? answer['metadata'] : {};
  return { ...answer, apiVersion, kind, metadata };
}

function readPage(answer: JsonObject, resource: ResourceKind): ObjectPage {
  const metadata = isJsonObject(answer['metadata']) ? answer['metadata'] : {};
  const items = Array.isArray(answer['items']) ? answer['items'] : [];
  const token = metadata['continue'];
  return {
    items: items.filter(isJsonObject).map((item) => asKubeObject(item, resource)),
    resourceVersion: String(metadata['resourceVersion'] ?? ''),
    ...(typeof token === 'string' && token !== '' ? { continueToken: token } : {}),
  };
}

function impersonationHeaders(identity: Identity): TransportRequest['headers'] {
  const { user, uid, groups = [], extra = {} } = identity;
  if (user.trim() === '' || groups.some((group) => group.trim() === '') || uid === '') {
    throw new CapstanError(
      'IDENTITY_EMPTY',
      'cannot act as someone without a name: the user, uid or a group to impersonate is empty',
      { hint: 'check what the identity is made from (claims, service account name)' },
    );
  }
  const headers: Record<string, string | readonly string[]> = { 'impersonate-user': user };
  if (uid !== undefined) headers['impersonate-uid'] = uid;
  if (groups.length > 0) headers['impersonate-group'] = groups;
  for (const [key, values] of Object.entries(extra)) {
    headers[`impersonate-extra-${encodeURIComponent(key.toLowerCase())}`] = values;
  }
  return headers;
}
