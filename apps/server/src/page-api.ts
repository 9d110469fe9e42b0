import type { AppRef, ResourceRef, Routes, ServerInfo } from '@capstan/apps-contract';
import type { SyncPreview } from '@capstan/engine-delivery';
import type { KubeClient, LiveState } from '@capstan/kube-client';
import { CapstanError, type Clock } from '@capstan/lib-std';
import { eventStream } from './http/event-stream.ts';
import { createRouter, type Route, type RouteRequest, readField, readFlag } from './http/router.ts';
import type { AppActions } from './views/app-actions.ts';
import { parseAppRef } from './views/app-ref.ts';
import { streamApps } from './views/app-stream.ts';
import type { AppViews } from './views/app-views.ts';
import { readEvents } from './views/event-views.ts';
import { type ExplainFieldPorts, explainField, type FieldRequest } from './views/explain-field.ts';
import { explainObject } from './views/explain-object.ts';
import { toPlanView } from './views/plan-view.ts';
import { type ResourceDetailPorts, readResourceDetail } from './views/resource-detail.ts';

export interface PageApiPorts {
  readonly client: KubeClient;
  readonly live: LiveState;
  readonly views: AppViews;
  readonly actions: AppActions;
  readonly inspect: ResourceDetailPorts['inspect'];
  readonly preview: (app: AppRef) => Promise<SyncPreview | undefined>;
  readonly traceField: ExplainFieldPorts['traceField'];
  readonly sensitiveAnnotations?: ResourceDetailPorts['sensitiveAnnotations'];
  readonly clock: Clock;
  readonly info: ServerInfo;
}

type Reply<K extends keyof Routes> = Routes[K] extends { readonly response: infer R }
  ? R
  : undefined;

/** The page's API (see apps/contract) as one function from Request to Response. */
export function createPageApi(ports: PageApiPorts): (request: Request) => Promise<Response> {
  return createRouter([
    route('GET /api/info', async () => ports.info),
    route('GET /api/apps', async () => ports.views.list()),
    route('GET /api/apps/:kind/:namespace/:name', async ({ params }) =>
      ports.views.detail(parseAppRef(params)),
    ),
    route('GET /api/apps/:kind/:namespace/:name/events', async ({ params, signal }) => {
      const ref = parseAppRef(params);
      ports.views.require(ref);
      return await readEvents(ports.client, ref, { signal });
    }),
    route('GET /api/apps/:kind/:namespace/:name/resource', async ({ params, query, signal }) =>
      readResourceDetail(parseAppRef(params), readResourceRef(query), ports, { signal }),
    ),
    route('GET /api/apps/:kind/:namespace/:name/explain', async ({ params }) =>
      explainObject(ports.views.require(parseAppRef(params))),
    ),
    route('GET /api/apps/:kind/:namespace/:name/plan', async ({ params }) => {
      const ref = parseAppRef(params);
      ports.views.require(ref);
      return toPlanView(ref, await ports.preview(ref));
    }),
    route('GET /api/why', async ({ query, signal }) =>
      explainField(readFieldRequest(query), ports, { signal }),
    ),
    route('POST /api/apps/:kind/:namespace/:name/refresh', async ({ params, body }) => {
      await ports.actions.refresh(parseAppRef(params), { hard: readFlag(body, 'hard') });
      return undefined;
    }),
    route('POST /api/apps/:kind/:namespace/:name/sync', async ({ params, body }) => {
      const options = { prune: readFlag(body, 'prune'), dryRun: readFlag(body, 'dryRun') };
      await ports.actions.sync(parseAppRef(params), options);
      return undefined;
    }),
    route('POST /api/apps/:kind/:namespace/:name/rollback', async ({ params, body }) => {
      await ports.actions.rollback(parseAppRef(params), readId(body));
      return undefined;
    }),
    { method: 'GET', path: '/api/stream', handle: (request) => openStream(request, ports) },
  ]);
}

/** Ties a handler to the contract: path, method and type of the reply are those of the route's name. */
function route<K extends keyof Routes & string>(
  name: K,
  handle: (request: RouteRequest) => Promise<Reply<K>>,
): Route {
  const [method, path] = name.split(' ') as ['GET' | 'POST', string];
  return { method, path, handle };
}

function openStream({ query }: RouteRequest, ports: PageApiPorts): Response {
  const { views, live, clock } = ports;
  const app = readApp(query.get('app'));
  return eventStream((signal) => streamApps({ views, live, clock, app, signal }));
}

function readApp(text: string | null): AppRef | undefined {
  if (text === null || text === '') return undefined;
  const [kind = '', namespace = '', name = ''] = text.split('/');
  return parseAppRef({ kind, namespace, name });
}

function readFieldRequest(query: URLSearchParams): FieldRequest {
  const read = (name: string) => (query.get(name) ?? '').slice(0, 512);
  const [kind, name, field] = [read('kind'), read('name'), read('field')];
  if (kind === '' || name === '' || field === '') {
    throw new CapstanError('REQUEST_INVALID', 'kind, name and field of an object are needed');
  }
  const app = readApp(query.get('app'));
  return { kind, name, field, group: read('group'), namespace: read('namespace'), app };
}

function readResourceRef(query: URLSearchParams): ResourceRef {
  const read = (name: string) => (query.get(name) ?? '').slice(0, 512);
  const ref = {
    group: read('group'),
    version: read('version'),
    kind: read('kind'),
    namespace: read('namespace'),
    name: read('name'),
  };
  if (ref.kind !== '' && ref.name !== '') return ref;
  throw new CapstanError('REQUEST_INVALID', 'kind and name of the resource are needed');
}

function readId(body: unknown): number {
  const id = readField(body, 'id');
  if (typeof id === 'number' && Number.isSafeInteger(id)) return id;
  throw new CapstanError('REQUEST_INVALID', 'id must be the number of a deployment');
}
