/**
 * Reconciles ArtifactGenerators: takes the artifacts of sources apart and together anew, and tells the results as
 * ExternalArtifacts. Woken by the object, its sources, what it made, and once an hour. Level-based; at rest nothing is
 * written. Follows source-watcher 2.2: what counts as drift, names, labels, conditions, reasons.
 */

import type { SourceStore } from '@capstan/engine-source';
import { ignoreFiles } from '@capstan/engine-source/store';
import {
  type Artifact,
  type ArtifactGenerator,
  EXTENSIONS_GROUP,
  GENERATOR_FINALIZER,
  GENERATOR_LABEL,
  GENERATOR_RECONCILE,
  type GeneratedArtifact,
  parseArtifactGenerator,
  SOURCE_GROUP,
} from '@capstan/flux-api';
import type { LiveChange } from '@capstan/kube-client';
import { type Controller, createController, type ReconcileResult } from '@capstan/kube-controller';
import type { FileTree } from '@capstan/lib-files';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { findCondition } from '../conditions.ts';
import { type ControlState, isWanted, type NamedKey, requireParsed } from '../control-state.ts';
import { formatTime } from '../durations.ts';
import { reconcileDurations } from '../reconcile-durations.ts';
import { isWatched } from '../settings.ts';
import type { PackTree } from '../sources/artifact-port.ts';
import { artifactSource } from '../sources/git-repositories.ts';
import type { SourcePorts } from '../sources/source-controller.ts';
import { sourceId } from '../sources/source-controller.ts';
import { describeError } from '../sources/source-outcome.ts';
import type { Tenancy } from '../tenancy.ts';
import { FLUX_IGNORE } from '../to-source.ts';
import { setFinalizer, writeStatus } from '../write-object.ts';
import { composeArtifact } from './compose-artifact.ts';
import { contentHash } from './content-hash.ts';
import {
  GENERATOR_MANAGER,
  removeExternalArtifact,
  tellExternalArtifact,
} from './external-artifact.ts';
import {
  hashSources,
  type ObservedSource,
  observeSources,
  originRevision,
} from './observed-sources.ts';
import { type ArtifactRequest, artifactRequests } from './path-pattern.ts';
import { type GeneratorOutcome, toGeneratorStatus } from './to-generator-status.ts';
import { validateGenerator } from './validate-generator.ts';

export interface ArtifactGeneratorPorts extends SourcePorts {
  readonly sources: SourceStore;
  readonly pack: PackTree;
  readonly tenancy?: Tenancy;
}

interface Bench {
  readonly ports: ArtifactGeneratorPorts;
  readonly control: ControlState;
}

const INTERVAL_MS = 3_600_000;
const DEPENDENCY_MS = 5_000;
const JITTER = 0.05;

export function createArtifactGeneratorController(
  ports: ArtifactGeneratorPorts,
  control: ControlState,
): { readonly controller: Controller<NamedKey>; start(): () => void } {
  const bench: Bench = { ports, control };
  const controller = createController<NamedKey>({
    name: 'artifactgenerator',
    reconcile: (key, { signal }) => reconcile(key, bench, signal),
    keyString: sourceId,
    clock: ports.clock,
    ...reconcileDurations(
      'ArtifactGenerator',
      ports.runtime,
      (key) => control.generator(key) !== undefined,
    ),
    ...(ports.runtime === undefined ? {} : { runtime: ports.runtime }),
  });
  return {
    controller,
    start: () => control.live.subscribe((change) => wake(change, controller, control)),
  };
}

/** The object itself; those that take from a source; those whose work somebody touched. */
function wake(change: LiveChange, controller: Controller<NamedKey>, control: ControlState): void {
  const { group, kind, namespace, name } = change.key;
  if (group === EXTENSIONS_GROUP && kind === 'ArtifactGenerator') {
    if (isWanted(change)) controller.enqueue(change.key);
    return;
  }
  if (group !== SOURCE_GROUP) return;
  const [old, present] = [artifactText(change.before), artifactText(change.after)];
  const makers = [change.before, change.after].map(
    (one) => one?.read().metadata.labels?.[GENERATOR_LABEL],
  );
  for (const { metadata, spec } of control.generators()) {
    const own = metadata.namespace ?? '';
    const takes = spec.sources.some(
      (one) => one.kind === kind && one.name === name && (one.namespace || own) === namespace,
    );
    if (
      (takes && old !== present) ||
      makers.some((uid) => uid !== undefined && uid === metadata.uid)
    ) {
      controller.enqueue({ namespace: own, name: metadata.name ?? '' }, { reason: 'source' });
    }
  }
}

function artifactText(object: LiveChange['before']): string | undefined {
  const status = object?.read()['status'] as { readonly artifact?: Artifact } | undefined;
  return JSON.stringify(status?.artifact);
}

