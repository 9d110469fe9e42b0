import type { DesiredObject } from '@capstan/engine-diff';
import type { Snapshot, SourceSpec } from '@capstan/engine-source';
import { CapstanError, type Diagnostic, hexOf, messageOf } from '@capstan/lib-std';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { Cluster } from './cluster.ts';
import { dropUnknown } from './drop-unknown.ts';
import type { DeliveryPorts, SignalOptions } from './ports.ts';
import {
  declaredScopes,
  kindName,
  type PreparedState,
  prepareDesired,
  type Scope,
} from './prepare-desired.ts';
import { withReferences } from './refer-sources.ts';
import type { LoadedRender } from './source-watches.ts';
import type { Delivery, DeliverySource, Problem, SourceRevision } from './types.ts';

/** What is wanted, or why that is not known. */
export interface LoadedState {
  readonly revisions: readonly SourceRevision[];
  readonly renderKinds: readonly string[];
  readonly digest: string;
  /** Absent when the source could not be read or rendered. */
  readonly prepared?: PreparedState;
  readonly problems: readonly Problem[];
  /** One for each source, when all could be read. */
  readonly renders: readonly LoadedRender[];
}

export interface LoadOptions extends SignalOptions {
  /** 0 asks the remote; Infinity takes what is known. */
  readonly maxAgeMs: number;
  /** Instead of what the delivery names: for a rollback, or a sync to another revision. */
  readonly sources?: readonly DeliverySource[] | undefined;
  readonly revisions?: readonly string[] | undefined;
}

/** Fetches and renders all sources. Bad input and unreachable remotes become problems; only an abort is thrown. */
export async function loadDesired(
  delivery: Delivery,
  ports: DeliveryPorts,
  options: LoadOptions,
): Promise<LoadedState> {
  const sources = options.sources ?? delivery.sources;
  const revisions: SourceRevision[] = [];
  const renderKinds: string[] = [];
  const digests: string[] = [];
  const objects: DesiredObject[] = [];
  const problems: Problem[] = [];
  const renders: LoadedRender[] = [];
  for (const [index, source] of sources.entries()) {
    const fetch = (at: number) => fetchSourceAt(sources, at, { ports, options });
    const loaded = await loadSource(source, () => fetch(index), { sources, fetch, ports, options });
    if (loaded.revision !== undefined) revisions.push(loaded.revision);
    problems.push(...loaded.problems);
    if (loaded.kind !== undefined) renderKinds.push(loaded.kind);
    digests.push(loaded.digest);
    objects.push(...loaded.objects);
    if (loaded.render !== undefined) renders.push(loaded.render);
  }
  if (problems.some(({ severity }) => severity === 'error')) {
    const known = renders.length === sources.length ? renders : [];
    return { revisions, renderKinds, digest: '', problems, renders: known };
  }
  const scopes = await findScopes(objects, ports.cluster, options);
  const prepared = prepareDesired(
    objects.map((one) => ({ ...one, object: dropUnknown(one.object, delivery, ports.cluster) })),
    delivery,
    (object) => scopes.get(kindName(object)) ?? 'unknown',
  );
  const place = [
    delivery.destination.cluster,
    delivery.destination.namespace,
    delivery.tracking.owner,
  ];
  const digest = hexOf(sha256(utf8ToBytes([...digests, ...place].join('\n'))));
  return {
    revisions,
    renderKinds,
    digest,
    prepared,
    problems: [...problems, ...prepared.problems],
    renders,
  };
}

interface LoadedSource {
  readonly revision?: SourceRevision;
  readonly kind?: string;
  readonly digest: string;
  readonly objects: readonly DesiredObject[];
  readonly problems: readonly Problem[];
  readonly render?: LoadedRender;
}

interface LoadContext {
  readonly sources: readonly DeliverySource[];
  readonly fetch: (index: number) => Promise<Snapshot>;
  readonly ports: DeliveryPorts;
  readonly options: LoadOptions;
}

