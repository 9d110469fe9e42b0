/**
 * Ends an Application that is being deleted, stage by stage as its finalizers ask (documentation: "App Deletion",
 * "PreDelete and PostDelete Hooks"): a stage that is done takes its finalizer along, so that any process can go on. Woken
 * again as objects change and vanish. What goes wrong is the condition DeletionError.
 */
import { API_VERSION, type Application } from '@capstan/argocd-api';
import {
  cleanDeleteHooks,
  type Delivery,
  type DeliveryPorts,
  deleteDelivery,
  type InventoryEntry,
  runDeleteHooks,
} from '@capstan/engine-delivery';
import type { DeletePhase } from '@capstan/engine-sync';
import { isNotFound } from '@capstan/kube-client';
import type { ReconcileResult, StatusWrites } from '@capstan/kube-controller';
import { CapstanError, messageOf } from '@capstan/lib-std';
import type { ApplicationControllerPorts } from './application-controller.ts';
import { portsFor, renderLate } from './delivery-ports.ts';
import { type EndStage, nextStage, OWN_FINALIZERS, writeFinalizers } from './end-of-application.ts';
import { type ContextBench, contextOf } from './lowering-context.ts';
import { DEFAULT_PROJECT_SPEC, toGuard } from './project-guard.ts';
import { readSyncOptions } from './sync-options.ts';
import { formatTime } from './to-application-status.ts';
import {
  accountFor,
  isConfirmed,
  type LoweringContext,
  type ServiceAccount,
  toDelivery,
} from './to-delivery.ts';
import { writeStatus } from './write-status.ts';

export interface DeletionBench extends ContextBench {
  readonly ports: ApplicationControllerPorts;
  readonly statuses: StatusWrites;
}

export async function deleteApplication(
  app: Application,
  bench: DeletionBench,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  let current = app;
  try {
    for (;;) {
      const stage = nextStage(current.metadata.finalizers ?? []);
      if (stage === undefined) return { kind: 'settled' };
      const state = await performStage(stage, current, { bench, signal });
      if (state === 'waiting') return { kind: 'settled', recheckAfterMs: RECHECK_MS };
      const { finalizers } = state === 'lost' ? { finalizers: OWN_FINALIZERS } : stage;
      const left = await release(current, finalizers, bench, signal);
      if (left === undefined) return { kind: 'settled' };
      current = left;
    }
  } catch (error) {
    signal.throwIfAborted();
    const message = messageOf(error);
    await tellDeletion(current, message, bench, signal);
    const known = error instanceof CapstanError && error.kind !== 'stalled' ? error.kind : 'retry';
    const text = `cannot delete Application ${app.metadata.name}: ${message}`;
    return {
      kind: 'retry',
      error: new CapstanError('DELETION_FAILED', text, { kind: known, cause: error }),
    };
  }
}

const RECHECK_MS = 2000;

/** `lost`: no cluster can be found for it any more. Nothing can be done there, and it must not stay for ever. */
type StageState = 'done' | 'waiting' | 'lost';

interface StageContext {
  readonly bench: DeletionBench;
  readonly signal: AbortSignal;
}

async function performStage(
  stage: EndStage,
  app: Application,
  context: StageContext,
): Promise<StageState> {
  const bare = bareDelivery(app, contextOf(app, context.bench));
  const cluster = bare && context.bench.ports.clusters.get(bare.destination.cluster);
  if (bare === undefined || cluster === undefined) return 'lost';
  switch (stage.kind) {
    case 'objects':
      return deleteObjects(stage.propagation, app, { ...context, bare });
    case 'hooks':
      return runHooks(stage.phase, app, context);
    case 'cleanup':
      return cleanHooks(stage.phase, app, { ...context, bare });
  }
}

/** What is to be deleted depends neither on what the sources say nor on whether the project would permit it anew. */
function bareDelivery(app: Application, context: LoweringContext): Delivery | undefined {
  const project = {
    apiVersion: API_VERSION,
    kind: 'AppProject',
    metadata: { name: 'any' },
    spec: { ...DEFAULT_PROJECT_SPEC, sourceNamespaces: ['*'] },
  };
  const source = { repoURL: 'https://unused.invalid/', path: '.' };
  const { sources: _sources, syncPolicy: _policy, sourceHydrator: _hydrator, ...spec } = app.spec;
  try {
    return toDelivery({ ...app, spec: { ...spec, source } }, { ...context, project });
  } catch (error) {
    if (!(error instanceof CapstanError)) throw error;
    return undefined;
  }
}

