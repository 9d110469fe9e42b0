/**
 * Reconciles ApplicationSets: observes what their generators look at, decides by pure functions which Applications are to
 * be created, changed and deleted, does that, and writes the status once. Level-based and idempotent. Woken by the set,
 * its Applications, projects, cluster and repository Secrets, and the repositories it reads.
 */
import { type ApplicationSet, GROUP } from '@capstan/argocd-api';
import { persist, SourceWatches } from '@capstan/engine-delivery';
import type { SourceSpec, SourceStore } from '@capstan/engine-source';
import type { KubeClient, LiveChange, LiveState } from '@capstan/kube-client';
import {
  type Controller,
  type ControllerRuntime,
  createController,
  type EventRecorder,
  type ReconcileResult,
} from '@capstan/kube-controller';
import { controllerOf, type KubeObject } from '@capstan/kube-object';
import type { TemplateLanguage } from '@capstan/lib-gotemplate';
import { CapstanError, type Clock } from '@capstan/lib-std';
import { type Outcome, toApplicationSetStatus } from './application-set-status.ts';
import { createOutside, type OutsideOptions } from './create-outside.ts';
import { describePlan, isDryRun, isIdle } from './dry-run.ts';
import { generateApplications } from './generate-applications.ts';
import { outsideIntervalMs } from './look-interval.ts';
import type { Outside, Surroundings } from './observation.ts';
import { deleteNext, performPlan, performRollout } from './perform-plan.ts';
import {
  type ApplicationPlan,
  ownedApplications,
  planApplications,
  policyOf,
} from './plan-applications.ts';
import { type RepositoryAccess, repositorySpec } from './repository-spec.ts';
import {
  isReversed,
  planRollout,
  type Rollout,
  stepsOf,
  withoutAutomation,
} from './rolling-sync.ts';
import { assignSteps } from './rollout-steps.ts';
import { isWanted, parseSet, type SetKey, SetState } from './set-state.ts';
import { applicationSetLanguage } from './template-functions.ts';
import { qualifiedName, validateApplications } from './validate-applications.ts';
import {
  addFinalizer,
  REFRESH,
  releaseApplications,
  removeFinalizer,
  writeSetStatus,
} from './write-set.ts';

export interface ApplicationSetControllerPorts {
  readonly client: KubeClient;
  readonly sources: SourceStore;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly runtime?: ControllerRuntime;
  /** A cache of the cluster that holds the kinds of Argo CD whole; absent: they are watched once more. */
  readonly shared?: LiveState;
  /** How a repository is reached, and what is demanded of its commits; `project` is '' for none. */
  readonly accessTo: (repository: {
    readonly url: string;
    readonly project: string;
  }) => RepositoryAccess;
  /** What the process was given for AWS and for proxies, and other hosters' addresses. */
  readonly outside?: Pick<OutsideOptions, 'aws' | 'bitbucketCloudApi' | 'environment'>;
  /** Whether sets of a namespace beside the control plane's own are looked at; none when absent. */
  readonly isServed?: (namespace: string) => boolean;
  /** The administrator's word, asked at each look. */
  readonly settings?: () => ApplicationSetSettings;
}

/** What an administrator sets for all sets (argocd-cmd-params-cm: applicationsetcontroller.*). */
export interface ApplicationSetSettings {
  /** sync, create-update, create-delete, create-only; '' lets each set decide. */
  readonly policy: string;
  readonly allowsPolicyOverride: boolean;
  readonly preservedAnnotations: readonly string[];
  readonly preservedLabels: readonly string[];
  readonly progressiveSyncs: boolean;
  readonly statusResourcesMax: number;
  /** Files of git generators are named by globs whose `*` stays within a name. */
  readonly spansFolders: boolean;
  /** Folders whose name begins with a dot count for git generators, too. */
  readonly hiddenFolders: boolean;
  /** Between two looks at a repository, unless a generator says otherwise. */
  readonly requeueMs: number;
  /** No Application is written; the sets tell what would be. */
  readonly dryRun: boolean;
  readonly scm: OutsideOptions['scm'];
}

export interface ApplicationSetControllerOptions {
  /** `argocd` by default. */
  readonly namespace?: string;
  /** Instead of what the settings say. */
  readonly pollIntervalMs?: number;
  readonly concurrency?: number;
  readonly onResult?: (key: SetKey, result: ReconcileResult, durationMs: number) => void;
}

export interface ApplicationSetController {
  run(options: { readonly signal: AbortSignal }): Promise<void>;
  /** Has all sets looked at: the administrator's word has changed. */
  wakeAll(): void;
  /** Resolves when nothing is queued or running. */
  idle(): Promise<void>;
}

