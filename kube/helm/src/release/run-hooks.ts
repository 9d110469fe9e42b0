import { messageOf } from '@capstan/lib-std';
import type { HookEvent } from '../manifests.ts';
import { type ReleasePorts, serverMessage } from './cluster-port.ts';
import type { Operation, OperationOptions } from './operation.ts';
import type { ReleaseHook } from './release.ts';
import { ReleaseError } from './release-error.ts';
import { readObjects } from './release-objects.ts';
import { waitUntilGone, waitUntilRun } from './wait.ts';
import { createObjects, deleteObjects } from './write-objects.ts';

interface HookRun {
  readonly operation: Operation;
  readonly options: OperationOptions;
  readonly ports: ReleasePorts;
  readonly serverSide: boolean;
}

const TIMEOUT_MS = 300_000;

export function timeoutOf({ timeoutMs }: OperationOptions): number {
  return timeoutMs ?? TIMEOUT_MS;
}

/**
 * Runs the hooks of an event one after the other, by weight, then name: each is deleted before when its policy says so (the
 * default), created, waited for, and at the end deleted when its policy says so. How they ran is kept in the release.
 * Throws at the first that fails. Follows helm's documentation, "Chart Hooks".
 */
export async function runHooks(event: HookEvent, run: HookRun): Promise<void> {
  const done: ReleaseHook[] = [];
  for (const hook of hooksOf(event, run.operation.release.hooks)) {
    try {
      await runHook(hook, event, run);
    } catch (error) {
      if (error instanceof HookFailure) {
        await outputLogs(hook, 'hook-failed', run);
        await deleteByPolicy(hook, 'hook-failed', run).catch((failure: unknown) =>
          run.ports.warn?.(
            `error deleting the hook resource on hook failure: ${messageOf(failure)}`,
          ),
        );
        for (const earlier of done) await deleteByPolicy(earlier, 'hook-succeeded', run);
        throw error.cause;
      }
      throw error;
    }
    done.push(hook);
  }
  for (const hook of done.toReversed()) {
    await outputLogs(hook, 'hook-succeeded', run);
    await deleteByPolicy(hook, 'hook-succeeded', run);
  }
}

/** The hook itself ended badly, rather than that it could not be started. */
class HookFailure extends Error {}

function hooksOf(event: HookEvent, hooks: readonly ReleaseHook[]): readonly ReleaseHook[] {
  return hooks
    .filter((hook) => hook.events.includes(event))
    .toSorted((a, b) => a.weight - b.weight || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

async function runHook(hook: ReleaseHook, event: HookEvent, run: HookRun): Promise<void> {
  const { operation, options, ports } = run;
  operation.signal.throwIfAborted();
  await deleteByPolicy(hook, 'before-hook-creation', run);
  const objects = await hookObjects(hook, run).catch((error: unknown) => {
    throw new ReleaseError(
      'RELEASE_HOOK',
      `unable to build kubernetes object for ${event} hook ${hook.path}: ${messageOf(error)}`,
      { cause: error },
    );
  });
  const startedAt = timestamp(ports);
  noteRun(hook, { startedAt, completedAt: '', phase: 'Running' }, operation);
  await operation.record();
  const ended = (phase: 'Succeeded' | 'Failed'): void =>
    noteRun(hook, { startedAt, completedAt: timestamp(ports), phase }, operation);
  try {
    await createObjects(objects, { ...writeMode(run), serverSide: run.serverSide }, ports);
  } catch (error) {
    ended('Failed');
    throw new ReleaseError(
      'RELEASE_HOOK',
      `warning: Hook ${event} ${hook.path} failed: ${serverMessage(error)}`,
      { cause: error },
    );
  }
  try {
    const { signal } = operation;
    await waitUntilRun(objects, { timeoutMs: timeoutOf(options), signal }, ports);
    ended('Succeeded');
  } catch (error) {
    ended('Failed');
    throw new HookFailure('hook', { cause: error });
  }
}

function writeMode({ options, operation }: HookRun) {
  const { fieldManager } = options;
  return {
    signal: operation.signal,
    ...(fieldManager === undefined ? {} : { fieldManager }),
  };
}

function hookObjects(hook: ReleaseHook, { operation, ports }: HookRun) {
  return readObjects(hook.manifest, operation.release.namespace, ports.cluster);
}

function noteRun(
  { path, name, kind, manifest }: ReleaseHook,
  lastRun: ReleaseHook['lastRun'],
  operation: Operation,
): void {
  const hooks = operation.release.hooks.map((hook) =>
    hook.path === path && hook.name === name && hook.kind === kind && hook.manifest === manifest
      ? { ...hook, lastRun, deletePolicies: policiesOf(hook) }
      : hook,
  );
  operation.set({ hooks });
}

/** CustomResourceDefinitions are never deleted: every object of theirs would go with them. */
async function deleteByPolicy(hook: ReleaseHook, policy: string, run: HookRun): Promise<void> {
  if (hook.kind === 'CustomResourceDefinition' || !policiesOf(hook).includes(policy)) return;
  const objects = await hookObjects(hook, run);
  const failures = await deleteObjects(objects, 'Background', run.ports);
  if (failures.length > 0) throw new ReleaseError('RELEASE_HOOK', failures.join('; '));
  await waitUntilGone(objects, { timeoutMs: timeoutOf(run.options) }, run.ports);
}

/** Without a policy of its own a hook is deleted before it is made anew. */
function policiesOf({ deletePolicies }: ReleaseHook): readonly string[] {
  return deletePolicies.length === 0 ? ['before-hook-creation'] : deletePolicies;
}

async function outputLogs(hook: ReleaseHook, policy: string, run: HookRun): Promise<void> {
  const { ports, operation } = run;
  if (!hook.outputLogPolicies.includes(policy) || ports.outputHookLogs === undefined) return;
  if (hook.kind !== 'Job' && hook.kind !== 'Pod') return;
  try {
    const [object] = await hookObjects(hook, run);
    const namespace = object?.metadata.namespace ?? operation.release.namespace;
    await ports.outputHookLogs({ kind: hook.kind, name: hook.name, namespace });
  } catch (error) {
    ports.warn?.(`error outputting logs for hook: ${messageOf(error)}`);
  }
}

/** The time as release records have it. */
export function timestamp({ clock }: Pick<ReleasePorts, 'clock'>): string {
  return new Date(clock.now()).toISOString();
}