async function loadSource(
  { source, render, verify }: DeliverySource,
  fetchOwn: () => Promise<Snapshot>,
  { sources, fetch, ports, options }: LoadContext,
): Promise<LoadedSource> {
  const { signal } = options;
  let found: SourceRevision | undefined;
  try {
    const snapshot = await fetchOwn();
    found = snapshot.revision;
    if (verify !== undefined && source.kind === 'git')
      await ports.sources.verifyRevision(source, snapshot, verify);
    if (render === undefined) {
      // What others read of it is part of what they render.
      return { revision: found, digest: '', objects: [], problems: [], render: { snapshot } };
    }
    const whole = await withReferences(snapshot, render, { sources, fetch });
    const rendered = await ports.render(whole, render, { signal });
    const { kind, digest, objects, trace } = rendered;
    const problems = [...rendered.diagnostics.map(toProblem), ...objects.flatMap(findNameless)];
    return { revision: found, kind, digest, objects, problems, render: { snapshot, trace } };
  } catch (error) {
    signal.throwIfAborted();
    const problems = [problemOf(error, found === undefined ? 'source' : 'render')];
    return {
      ...(found === undefined ? {} : { revision: found }),
      digest: '',
      objects: [],
      problems,
    };
  }
}

/** A renderer lets objects pass that name no kind; nobody can apply them. */
function findNameless({ object, origin }: DesiredObject): readonly Problem[] {
  if (object.apiVersion && object.kind) return [];
  const { apiVersion, kind, metadata } = object;
  // Not the rest: it may be a Secret.
  const known = JSON.stringify({ apiVersion, kind, metadata });
  const message = `failed to decode Kubernetes apiVersion, kind and name from: ${known}`;
  return [
    {
      stage: 'render',
      severity: 'error',
      code: 'OBJECT_INVALID',
      message,
      kind: 'stalled',
      ...(origin === undefined ? {} : { location: origin }),
    },
  ];
}

async function fetchSourceAt(
  sources: readonly DeliverySource[],
  index: number,
  { ports, options }: Pick<LoadContext, 'ports' | 'options'>,
): Promise<Snapshot> {
  return fetchAt(sources[index]!.source, options.revisions?.[index], ports, options);
}

async function fetchAt(
  source: SourceSpec,
  revision: string | undefined,
  ports: DeliveryPorts,
  { maxAgeMs, signal }: LoadOptions,
) {
  // An archive is one state: whoever names it has chosen already.
  if (source.kind === 'archive' || revision === undefined || revision === '') {
    return ports.sources.fetchSnapshot(source, { maxAgeMs, signal });
  }
  const known = await ports.sources.snapshotAt(source, revision);
  if (known !== undefined) return known;
  const wanted: SourceSpec =
    source.kind === 'artifact'
      ? { ...source, revision: { kind: 'version', range: revision } }
      : { ...source, revision: { kind: 'any', name: revision } };
  return ports.sources.fetchSnapshot(wanted, { maxAgeMs, signal });
}

async function findScopes(
  objects: readonly DesiredObject[],
  cluster: Cluster,
  { signal }: SignalOptions,
): Promise<ReadonlyMap<string, Scope>> {
  const scopes = new Map<string, Scope>();
  const declared = declaredScopes(objects);
  for (const { object } of objects) {
    const name = kindName(object);
    if (scopes.has(name)) continue;
    const { apiVersion, kind } = object;
    const found = await cluster.client.discovery.find({ apiVersion, kind }, { signal });
    if (found !== undefined) scopes.set(name, found.namespaced ? 'namespaced' : 'cluster');
    else scopes.set(name, declared.get(name) ?? (await lookAgain(object, cluster, signal)));
  }
  return scopes;
}

async function lookAgain(
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
  cluster: Cluster,
  signal: AbortSignal,
): Promise<Scope> {
  try {
    const found = await cluster.client.discovery.resolve({ apiVersion, kind }, { signal });
    return found.namespaced ? 'namespaced' : 'cluster';
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CapstanError && error.code === 'KIND_NOT_SERVED') return 'unknown';
    throw error;
  }
}

export function toProblem(diagnostic: Diagnostic): Problem {
  const { severity, code, message, hint, location } = diagnostic;
  return {
    stage: 'render',
    severity,
    code,
    message,
    kind: 'stalled',
    ...(hint === undefined ? {} : { hint }),
    ...(location === undefined ? {} : { location }),
  };
}

export function problemOf(error: unknown, stage: Problem['stage']): Problem {
  if (!(error instanceof CapstanError)) {
    const message = `an internal error: ${messageOf(error)}`;
    return { stage, severity: 'error', code: 'INTERNAL', message, kind: 'bug' };
  }
  const { code, message, kind, hint } = error;
  return { stage, severity: 'error', code, message, kind, ...(hint === undefined ? {} : { hint }) };
}