interface Bench {
  readonly ports: ApplicationSetControllerPorts;
  readonly state: SetState;
  readonly watches: SourceWatches;
  readonly language: TemplateLanguage;
  readonly pollIntervalMs: () => number;
  readonly controlNamespace: string;
}

const RETRY_MS = 180_000;

export function createApplicationSetController(
  ports: ApplicationSetControllerPorts,
  options: ApplicationSetControllerOptions = {},
): ApplicationSetController {
  const namespace = options.namespace ?? 'argocd';
  const isServed = ports.isServed ?? (() => false);
  const state = new SetState(ports.client, { namespace, isServed, shared: ports.shared });
  const watches = new SourceWatches(ports.sources, (id) =>
    controller.enqueue(fromId(id), { priority: 10, reason: 'source' }),
  );
  const pollIntervalMs = () => options.pollIntervalMs ?? settingsOf(ports).requeueMs;
  const bench: Bench = {
    ports,
    state,
    watches,
    language: applicationSetLanguage(),
    pollIntervalMs,
    controlNamespace: namespace,
  };
  const controller = createController<SetKey>({
    name: 'applicationset',
    reconcile: (key, { signal }) => reconcile(key, bench, signal),
    keyString: toId,
    concurrency: options.concurrency ?? 4,
    onMoved: (key) => watches.forget(toId(key)),
    clock: ports.clock,
    ...(ports.runtime === undefined ? {} : { runtime: ports.runtime }),
    ...(options.onResult === undefined ? {} : { onResult: options.onResult }),
  });
  return {
    run: ({ signal }) => run(controller, bench, signal),
    wakeAll: () => {
      for (const key of state.keys()) controller.enqueue(key, { reason: 'settings' });
    },
    idle: () => controller.idle(),
  };
}

function toId({ namespace, name }: SetKey): string {
  return `${namespace}/${name}`;
}

function fromId(id: string): SetKey {
  const slash = id.indexOf('/');
  return { namespace: id.slice(0, slash), name: id.slice(slash + 1) };
}

async function run(
  controller: Controller<SetKey>,
  { state, ports, watches }: Bench,
  signal: AbortSignal,
): Promise<void> {
  const stop = state.live.subscribe((change) => wakeConcerned(change, controller, state));
  try {
    await persist(() => state.start({ signal }), { clock: ports.clock, signal });
    for (const key of state.keys()) controller.enqueue(key, { priority: -100 });
    await controller.run({ signal });
  } finally {
    stop();
    watches.close();
    await state[Symbol.asyncDispose]();
  }
}

function wakeConcerned(change: LiveChange, controller: Controller<SetKey>, state: SetState): void {
  const { key } = change;
  // Most applications are no set's, and their status changes often.
  const isOwned = [change.before, change.after].some(
    (object) => object !== undefined && object.owners.length > 0,
  );
  if (key.kind === 'Application' && !isOwned) return;
  if (!isWanted(change)) return;
  if (key.group === GROUP && key.kind === 'ApplicationSet') {
    controller.enqueue({ namespace: key.namespace ?? '', name: key.name }, { reason: 'set' });
  } else if (key.group === GROUP && key.kind === 'Application') {
    for (const object of [change.before, change.after]) {
      const owner = object && controllerOf(object.read());
      if (owner?.kind !== 'ApplicationSet') continue;
      const set = { namespace: key.namespace ?? '', name: owner.name };
      controller.enqueue(set, { reason: 'application' });
    }
  } else if (key.kind === 'AppProject' || key.kind === 'Secret') {
    for (const set of state.keys()) controller.enqueue(set, { reason: key.kind });
  }
}

async function reconcile(key: SetKey, bench: Bench, signal: AbortSignal): Promise<ReconcileResult> {
  const id = toId(key);
  const { state, ports, watches } = bench;
  const object = state.read(key);
  if (object === undefined) {
    watches.forget(id);
    return { kind: 'settled' };
  }
  const settings = settingsOf(ports);
  const set = underSettings(parseSet(object), settings);
  if (set.metadata.deletionTimestamp !== undefined) {
    watches.forget(id);
    return removeSet(set, bench, signal);
  }
  if (settings.progressiveSyncs && isReversed(set))
    await addFinalizer(set, { client: ports.client, signal });
  const looked = await look(set, bench, signal);
  const { outcome } = looked;
  await report(set, looked, bench, signal);
  if (outcome.kind === 'error') return { kind: 'settled', recheckAfterMs: RETRY_MS };
  const againMs = outsideIntervalMs(set.spec);
  return againMs === undefined ? { kind: 'settled' } : { kind: 'settled', recheckAfterMs: againMs };
}

