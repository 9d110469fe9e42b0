/**
 * A plan says which objects are applied, run as hooks or pruned, and in which order: by phase, then wave, then kind, then
 * namespace and name. Two exceptions: a Namespace comes no later than what it holds, a CustomResourceDefinition no later
 * than its objects. Pruning runs through the waves backwards, or last of all when asked. Within a wave, objects are pruned
 * first, then kind by kind applied. This is the order of Argo CD 3.x (documentation: "Sync Phases and Waves"); Flux has no
 * waves, but stages of kinds, which are waves before the first.
 */
import type { DiffEntry } from '@capstan/engine-diff';
import { type KubeObject, keyOf, keyString, type ObjectKey } from '@capstan/kube-object';
import { invariant } from '@capstan/lib-std';
import { compareKinds } from './kind-order.ts';
import { isLeftAlone, readHints } from './read-hints.ts';
import { readStepOptions } from './step-options.ts';
import type {
  HookObject,
  Permission,
  PhaseName,
  PlannedPhase,
  PlannedWave,
  SkippedObject,
  StagedKind,
  SyncHints,
  SyncInput,
  SyncPlan,
  SyncPolicy,
  SyncStep,
} from './types.ts';

export const PHASES: readonly PhaseName[] = [
  'PreSync',
  'Sync',
  'PostSync',
  'SyncFail',
  'PreDelete',
  'PostDelete',
];

/** The same plan for any order of the input; n log n. Every entry ends in exactly one step or among the skipped. */
export function planSync(input: SyncInput, policy: SyncPolicy): SyncPlan {
  const { entries, skipped } = selectEntries(input.diff.entries, policy);
  const applied = entries.filter(({ verdict }) => verdict !== 'extra');
  const pruned = entries.filter(({ verdict }) => verdict === 'extra');
  const steps = [
    ...planNamespace(input, policy),
    ...applied.map((entry) => planApply(entry, policy)),
    ...planHooks(input.hooks, policy),
  ];
  const prunes = orderPrunes(
    pruned.map((entry) => planPrune(entry, policy)),
    steps,
    policy,
  );
  const ordered = orderSteps([...steps, ...prunes]);
  const phases = groupPhases(liftPrerequisites(ordered, policy.home));
  invariant(
    entries.length + skipped.length === input.diff.entries.length,
    'a plan misses an object',
  );
  return { phases, skipped };
}

export function stepsOf(plan: SyncPlan): readonly SyncStep[] {
  return plan.phases.flatMap(({ waves }) => waves.flatMap(({ batches }) => batches.flat()));
}

/** Whether a policy lets an object be synced; a selection without a namespace speaks of all namespaces. */
export function selectorOf({
  selected,
}: Pick<SyncPolicy, 'selected'>): (key: ObjectKey) => boolean {
  if (selected === undefined) return () => true;
  const names = new Set(selected.map(keyString));
  return (key) => names.has(keyString(key)) || names.has(keyString({ ...key, namespace: '' }));
}

function selectEntries(all: readonly DiffEntry[], policy: SyncPolicy) {
  const isSelected = selectorOf(policy);
  const entries: DiffEntry[] = [];
  const skipped: SkippedObject[] = [];
  for (const entry of all) {
    const object = entry.desired?.object ?? entry.live;
    const hints = object && readHints(object, policy.vocabulary);
    const skip = (reason: SkippedObject['reason']) =>
      skipped.push({ key: entry.key, reason, entry });
    if (hints?.skip || (hints?.hookPhases.length ?? 0) > 0) skip('skipped by its own hint');
    else if (isLeftAlone(entry, policy.vocabulary)) skip('skipped by its own hint');
    else if (!isSelected(entry.key)) skip('not selected');
    else if (policy.outOfSyncOnly && entry.verdict === 'same') skip('already in sync');
    else entries.push(entry);
  }
  return { entries, skipped };
}

function planNamespace(
  { liveNamespace, diff }: SyncInput,
  policy: SyncPolicy,
): readonly SyncStep[] {
  const wanted = policy.createNamespace;
  if (wanted === undefined || wanted.name === '') return [];
  const declared = diff.entries.some(
    ({ key, desired }) => desired !== undefined && isNamespace(key) && key.name === wanted.name,
  );
  if (declared) return [];
  const { metadata } = wanted;
  if (liveNamespace !== undefined && (metadata === undefined || holds(liveNamespace, metadata))) {
    return [];
  }
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: wanted.name,
      ...(metadata && Object.keys(metadata.labels).length > 0 ? { labels: metadata.labels } : {}),
      ...(metadata && Object.keys(metadata.annotations).length > 0
        ? { annotations: metadata.annotations }
        : {}),
    },
  };
  const step = makeStep({
    verb: 'apply',
    phase: 'PreSync',
    wave: 0,
    object,
    policy,
    hints: NO_HINTS,
  });
  return [liveNamespace === undefined ? step : { ...step, live: liveNamespace }];
}