async function reconcile(
  key: NamedKey,
  bench: Bench,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { ports, control } = bench;
  const found = control.generator(key);
  if (found === undefined || !isWatched(found, ports.settings ?? {})) return { kind: 'settled' };
  const write = { client: ports.client, fieldManager: GENERATOR_MANAGER, signal };
  if (found.metadata.deletionTimestamp !== undefined) {
    const { inventory = [] } = requireParsed(parseArtifactGenerator(found), found).status;
    for (const one of inventory) await removeExternalArtifact(one, ports, signal);
    await setFinalizer(found, false, write, GENERATOR_FINALIZER);
    return { kind: 'settled' };
  }
  const held = await setFinalizer(found, true, write, GENERATOR_FINALIZER);
  if (held !== undefined) control.live.observeWrite(held);
  const current = held ?? found;
  const object = requireParsed(parseArtifactGenerator(current), current);
  const outcome = await attempt(object, bench, signal);
  const status = toGeneratorStatus(object, outcome, ports.clock.now());
  const written = await writeStatus(current, status, write);
  if (written !== undefined) control.live.observeWrite(written);
  tell(object, outcome, ports);
  return toResult(outcome, ports.random);
}

async function attempt(
  object: ArtifactGenerator,
  bench: Bench,
  signal: AbortSignal,
): Promise<GeneratorOutcome> {
  const { ports, control } = bench;
  const disabled = object.metadata.annotations?.[GENERATOR_RECONCILE]?.toLowerCase() === 'disabled';
  if (disabled) return { kind: 'disabled' };
  const refused = validateGenerator(object, ports.tenancy ?? {});
  if (refused !== undefined) return { kind: 'failed', ...refused, isStalled: true };
  let observed: ReadonlyMap<string, ObservedSource>;
  try {
    observed = observeSources(object, control);
  } catch (error) {
    return unfetched('get sources failed', error);
  }
  const sourcesDigest = hashSources(observed);
  if (!(await hasDrifted(object, sourcesDigest, bench))) return { kind: 'unchanged' };
  let files: ReadonlyMap<string, FileTree>;
  try {
    files = await fetchSources(object, observed, ports, signal);
  } catch (error) {
    signal.throwIfAborted();
    return unfetched('fetch sources failed', error);
  }
  return await generate(object, { observed, sourcesDigest, files }, bench, signal);
}

function unfetched(what: string, error: unknown): GeneratorOutcome {
  const message = `${what}: ${describeError(error)}`;
  return { kind: 'failed', reason: 'SourceFetchFailed', message, isStalled: false };
}

/** Whether anything but a look is needed: the original's list, in its order. */
async function hasDrifted(
  { metadata, spec, status }: ArtifactGenerator,
  sourcesDigest: string,
  { ports, control }: Bench,
): Promise<boolean> {
  const ready = findCondition(status.conditions, 'Ready');
  if (ready?.status !== 'True' || ready.observedGeneration !== metadata.generation) return true;
  if (status.observedSourcesDigest !== sourcesDigest) return true;
  const { inventory = [] } = status;
  if (!spec.pathPattern && inventory.length !== spec.artifacts.length) return true;
  for (const { namespace, name, filename, digest } of inventory) {
    const path = `externalartifact/${namespace}/${name}/${filename}`;
    if ((await ports.artifacts.verify({ path, digest })) !== 'sound') return true;
  }
  const made = control.live
    .list({ group: SOURCE_GROUP, kind: 'ExternalArtifact' }, metadata.namespace)
    .map((one) => one.read())
    .filter((one) => one.metadata.labels?.[GENERATOR_LABEL] === metadata.uid);
  if (made.length !== inventory.length) return true;
  return made.some((one) => {
    const artifact = (one['status'] as { readonly artifact?: Artifact } | undefined)?.artifact;
    return !inventory.some(
      ({ name, digest }) => name === one.metadata.name && digest === artifact?.digest,
    );
  });
}

