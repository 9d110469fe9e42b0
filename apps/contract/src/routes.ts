import type {
  AppDetail,
  AppRef,
  AppSummary,
  EventView,
  ExplanationView,
  FieldExplanation,
  PlanView,
  ResourceDetail,
  ResourceRef,
  ServerInfo,
} from './view-models.ts';

/**
 * Every route of the page's API. GET answers are JSON of `response`; POST takes JSON of `request`
 * (content type application/json, enforced) and answers 202 with `{}` when the work was accepted. Errors are ErrorBody.
 */
export interface Routes {
  'GET /api/info': { readonly response: ServerInfo };
  'GET /api/apps': { readonly response: readonly AppSummary[] };
  'GET /api/apps/:kind/:namespace/:name': { readonly response: AppDetail };
  'GET /api/apps/:kind/:namespace/:name/events': { readonly response: readonly EventView[] };
  /** Query: group, version, kind, namespace, name. */
  'GET /api/apps/:kind/:namespace/:name/resource': { readonly response: ResourceDetail };
  'GET /api/apps/:kind/:namespace/:name/explain': {
    readonly response: readonly ExplanationView[];
  };
  'GET /api/apps/:kind/:namespace/:name/plan': { readonly response: PlanView };
  /**
   * Query: kind (or its plural, in any case), name and field of an object; namespace, group and app (`kind/namespace/name`)
   * where that leaves a choice.
   */
  'GET /api/why': { readonly response: FieldExplanation };
  'POST /api/apps/:kind/:namespace/:name/refresh': {
    readonly request: { readonly hard?: boolean };
  };
  'POST /api/apps/:kind/:namespace/:name/sync': {
    readonly request: { readonly prune?: boolean; readonly dryRun?: boolean };
  };
  /** `id` of a SyncRecord. */
  'POST /api/apps/:kind/:namespace/:name/rollback': { readonly request: { readonly id: number } };
}

/**
 * Server-sent events at GET /api/stream (query `app=kind/namespace/name` for one app's detail too). The first events are a
 * full picture; later ones only what changed. `id:` is a resume token.
 */
export type StreamEvent =
  | { readonly type: 'apps'; readonly apps: readonly AppSummary[] }
  | { readonly type: 'app'; readonly app: AppSummary }
  | { readonly type: 'removed'; readonly ref: AppRef }
  | { readonly type: 'detail'; readonly detail: AppDetail };

export function appPath({ kind, namespace, name }: AppRef): string {
  return `/api/apps/${kind}/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
}

/** The path that asks where a field comes from; what is '' is left open. */
export function whyPath(question: {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly field: string;
  readonly app: string;
}): string {
  const given = Object.entries(question).filter(([, value]) => value !== '');
  return `/api/why?${new URLSearchParams(given)}`;
}

export function resourceQuery(ref: ResourceRef): string {
  return new URLSearchParams({
    group: ref.group,
    version: ref.version,
    kind: ref.kind,
    namespace: ref.namespace,
    name: ref.name,
  }).toString();
}

export function appKey({ kind, namespace, name }: AppRef): string {
  return `${kind}/${namespace}/${name}`;
}
