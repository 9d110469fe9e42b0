import type { AppRef, FieldExplanation, FieldSourceView, PlanObject } from '@capstan/apps-contract';
import type { FieldTrace, TracedLine } from '@capstan/engine-delivery';
import { maskSecrets, writersOf } from '@capstan/engine-diff';
import {
  type FieldQuestion,
  fieldSteps,
  findField,
  formatPath,
  type MissingField,
  matchesKind,
  parseFieldName,
} from '@capstan/engine-render';
import { isNotFound, type KubeClient } from '@capstan/kube-client';
import type { Json, KubeObject, ObjectKey } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { APP_KINDS } from './app-ref.ts';
import type { AppViews } from './app-views.ts';

/** Which field of which object is asked about; '' leaves it open. */
export interface FieldRequest {
  readonly kind: string;
  readonly group: string;
  readonly namespace: string;
  readonly name: string;
  readonly field: string;
  readonly app: AppRef | undefined;
}

export interface ExplainFieldPorts {
  readonly client: KubeClient;
  /** Annotations whose values are not shown, by the administrator's word; absent: none beyond our own. */
  readonly sensitiveAnnotations?: (() => readonly string[]) | undefined;
  readonly views: AppViews;
  readonly traceField: (app: AppRef, question: FieldQuestion) => Promise<FieldTrace | undefined>;
}

interface Managed {
  readonly app: AppRef;
  readonly key: ObjectKey;
  readonly version: string;
}

/** Where a field of an object of some app comes from: the lines behind it, and who wrote the live value. */
export async function explainField(
  request: FieldRequest,
  ports: ExplainFieldPorts,
  options: { readonly signal: AbortSignal },
): Promise<FieldExplanation> {
  const { app, key, version } = findManaged(request, ports.views);
  const field = parseFieldName(request.field);
  const { kind, namespace, name } = key;
  const question = { kind, name, namespace, field };
  const [live, trace] = await Promise.all([
    readLive(key, version, ports.client, options),
    ports.traceField(app, question),
  ]);
  const [shownLive, shownDesired] = maskSecrets([live, trace?.desired] as const, {
    sensitiveAnnotations: ports.sensitiveAnnotations?.() ?? [],
  });
  const desired = shownDesired && findField(shownDesired as Json, field);
  const steps = desired?.kind === 'found' ? fieldSteps(shownDesired as Json, desired.path) : field;
  const found = shownLive && findField(shownLive as Json, steps);
  const place = desired?.kind === 'found' ? desired : found;
  if (place?.kind !== 'found') throw notThere(key, desired?.kind === 'missing' ? desired : place);
  return {
    app,
    object: toPlanObject(key),
    field: formatPath(place.path),
    desired: desired?.kind === 'found' ? JSON.stringify(desired.value) : null,
    live: found?.kind === 'found' ? JSON.stringify(found.value) : null,
    writers:
      live === undefined || found?.kind !== 'found'
        ? []
        : writersOf(live, found.path).map(({ manager, operation, time = '' }) => ({
            manager,
            operation,
            at: time,
          })),
    sources: (await withOwn(trace?.lines ?? [], app, ports, 0)).map(toSourceView),
  };
}

const OWNERS_MAX = 3;

/** What the app itself says is written somewhere too, where another app brings it. */
async function withOwn(
  lines: readonly TracedLine[],
  app: AppRef,
  ports: ExplainFieldPorts,
  depth: number,
): Promise<readonly TracedLine[]> {
  const expanded = lines.map(async (line): Promise<readonly TracedLine[]> => {
    if (line.own === undefined || depth >= OWNERS_MAX) return [line];
    const { kind, namespace, name } = app;
    const [owner] = managedNamed({ kind, namespace, name, group: APP_KINDS[kind] }, ports.views);
    if (owner === undefined) return [line];
    const within = line.ownLine === undefined ? {} : { line: line.ownLine };
    const question = { kind, namespace, name, field: parseFieldName(line.own), ...within };
    const trace = await ports.traceField(owner.app, question);
    const further = await withOwn(trace?.lines ?? [], owner.app, ports, depth + 1);
    return further.length === 0
      ? [line]
      : further.map((one) => ({ ...one, role: [line.role, one.role].filter(Boolean).join(': ') }));
  });
  return (await Promise.all(expanded)).flat();
}

function toPlanObject({ group, kind, namespace, name }: ObjectKey): PlanObject {
  return { group, kind, namespace, name };
}

function toSourceView({ source, revision, file, line, role, author }: TracedLine): FieldSourceView {
  return {
    repo: source.url,
    revision: revision.id,
    file: file ?? null,
    line: line ?? null,
    role: role ?? '',
    commit:
      author === undefined
        ? null
        : {
            sha: author.commit,
            author: `${author.author} <${author.email}>`,
            date: author.date,
            message: author.subject,
          },
  };
}

function notThere({ kind, name }: ObjectKey, place: MissingField | undefined): CapstanError {
  const why = place?.message ?? 'it is neither in Git nor in the cluster';
  return new CapstanError('FIELD_NOT_FOUND', `${kind} ${name}: ${why}`, {
    ...(place?.hint === undefined ? {} : { hint: place.hint }),
  });
}

async function readLive(
  { group, kind, namespace, name }: ObjectKey,
  version: string,
  client: KubeClient,
  options: { readonly signal: AbortSignal },
): Promise<KubeObject | undefined> {
  const ref = { group, kind, namespace, name, ...(version === '' ? {} : { version }) };
  return await client.find(ref, options).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
}

const SHOWN_MAX = 5;

/** The one object of one app that is meant; throws with the choice where there are several. */
function findManaged(request: FieldRequest, views: AppViews): Managed {
  const { kind, name } = request;
  const found = managedNamed(request, views, request.app);
  const [first] = found;
  if (first === undefined) {
    throw new CapstanError('NOT_FOUND', `no app has ${kind} ${name}`, {
      hint: 'name an object that Git describes: what others made of it, such as Pods, has no line',
    });
  }
  if (found.length === 1) return first;
  const choice = found
    .slice(0, SHOWN_MAX)
    .map(
      ({ app, key }) => `${key.namespace}/${key.name} of ${app.kind}/${app.namespace}/${app.name}`,
    );
  throw new CapstanError('OBJECT_AMBIGUOUS', `there are several: ${choice.join(', ')}`, {
    hint: 'name the namespace or the app',
  });
}

function managedNamed(
  { kind, group, namespace, name }: ObjectKey,
  views: AppViews,
  only?: AppRef,
): readonly Managed[] {
  return (only === undefined ? views.list() : [only]).flatMap((app) =>
    views
      .managed(app)
      .filter(
        ({ key }) =>
          key.name === name &&
          matchesKind(key.kind, kind) &&
          (group === '' || key.group === group) &&
          (namespace === '' || key.namespace === namespace),
      )
      .map(({ key, version }) => ({ app: refOf(app), key, version })),
  );
}

function refOf({ kind, namespace, name }: AppRef): AppRef {
  return { kind, namespace, name };
}