async function deleteObjects(
  propagation: 'Foreground' | 'Background',
  app: Application,
  { bench, bare, signal }: StageContext & { readonly bare: Delivery },
): Promise<StageState> {
  const context = contextOf(app, bench);
  const { cluster } = portsFor(bare, bench.ports, actingAccount(app, context));
  const { policy, deletePermission } = readSyncOptions(app.spec.syncPolicy?.syncOptions ?? []);
  const { uid, deletionTimestamp = '' } = app.metadata;
  const { project } = context;
  const known = context.clusters.find(({ server }) => server === bare.destination.cluster);
  const { remaining, unconfirmed, errors } = await deleteDelivery(
    { ...bare, sync: { ...bare.sync, ...policy } },
    cluster,
    {
      inventory: inventoryOf(app),
      propagation,
      policy: {
        permission: deletePermission,
        confirmed: isConfirmed(app, Date.parse(deletionTimestamp)),
        keepDefinitions: true,
        ...(uid === undefined ? {} : { keepUid: uid }),
        // What the project does not permit stays; a project that is gone forbids nothing.
        ...(project === undefined || known === undefined
          ? {}
          : { guard: toGuard(app.spec.project, project.spec, known) }),
      },
      signal,
    },
  );
  const [first] = errors;
  if (first !== undefined) {
    const message = `cannot delete its resources: ${messageOf(first)}`;
    throw new CapstanError('DELETION_FAILED', message, { kind: 'retry', cause: first });
  }
  return remaining.length > 0 || unconfirmed.length > 0 ? 'waiting' : 'done';
}

/** Where accounts are enforced, nothing is deleted without one either. */
function actingAccount(app: Application, context: LoweringContext): ServiceAccount | undefined {
  const account = accountFor(app, context);
  if (account !== undefined || context.settings.impersonation !== 'enforced') return account;
  const { server = '', name = '', namespace = '' } = app.spec.destination;
  const message = `error deriving service account to impersonate: no matching service account found for destination server ${server || name} and namespace ${namespace}`;
  throw new CapstanError('DELETION_FAILED', message, { kind: 'stalled' });
}

async function runHooks(
  phase: DeletePhase,
  app: Application,
  { bench, signal }: StageContext,
): Promise<StageState> {
  const { delivery, ports } = hookDelivery(app, bench);
  const deletedAt = Math.floor(Date.parse(app.metadata.deletionTimestamp ?? '') / 1000);
  const suffix = `{phase}-${deletedAt}`;
  const { kind } = await runDeleteHooks(delivery, ports, { phase, suffix, signal });
  return kind;
}

async function cleanHooks(
  phase: DeletePhase,
  app: Application,
  { bench, bare, signal }: StageContext & { readonly bare: Delivery },
): Promise<StageState> {
  const { delivery, ports } = readableOr(bare, app, bench);
  const options = { phase, inventory: inventoryOf(app), signal };
  return (await cleanDeleteHooks(delivery, ports, options)) ? 'done' : 'waiting';
}

/** The application as its sources describe it, and with the rights that its project gives it. */
function hookDelivery(
  app: Application,
  bench: DeletionBench,
): { readonly delivery: Delivery; readonly ports: DeliveryPorts } {
  const context = contextOf(app, bench);
  const delivery = toDelivery(app, context);
  const { sources } = delivery;
  const ports = portsFor(delivery, bench.ports, actingAccount(app, context));
  return { delivery, ports: renderLate(ports, app, { context, sources }) };
}

/** Taking away needs no source: one that cannot be used any more must not hold the application. */
function readableOr(bare: Delivery, app: Application, bench: DeletionBench) {
  try {
    return hookDelivery(app, bench);
  } catch (error) {
    if (!(error instanceof CapstanError)) throw error;
    const account = actingAccount(app, contextOf(app, bench));
    return { delivery: { ...bare, sources: [] }, ports: portsFor(bare, bench.ports, account) };
  }
}

/** With hooks: they are among what goes. */
function inventoryOf({ status }: Application): readonly InventoryEntry[] {
  return (status?.resources ?? []).map(
    ({ group = '', version = '', kind = '', namespace = '', name = '' }) => ({
      key: { group, kind, namespace, name },
      version,
    }),
  );
}

/** Without the finalizers; undefined when it is gone with them. */
async function release(
  app: Application,
  finalizers: readonly string[],
  { control, ports }: DeletionBench,
  signal: AbortSignal,
): Promise<Application | undefined> {
  const { metadata } = app;
  const kept = (metadata.finalizers ?? []).filter((one) => !finalizers.includes(one));
  try {
    const written = await writeFinalizers(metadata, kept, ports.client, signal);
    if (kept.length === 0) return undefined;
    control.observeWrite(written);
    return control.parse(written);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Why the deletion does not go on, as a condition and, once, as an event. It stands until something else is the reason. */
async function tellDeletion(
  app: Application,
  message: string,
  { control, ports, statuses }: DeletionBench,
  signal: AbortSignal,
): Promise<void> {
  const { conditions = [], ...status } = app.status ?? {};
  const others = conditions.filter(({ type }) => type !== DELETION_ERROR);
  const known = conditions.find(({ type }) => type === DELETION_ERROR);
  if (known?.message === message) return;
  const lastTransitionTime = formatTime(ports.clock.now());
  const told = [...others, { type: DELETION_ERROR, message, lastTransitionTime }];
  const after = { ...status, conditions: told };
  const { client } = ports;
  const { apiVersion, kind, metadata } = app;
  const { namespace = '', name = '' } = metadata;
  await statuses.write({ namespace, name }, control, () =>
    writeStatus(app, after, { client, isFinal: false, clearsOperation: false, signal }),
  );
  ports.events.record({
    object: { apiVersion, kind, metadata },
    type: 'Warning',
    reason: 'StatusRefreshed',
    message: `Unable to delete application resources: ${message}`,
  });
}

const DELETION_ERROR = 'DeletionError';