const DELETION_RECHECK_MS = 10_000;

/** Lets the set go, its Applications in reverse order of their steps first where that is asked for. */
async function removeSet(
  set: ApplicationSet,
  { state, ports }: Bench,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { client } = ports;
  const applications = ownedApplications(set, state.applications(set.metadata.namespace ?? ''));
  if (!policyOf(set).remove) await releaseApplications(applications, { client, signal });
  else if (isReversed(set) && settingsOf(ports).progressiveSyncs) {
    const { stepOf } = assignSteps(stepsOf(set), applications);
    const names = applications.map(({ metadata }) => metadata.name ?? '');
    const order = names
      .filter((name) => stepOf.has(name))
      .sort((a, b) => (stepOf.get(b) ?? 0) - (stepOf.get(a) ?? 0) || (a < b ? -1 : 1));
    if (await deleteNext(set, order, { ports, state, signal }))
      return { kind: 'settled', recheckAfterMs: DELETION_RECHECK_MS };
  }
  await removeFinalizer(set, { client, signal });
  return { kind: 'settled' };
}

/** Generates, decides and acts. */
async function look(set: ApplicationSet, bench: Bench, signal: AbortSignal): Promise<Looked> {
  const { state, ports, language } = bench;
  const read: SourceSpec[] = [];
  const surroundings = observe(set, { bench, read, signal });
  const generation = await generateApplications(set, {
    surroundings,
    language,
    now: () => ports.clock.now(),
  });
  signal.throwIfAborted();
  bench.watches.follow(toId(keyOf(set)), read, intervalOf(set, bench.pollIntervalMs()));
  if (generation.kind === 'failed') {
    const { reason, error } = generation;
    if (error.kind === 'bug') throw error;
    const message = describe(error);
    return { outcome: { kind: 'error', reason, message, parametersGenerated: false } };
  }
  const { applications } = generation;
  const isStepwise = stepsOf(set).length > 0 && settingsOf(ports).progressiveSyncs;
  const errors = validateApplications(applications, set, surroundings);
  const valid = applications.filter((application) => !errors.has(qualifiedName(application)));
  const plan = planApplications({
    applicationSet: set,
    wanted: isStepwise ? valid.map(withoutAutomation) : valid,
    names: new Set(applications.map(({ metadata }) => metadata.name ?? '')),
    existing: state.applications(set.metadata.namespace ?? ''),
    clusters: surroundings.clusters,
  });
  if (isDryRun(set) || settingsOf(ports).dryRun) {
    const message = describePlan(plan, state.applications(set.metadata.namespace ?? ''));
    return { outcome: { kind: 'dry-run', message, isIdle: isIdle(plan) } };
  }
  const rollout = isStepwise ? rolloutOf(set, plan, { valid, bench }) : undefined;
  const failure = await performPlan(set, plan, { ports, state, signal });
  const told =
    rollout === undefined
      ? undefined
      : await performRollout(set, rollout, { ports, state, signal });
  const rolloutFailure: Outcome | undefined =
    told === undefined
      ? undefined
      : {
          kind: 'error',
          reason: 'ApplicationSetRolloutError',
          message: told,
          parametersGenerated: true,
        };
  return { outcome: failure ?? rolloutFailure ?? outcomeOf(errors), rollout };
}

interface Looked {
  readonly outcome: Outcome;
  readonly rollout?: Rollout | undefined;
}