function holds(
  live: KubeObject,
  { labels, annotations }: { labels: Record<string, string>; annotations: Record<string, string> },
): boolean {
  const has = (
    wanted: Record<string, string>,
    actual: { readonly [name: string]: string } | undefined,
  ) => Object.entries(wanted).every(([name, value]) => actual?.[name] === value);
  return has(labels, live.metadata.labels) && has(annotations, live.metadata.annotations);
}

function planApply(entry: DiffEntry, policy: SyncPolicy): SyncStep {
  const object = entry.desired?.object;
  invariant(object, 'an object to apply is desired');
  const hints = readHints(object, policy.vocabulary);
  const wave = stageOf(entry.key, policy.stages ?? []) ?? hints.wave;
  const { live } = entry;
  const step = makeStep({ verb: 'apply', phase: 'Sync', wave, object, live, policy, hints });
  const again = step.options.replace || step.options.force;
  const inSync = entry.verdict === 'same' && !again;
  return { ...step, inSync, ...(live === undefined ? {} : { live }) };
}

/** Stages are waves below zero: the last one is -1. */
function stageOf(
  { group, kind }: ObjectKey,
  stages: readonly (readonly StagedKind[])[],
): number | undefined {
  const at = stages.findIndex((stage) =>
    stage.some((one) =>
      one.kind.startsWith('*')
        ? kind.endsWith(one.kind.slice(1))
        : one.kind === kind && one.group === group,
    ),
  );
  return at < 0 ? undefined : at - stages.length;
}

function planHooks(hooks: readonly HookObject[], policy: SyncPolicy): readonly SyncStep[] {
  if (policy.skipHooks || policy.selected !== undefined) return [];
  return hooks.flatMap(({ desired, live }) => {
    const hints = readHints(desired.object, policy.vocabulary);
    return hints.hookPhases.filter(isSyncPhase).map((phase) => {
      const { hookFinalizer: finalizer } = policy.vocabulary;
      const named = nameHook(desired.object, phase, policy.hookSuffix);
      const object = finalizer === undefined ? named : withFinalizer(named, finalizer);
      const step = {
        ...makeStep({ verb: 'hook', phase, wave: hints.wave, object, policy, hints }),
        ...(finalizer === undefined ? {} : { finalizer }),
      };
      const sameName = live?.metadata.name === object.metadata.name;
      return live !== undefined && sameName ? { ...step, live } : step;
    });
  });
}

function withFinalizer(object: KubeObject, finalizer: string): KubeObject {
  const { finalizers = [] } = object.metadata;
  if (finalizers.includes(finalizer)) return object;
  return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } };
}

function isSyncPhase(phase: PhaseName): boolean {
  return phase !== 'PreDelete' && phase !== 'PostDelete';
}

export function nameHook(object: KubeObject, phase: PhaseName, suffix: string): KubeObject {
  if (object.metadata.name !== undefined && object.metadata.name !== '') return object;
  const { generateName = '', ...metadata } = object.metadata;
  const name = `${generateName}${suffix.replace('{phase}', phase).toLowerCase()}`;
  return { ...object, metadata: { ...metadata, name } };
}

function planPrune(entry: DiffEntry, policy: SyncPolicy): SyncStep {
  const object = entry.live;
  invariant(object, 'an object to prune is live');
  const hints = readHints(object, policy.vocabulary);
  const step = makeStep({ verb: 'prune', phase: 'Sync', wave: hints.wave, object, policy, hints });
  const { object: _live, ...rest } = step;
  const refused = refusal(hints, policy);
  return { ...rest, live: object, goal: 'gone', ...(refused === undefined ? {} : { refused }) };
}

function refusal(hints: SyncHints, policy: SyncPolicy): SyncStep['refused'] {
  if (!policy.prune) return 'pruning is off';
  if (hints.switches.includes('keep')) return 'kept by its own option';
  const told = hints.options['Prune'];
  const permission: Permission =
    told === 'false'
      ? 'forbidden'
      : told === 'confirm'
        ? 'confirm'
        : told === 'true'
          ? 'allowed'
          : policy.prunePermission;
  if (permission === 'forbidden') return 'kept by its own option';
  return permission === 'confirm' && !policy.pruneConfirmed ? 'awaits confirmation' : undefined;
}

/** Waves backwards among what is pruned; after everything else for what asks to be last. */
function orderPrunes(
  prunes: readonly SyncStep[],
  others: readonly SyncStep[],
  policy: SyncPolicy,
): readonly SyncStep[] {
  const waves = [...new Set(prunes.map(({ wave }) => wave))].sort((a, b) => a - b);
  const mirrored = new Map(waves.map((wave, i) => [wave, waves[waves.length - 1 - i] ?? wave]));
  const turned = prunes.map((step) => ({ ...step, wave: mirrored.get(step.wave) ?? step.wave }));
  const inSync = [...others, ...turned].filter(({ phase }) => phase === 'Sync');
  const last = Math.max(0, ...inSync.map(({ wave }) => wave)) + 1;
  return turned.map((step) => {
    const told = step.live && readHints(step.live, policy.vocabulary).options['PruneLast'];
    return policy.pruneLast || told === 'true' ? { ...step, wave: last } : step;
  });
}