async function fetchSources(
  { spec, metadata }: ArtifactGenerator,
  observed: ReadonlyMap<string, ObservedSource>,
  { sources }: ArtifactGeneratorPorts,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, FileTree>> {
  const files = new Map<string, FileTree>();
  for (const { alias, kind, name, namespace = metadata.namespace } of spec.sources) {
    const source = observed.get(alias);
    if (source === undefined) continue;
    const of = artifactSource(kind, `${namespace}/${name}`, source.artifact);
    files.set(alias, (await sources.fetchSnapshot(of, { signal })).files);
  }
  return files;
}

interface Material {
  readonly observed: ReadonlyMap<string, ObservedSource>;
  readonly sourcesDigest: string;
  readonly files: ReadonlyMap<string, FileTree>;
}

async function generate(
  object: ArtifactGenerator,
  material: Material,
  { ports, control }: Bench,
  signal: AbortSignal,
): Promise<GeneratorOutcome> {
  let requests: readonly ArtifactRequest[];
  try {
    requests = artifactRequests(object, material.files);
  } catch (error) {
    const message = `failed to expand path pattern: ${messageOf(error)}`;
    return { kind: 'failed', reason: 'BuildFailed', message, isStalled: true };
  }
  const inventory: GeneratedArtifact[] = [];
  for (const request of requests) {
    const { name } = request.output;
    let artifact: Artifact;
    try {
      artifact = await build(object, request, material, ports);
    } catch (error) {
      const message = `${name} build failed: ${messageOf(error)}`;
      return { kind: 'failed', reason: 'BuildFailed', message, isStalled: false };
    }
    try {
      const told = await tellExternalArtifact(object, { request, artifact }, ports, signal);
      control.live.observeWrite(told);
    } catch (error) {
      signal.throwIfAborted();
      const message = `${name} reconcile failed: ${messageOf(error)}`;
      return { kind: 'failed', reason: 'ReconciliationFailed', message, isStalled: false };
    }
    const filename = artifact.path.slice(artifact.path.lastIndexOf('/') + 1);
    const namespace = object.metadata.namespace ?? '';
    inventory.push({ digest: artifact.digest, filename, name, namespace });
  }
  for (const one of object.status.inventory ?? []) {
    const isKept = inventory.some(({ name, namespace }) => {
      return name === one.name && namespace === one.namespace;
    });
    if (!isKept) await removeExternalArtifact(one, ports, signal);
  }
  for (const { namespace, name, filename } of inventory) {
    const path = `externalartifact/${namespace}/${name}/${filename}`;
    await ports.artifacts.collectGarbage({ path });
  }
  return { kind: 'made', inventory, sourcesDigest: material.sourcesDigest };
}

async function build(
  object: ArtifactGenerator,
  { output }: ArtifactRequest,
  { observed, files }: Material,
  { artifacts, pack, clock }: ArtifactGeneratorPorts,
): Promise<Artifact> {
  const composed = await composeArtifact(output.copy, files);
  const file = {
    kind: 'ExternalArtifact',
    namespace: object.metadata.namespace ?? '',
    name: output.name,
    fileName: `${contentHash(output.name, composed)}.tar.gz`,
  };
  const shown = ignoreFiles(composed, { always: [...ALWAYS, ...OTHERWISE] }).files;
  const { path, url, digest, size } = await artifacts.store(file, pack(shown));
  const source = observed.get(output.revision?.replace(/^@/, '') ?? '');
  const origin = observed.get(output.originRevision?.replace(/^@/, '') ?? '');
  return {
    digest,
    lastUpdateTime: formatTime(clock.now()),
    path,
    revision: source?.artifact.revision ?? `latest@${digest}`,
    size,
    url,
    ...(origin === undefined ? {} : { metadata: originRevision(origin) }),
  };
}

const { always: ALWAYS = [], otherwise: OTHERWISE = [] } = FLUX_IGNORE;

/** Events at failures, and at what is new. */
function tell(
  object: ArtifactGenerator,
  outcome: GeneratorOutcome,
  { events }: ArtifactGeneratorPorts,
): void {
  const { apiVersion, kind, metadata, status } = object;
  const about = { apiVersion, kind, metadata };
  if (outcome.kind === 'failed') {
    const { reason, message } = outcome;
    if (findCondition(status.conditions, 'Ready')?.message === message) return;
    events.record({ object: about, type: 'Warning', reason, message });
    return;
  }
  if (outcome.kind !== 'made') return;
  const changed = outcome.inventory.filter(
    ({ name, namespace, digest }) =>
      !status.inventory?.some(
        (one) => one.name === name && one.namespace === namespace && one.digest === digest,
      ),
  );
  if (changed.length === 0) return;
  const lines = changed.map(({ namespace, name, digest }) => `${namespace}/${name} (${digest})`);
  const message = `external artifacts reconciled: ${lines.join('\n')}`;
  events.record({ object: about, type: 'Normal', reason: 'Ready', message });
}

function toResult(outcome: GeneratorOutcome, random: () => number): ReconcileResult {
  const recheckAfterMs = Math.round(INTERVAL_MS * (1 + JITTER * (2 * random() - 1)));
  if (outcome.kind !== 'failed') {
    return outcome.kind === 'disabled' ? { kind: 'settled' } : { kind: 'settled', recheckAfterMs };
  }
  const { reason, message, isStalled } = outcome;
  const error = new CapstanError('GENERATOR_FAILED', message, {
    kind: isStalled ? 'stalled' : 'retry',
  });
  if (isStalled) return { kind: 'stalled', error };
  if (reason === 'SourceFetchFailed') return { kind: 'settled', recheckAfterMs: DEPENDENCY_MS };
  return { kind: 'retry', error };
}