function rolloutOf(
  set: ApplicationSet,
  plan: ApplicationPlan,
  { valid, bench }: { readonly valid: readonly KubeObject[]; readonly bench: Bench },
): Rollout {
  const { state, ports } = bench;
  const changed = plan.update.filter(({ patch }) => patch['spec'] !== undefined);
  return planRollout({
    set,
    current: ownedApplications(set, state.applications(set.metadata.namespace ?? '')),
    desired: valid,
    changed: new Set(changed.map(({ name }) => name)),
    now: timeText(ports.clock.now()),
  });
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The last of the errors in the order of names, and how many more there are: as the original tells them. */
function outcomeOf(errors: ReadonlyMap<string, string>): Outcome {
  const last = [...errors.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).at(-1);
  if (last === undefined) return { kind: 'up-to-date' };
  const more = errors.size > 1 ? ` (and ${errors.size - 1} more)` : '';
  return {
    kind: 'error',
    reason: 'ApplicationValidationError',
    message: `${last[1]}${more}`,
    parametersGenerated: true,
  };
}

function keyOf({ metadata }: ApplicationSet): SetKey {
  return { namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
}

function describe({ message, hint }: CapstanError): string {
  return hint === undefined ? message : `${message}; ${hint}`;
}

/** What the generators look at; which repositories they read is noted, so that these are watched. */
function observe(
  set: ApplicationSet,
  {
    bench,
    read,
    signal,
  }: { readonly bench: Bench; readonly read: SourceSpec[]; readonly signal: AbortSignal },
): Surroundings {
  const { state, ports, pollIntervalMs } = bench;
  const refreshes = set.metadata.annotations?.[REFRESH] !== undefined;
  const maxAgeMs = refreshes ? 0 : intervalOf(set, pollIntervalMs());
  return {
    clusters: state.clusters(),
    project: (name) => state.project(name),
    outside: outsideFor(set, bench, signal),
    spansFolders: settingsOf(ports).spansFolders,
    hiddenFolders: settingsOf(ports).hiddenFolders,
    readRepository: async (repository) => {
      const access = ports.accessTo(repository);
      const spec = repositorySpec(repository, access);
      const text = JSON.stringify(spec);
      if (!read.some((one) => JSON.stringify(one) === text)) read.push(spec);
      const snapshot = await ports.sources.fetchSnapshot(spec, { maxAgeMs, signal });
      if (spec.kind === 'git' && access.verify !== undefined)
        await ports.sources.verifyRevision(spec, snapshot, access.verify);
      return snapshot.files;
    },
  };
}

const DEFAULTS: ApplicationSetSettings = {
  policy: '',
  allowsPolicyOverride: true,
  preservedAnnotations: [],
  preservedLabels: [],
  progressiveSyncs: false,
  statusResourcesMax: 5_000,
  spansFolders: false,
  hiddenFolders: false,
  requeueMs: 180_000,
  dryRun: false,
  scm: { enabled: true, allowedProviders: [], strictTokens: false },
};

function settingsOf({ settings }: Pick<ApplicationSetControllerPorts, 'settings'>) {
  return settings?.() ?? DEFAULTS;
}

/** The set as the administrator lets it be: policy and preserved fields of all sets come on top of its own. */
function underSettings(set: ApplicationSet, settings: ApplicationSetSettings): ApplicationSet {
  const { policy, allowsPolicyOverride, preservedAnnotations, preservedLabels } = settings;
  const { syncPolicy, preservedFields } = set.spec;
  const own = allowsPolicyOverride ? syncPolicy?.applicationsSync : undefined;
  const applicationsSync = own ?? (policy === '' ? undefined : policy);
  return {
    ...set,
    spec: {
      ...set.spec,
      syncPolicy: { ...syncPolicy, ...(applicationsSync ? { applicationsSync } : {}) },
      preservedFields: {
        annotations: [...(preservedFields?.annotations ?? []), ...preservedAnnotations],
        labels: [...(preservedFields?.labels ?? []), ...preservedLabels],
      },
    },
  };
}
const NO_AWS: OutsideOptions['aws'] = {
  region: '',
  credentials: async () => {
    throw new CapstanError('SCM_DENIED', 'there are no credentials for AWS', {
      hint: 'give the process a role, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    });
  },
};

function outsideFor(
  { metadata }: ApplicationSet,
  { ports, controlNamespace }: Bench,
  signal: AbortSignal,
): Outside {
  return createOutside({
    aws: NO_AWS,
    ...ports.outside,
    client: ports.client,
    namespace: metadata.namespace ?? '',
    controlNamespace,
    scm: settingsOf(ports).scm,
    now: () => ports.clock.now(),
    signal,
  });
}

/** The shortest requeueAfterSeconds of the git generators. */
function intervalOf({ spec }: ApplicationSet, pollIntervalMs: number): number {
  const found = JSON.stringify(spec.generators).matchAll(/"requeueAfterSeconds":(\d{1,9})/g);
  const seconds = [...found].map(([, text]) => Number(text)).filter((value) => value > 0);
  return seconds.length === 0 ? pollIntervalMs : Math.min(...seconds) * 1000;
}

/** The single exit: one write, if anything changed. */
async function report(
  set: ApplicationSet,
  { outcome, rollout }: Looked,
  { state, ports }: Bench,
  signal: AbortSignal,
): Promise<void> {
  const generated = outcome.kind !== 'error' || outcome.parametersGenerated;
  const applications = generated
    ? ownedApplications(set, state.applications(set.metadata.namespace ?? ''))
    : undefined;
  const now = timeText(ports.clock.now());
  const { statusResourcesMax: resourcesMax } = settingsOf(ports);
  const after = toApplicationSetStatus(set.status ?? {}, outcome, {
    applications,
    now,
    rollout,
    resourcesMax,
  });
  const written = await writeSetStatus(set, after, { client: ports.client, signal });
  if (written !== undefined) state.live.observeWrite(written);
}
