/**
 * Performs one step of a plan. A step is safe to repeat: applying is idempotent, deleting insists on the uid that was
 * planned on, and a hook that exists is only deleted when its policy says so. What the server refuses comes back as a
 * failed result whose message says what, why and what to do; only an abort is thrown.
 */
import type { StepResult, SyncStep } from '@capstan/engine-sync';
import { ApiError, isConflict, isNotFound, type KubeClient } from '@capstan/kube-client';
import { formatKey, type KubeObject } from '@capstan/kube-object';
import { CapstanError, type Clock, invariant, messageOf } from '@capstan/lib-std';
import { writeKnown } from './leave-out-unknown.ts';
import { isMarked, type Mark } from './mark-object.ts';
import { takeOverPatch } from './take-over.ts';
import { waitUntilGone } from './wait-gone.ts';
import { withoutServerFields } from './without-server-fields.ts';
import { writeRepeated } from './write-repeated.ts';

export interface ApplyPorts {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Told of everything that was written, so that the cache need not wait for the watch. */
  readonly observeWrite: (object: KubeObject) => void;
}

export interface ApplyStepOptions {
  readonly fieldManager: string;
  /** What an object must bear to be pruned. */
  readonly mark: Mark;
  readonly signal?: AbortSignal;
}

export async function applyStep(
  step: SyncStep,
  ports: ApplyPorts,
  options: ApplyStepOptions,
): Promise<StepResult> {
  options.signal?.throwIfAborted();
  try {
    if (step.verb === 'prune') return await prune(step, ports, options);
    if (step.inSync && step.options.dryRun === false)
      return result(step, 'unchanged', 'unchanged', step.live);
    if (step.options.createOnly && step.live !== undefined) {
      return result(step, 'unchanged', 'left as it is: it is only ever created', step.live);
    }
    if (step.verb === 'hook') await clearHook(step, ports, options);
    return await apply(step, ports, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    return failure(step, error);
  }
}

/** Deletes a hook's object after its end, as its policy asks. An object that is gone is fine. */
export async function cleanHook(
  step: SyncStep,
  ports: ApplyPorts,
  options: { readonly signal?: AbortSignal },
): Promise<void> {
  try {
    const left = await ports.client.delete(refOf(step), {
      propagation: step.options.propagation,
      ...signalOf(options),
    });
    if (left !== undefined) ports.observeWrite(left);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Takes the finalizer from a hook's object, so that it may go. One that is gone, or has none, is fine. */
export async function releaseHook(
  held: KubeObject,
  finalizer: string | undefined,
  {
    client,
    observeWrite,
    signal,
  }: Pick<ApplyPorts, 'client' | 'observeWrite'> & { readonly signal?: AbortSignal },
): Promise<void> {
  const { name = '', namespace = '' } = held.metadata;
  const ref = { apiVersion: held.apiVersion, kind: held.kind, name, namespace };
  const options = signalOf(signal === undefined ? {} : { signal });
  let live: KubeObject | undefined = held;
  for (let attempt = 0; attempt < 5 && live !== undefined; attempt++) {
    const { finalizers = [], resourceVersion } = live.metadata;
    if (finalizer === undefined || !finalizers.includes(finalizer)) return;
    const kept = finalizers.filter((one) => one !== finalizer);
    const metadata = {
      finalizers: kept,
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    };
    try {
      const patch = { metadata };
      observeWrite(await client.patch(ref, patch, { type: 'merge', ...options }));
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error)) throw error;
      live = await client.find(ref, options);
    }
  }
}

async function apply(
  step: SyncStep,
  ports: ApplyPorts,
  options: ApplyStepOptions,
): Promise<StepResult> {
  const object = toSend(step);
  if (step.options.replace && step.verb === 'apply') return replace(step, ports, options);
  if (!step.options.dryRun) await takeOver(step, ports, options);
  try {
    return await send(step, object, ports, options);
  } catch (error) {
    if (!step.options.recreate || !refusesChange(error) || step.options.dryRun) throw error;
    return recreate(step, ports, options);
  }
}

async function send(
  step: SyncStep,
  object: KubeObject,
  { client, observeWrite }: ApplyPorts,
  options: ApplyStepOptions,
): Promise<StepResult> {
  let created = false;
  const { dryRun, validate, leavesOutUnknown, sendsRepeated } = step.options;
  const own = { fieldManager: options.fieldManager, ...signalOf(options) };
  const write = (sent: KubeObject, dry = dryRun) =>
    client.apply(sent, {
      ...own,
      force: true,
      dryRun: dry,
      fieldValidation: validate ? 'Strict' : 'Ignore',
      onAnswer: ({ status }) => {
        created = status === 201;
      },
    });
  const merge = (sent: KubeObject, dry = dryRun) =>
    leavesOutUnknown ? writeKnown(sent, (known) => write(known, dry)) : write(sent, dry);
  const onCreate = () => {
    created = true;
  };
  const written = sendsRepeated
    ? await writeRepeated(object, { client, merge, options: { ...own, dryRun }, onCreate })
    : await merge(object);
  if (!dryRun) observeWrite(written);
  const same = written.metadata.resourceVersion === step.live?.metadata.resourceVersion;
  const outcome = created ? 'created' : same && !dryRun ? 'unchanged' : 'configured';
  const tail = dryRun ? ' (dry run)' : '';
  // In one piece: it is kept, and what a template puts together stays a chain of its parts.
  const message = [resourceName(step), ' serverside-applied', tail].join('');
  return result(step, outcome, message, written);
}

/** Kubernetes refuses a change of immutable fields as INVALID; other invalid objects would be refused again. */
const REFUSED_CHANGE =
  /immutable|(?:may|must|can) ?not (?:be )?(?:change|modif|update)|(?:are|is) forbidden/i;
/** What webhooks answer has any code; these are the words that Flux looks for. */
const IMMUTABLE = /is\simmutable|immutable\sfield/;

function refusesChange(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  const { message } = error.status;
  return IMMUTABLE.test(message) || (error.code === 'INVALID' && REFUSED_CHANGE.test(message));
}

async function recreate(
  step: SyncStep,
  ports: ApplyPorts,
  options: ApplyStepOptions,
): Promise<StepResult> {
  const live = await ports.client.find(refOf(step), signalOf(options));
  if (live !== undefined) await deleteAndWait(step, live, ports, options);
  return send(step, toSend(step), ports, options);
}

async function replace(
  step: SyncStep,
  ports: ApplyPorts,
  options: ApplyStepOptions,
): Promise<StepResult> {
  const object = toSend(step);
  const { dryRun, force } = step.options;
  const live = await ports.client.find(refOf(step), signalOf(options));
  const write = { fieldManager: options.fieldManager, dryRun, ...signalOf(options) };
  const keepsContent =
    step.key.kind === 'CustomResourceDefinition' || step.key.kind === 'Namespace';
  if (live === undefined)
    return wrote(step, 'created', await ports.client.create(object, write), ports);
  if (force && !keepsContent && !dryRun) {
    await deleteAndWait(step, live, ports, options);
    return wrote(step, 'created', await ports.client.create(object, write), ports);
  }
  const { resourceVersion = '' } = live.metadata;
  const update = { ...object, metadata: { ...object.metadata, resourceVersion } };
  return wrote(step, 'configured', await ports.client.update(update, write), ports);
}

function wrote(
  step: SyncStep,
  outcome: 'created' | 'configured',
  object: KubeObject,
  { observeWrite }: ApplyPorts,
): StepResult {
  if (!step.options.dryRun) observeWrite(object);
  const verb = outcome === 'created' ? 'created' : 'replaced';
  return result(step, outcome, `${resourceName(step)} ${verb}`, object);
}

async function takeOver(
  step: SyncStep,
  ports: ApplyPorts,
  options: ApplyStepOptions,
): Promise<void> {
  const from = step.options.takeOverFrom;
  if (from.length === 0 || step.live === undefined) return;
  let live: KubeObject | undefined = step.live;
  for (let attempt = 0; attempt < 5 && live !== undefined; attempt++) {
    const patch = takeOverPatch(live, { from, to: options.fieldManager });
    if (patch === undefined) return;
    try {
      const patched = await ports.client.patch(refOf(step), patch, {
        type: 'json',
        ...signalOf(options),
      });
      ports.observeWrite(patched);
      return;
    } catch (error) {
      if (!isConflict(error)) throw error;
      live = await ports.client.find(refOf(step), signalOf(options));
    }
  }
}

async function clearHook(
  step: SyncStep,
  ports: ApplyPorts,
  options: ApplyStepOptions,
): Promise<void> {
  if (step.live === undefined || step.options.dryRun) return;
  await releaseHook(step.live, step.finalizer, { ...ports, ...signalOf(options) });
  if (!step.hookDeletePolicies.includes('BeforeHookCreation')) return;
  await deleteAndWait(step, step.live, ports, options);
}

async function deleteAndWait(
  step: SyncStep,
  live: KubeObject,
  { client, clock }: ApplyPorts,
  options: ApplyStepOptions,
): Promise<void> {
  const { uid } = live.metadata;
  try {
    await client.delete(refOf(step), {
      propagation: step.options.propagation,
      ...(uid === undefined ? {} : { preconditions: { uid } }),
      ...signalOf(options),
    });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
  await waitUntilGone(live, { client, clock, ...signalOf(options) });
}

async function prune(
  step: SyncStep,
  { client, observeWrite }: ApplyPorts,
  options: ApplyStepOptions,
): Promise<StepResult> {
  if (step.refused === 'pruning is off') {
    return result(step, 'prune skipped', 'ignored (requires pruning)', step.live);
  }
  if (step.refused !== undefined)
    return result(step, 'prune skipped', 'ignored (no prune)', step.live);
  if (step.options.dryRun) return result(step, 'pruned', 'pruned (dry run)', step.live);
  let live: KubeObject | undefined = step.live;
  invariant(live, 'what is pruned is live');
  for (let attempt = 0; attempt < 5; attempt++) {
    if (live === undefined)
      return result(step, 'pruned', 'pruned (it was gone already)', undefined);
    if (!isMarked(live, options.mark)) {
      return result(step, 'prune skipped', 'ignored (it belongs to another owner by now)', live);
    }
    if (live.metadata.deletionTimestamp !== undefined)
      return result(step, 'pruned', 'pruned', live);
    const { uid, resourceVersion } = live.metadata;
    const preconditions = {
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    };
    try {
      const left = await client.delete(refOf(step), {
        propagation: step.options.propagation,
        preconditions,
        ...signalOf(options),
      });
      if (left !== undefined) observeWrite(left);
      return result(step, 'pruned', 'pruned', left);
    } catch (error) {
      if (isNotFound(error))
        return result(step, 'pruned', 'pruned (it was gone already)', undefined);
      if (!isConflict(error)) throw error;
      // It changed since the plan: look again whether it is still ours.
      live = await client.find(refOf(step), signalOf(options));
    }
  }
  throw new CapstanError(
    'PRUNE_CONTENDED',
    `${formatKey(step.key)} changes faster than it can be deleted`,
    {
      kind: 'retry',
    },
  );
}

function toSend({ object }: SyncStep): KubeObject {
  invariant(object, 'a step that applies has an object');
  return withoutServerFields(object);
}

function refOf({ apiVersion, key }: SyncStep) {
  return { apiVersion, kind: key.kind, namespace: key.namespace, name: key.name };
}

/** `deployment.apps/web`, as kubectl prints it. */
function resourceName({ key }: SyncStep): string {
  const kind = key.kind.toLowerCase();
  return `${key.group === '' ? kind : `${kind}.${key.group}`}/${key.name}`;
}

function result(
  step: SyncStep,
  outcome: StepResult['outcome'],
  message: string,
  live: KubeObject | undefined,
): StepResult {
  const told = { stepId: step.id, key: step.key, outcome, message };
  return live === undefined ? told : { ...told, live };
}

function failure(step: SyncStep, error: unknown): StepResult {
  const known = error instanceof CapstanError ? error : undefined;
  const hint = known?.hint === undefined ? '' : ` (${known.hint})`;
  const isBug = known === undefined || known.kind === 'bug';
  const text = isBug
    ? `cannot apply ${formatKey(step.key)}: an internal error: ${messageOf(error)}`
    : `${known.message}${hint}`;
  const retryable = known?.kind !== 'bug';
  return { stepId: step.id, key: step.key, outcome: 'failed', message: text, retryable };
}

function signalOf({ signal }: { readonly signal?: AbortSignal }): {
  readonly signal?: AbortSignal;
} {
  return signal === undefined ? {} : { signal };
}