interface StepParts {
  readonly verb: SyncStep['verb'];
  readonly phase: PhaseName;
  readonly wave: number;
  readonly object: KubeObject;
  readonly live?: KubeObject | undefined;
  readonly policy: SyncPolicy;
  readonly hints: SyncHints;
}

export function makeStep({ verb, phase, wave, object, live, policy, hints }: StepParts): SyncStep {
  const key = keyOf(object);
  const isDefinition = key.kind === 'CustomResourceDefinition';
  return {
    // In one piece: it is kept.
    id: [verb, phase, keyString(key)].join('/'),
    verb,
    phase,
    wave,
    key,
    apiVersion: object.apiVersion,
    object,
    goal: verb === 'hook' ? 'completed' : isDefinition ? 'established' : policy.waitFor,
    options: readStepOptions(object, hints, { policy, live }),
    hookDeletePolicies: hints.hookDeletePolicies,
    inSync: false,
  };
}

const NO_HINTS: SyncHints = {
  wave: 0,
  hookPhases: [],
  skip: false,
  hookDeletePolicies: [],
  options: {},
  switches: [],
};

/**
 * Moves what others need, a Namespace first and then a definition, to before the first that needs it, into its phase and
 * wave: hooks need and are needed like all others (so in Argo CD, which goes through the tasks in their order twice).
 */
function liftPrerequisites(
  ordered: readonly SyncStep[],
  home: string | undefined,
): readonly SyncStep[] {
  const namespacesFirst = lift(ordered, {
    provides: ({ key }) => (isNamespace(key) ? key.name : undefined),
    needs: ({ key }) => key.namespace || home || undefined,
  });
  return lift(namespacesFirst, {
    provides: providedKind,
    needs: ({ key }) => `${key.group}/${key.kind}`,
  });
}

interface Needs {
  readonly provides: (step: SyncStep) => string | undefined;
  readonly needs: (step: SyncStep) => string | undefined;
}

function lift(ordered: readonly SyncStep[], { provides, needs }: Needs): readonly SyncStep[] {
  const result: SyncStep[] = [];
  /** The first that needs something. */
  const firstUse = new Map<string, SyncStep>();
  for (const step of ordered) {
    const provided = step.verb === 'prune' ? undefined : provides(step);
    const use = provided === undefined ? undefined : firstUse.get(provided);
    if (use !== undefined) {
      result.splice(result.indexOf(use), 0, { ...step, phase: use.phase, wave: use.wave });
      continue;
    }
    result.push(step);
    const needed = step.verb === 'prune' || provided !== undefined ? undefined : needs(step);
    if (needed !== undefined && !firstUse.has(needed)) firstUse.set(needed, step);
  }
  return result;
}

function providedKind({ key, object }: SyncStep): string | undefined {
  if (key.kind !== 'CustomResourceDefinition') return undefined;
  const { group, names } = asRecord(object?.['spec']);
  const { kind } = asRecord(names);
  return typeof group === 'string' && typeof kind === 'string' ? `${group}/${kind}` : undefined;
}

function isNamespace({ group, kind }: ObjectKey): boolean {
  return group === '' && kind === 'Namespace';
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function comparePlaces(a: SyncStep, b: SyncStep): number {
  return PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase) || a.wave - b.wave;
}

function compareSteps(a: SyncStep, b: SyncStep): number {
  return (
    comparePlaces(a, b) ||
    Number(b.verb === 'prune') - Number(a.verb === 'prune') ||
    compareKinds(a.key, b.key) ||
    compareText(a.key.kind, b.key.kind) ||
    compareText(a.key.name, b.key.name) ||
    compareText(keyString(a.key), keyString(b.key))
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function orderSteps(steps: readonly SyncStep[]): readonly SyncStep[] {
  return [...steps].sort(compareSteps);
}

/** Of steps in their order. */
export function groupPhases(ordered: readonly SyncStep[]): readonly PlannedPhase[] {
  return chunkBy(ordered, (step) => step.phase).map((inPhase) => ({
    name: inPhase[0]?.phase ?? 'Sync',
    waves: chunkBy(inPhase, (step) => step.wave).map(toWave),
  }));
}

function toWave(steps: readonly SyncStep[]): PlannedWave {
  const [first] = steps;
  invariant(first, 'a wave has a step');
  const batches = chunkBy(steps, (step) => (step.verb === 'prune' ? 'prune' : step.key.kind));
  return { phase: first.phase, wave: first.wave, batches };
}

function chunkBy<T, K>(items: readonly T[], keyOfItem: (item: T) => K): readonly (readonly T[])[] {
  const chunks: T[][] = [];
  let last: K | undefined;
  for (const item of items) {
    const key = keyOfItem(item);
    const chunk = chunks.at(-1);
    if (chunk === undefined || key !== last) chunks.push([item]);
    else chunk.push(item);
    last = key;
  }
  return chunks;
}
