/**
 * Reconciles GitRepositories: follows each remote at its interval, and tells what it holds as an artifact. Woken by the
 * object, by the remote (webhook or poll), and by `reconcile.fluxcd.io/requestedAt`. Writes the status once a run.
 */

import { SourceWatches } from '@capstan/engine-delivery';
import type { SourceStore } from '@capstan/engine-source';
import { type GitRepository, REQUESTED_AT, SOURCE_GROUP } from '@capstan/flux-api';
import type { KubeClient } from '@capstan/kube-client';
import {
  type Controller,
  createController,
  type EventRecorder,
  type ReconcileResult,
} from '@capstan/kube-controller';
import { CapstanError, type Clock, messageOf } from '@capstan/lib-std';
import { findCondition } from './conditions.ts';
import {
  type ControlState,
  isWanted,
  type NamedKey,
  requireGitRepository,
} from './control-state.ts';
import { parseDurationMs } from './durations.ts';
import { readValues } from './read-secret.ts';
import { type FetchedState, toGitRepositoryStatus } from './to-git-repository-status.ts';
import { toSourceSpec } from './to-source.ts';
import { setFinalizer, writeStatus } from './write-object.ts';

export interface GitRepositoryPorts {
  readonly client: KubeClient;
  readonly sources: SourceStore;
  readonly events: EventRecorder;
  readonly clock: Clock;
}

interface Bench {
  readonly ports: GitRepositoryPorts;
  readonly control: ControlState;
  readonly watches: SourceWatches;
}

const FIELD_MANAGER = 'source-controller';

export function createGitRepositoryController(
  ports: GitRepositoryPorts,
  control: ControlState,
): { readonly controller: Controller<NamedKey>; start(): () => void } {
  const watches = new SourceWatches(ports.sources, (id) => {
    const [namespace = '', name = ''] = id.split('/');
    controller.enqueue({ namespace, name }, { reason: 'remote' });
  });
  const bench: Bench = { ports, control, watches };
  const controller = createController<NamedKey>({
    name: 'gitrepository',
    reconcile: (key, { signal }) => reconcile(key, bench, signal),
    keyString: idOf,
    clock: ports.clock,
  });
  return {
    controller,
    start() {
      const stop = control.live.subscribe((change) => {
        const { group, kind } = change.key;
        if (group === SOURCE_GROUP && kind === 'GitRepository' && isWanted(change))
          controller.enqueue(change.key);
      });
      return () => {
        stop();
        watches.close();
      };
    },
  };
}

function idOf({ namespace, name }: NamedKey): string {
  return `${namespace}/${name}`;
}

async function reconcile(
  key: NamedKey,
  bench: Bench,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { ports, control, watches } = bench;
  const object = control.gitRepository(key);
  const write = { client: ports.client, fieldManager: FIELD_MANAGER, signal };
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) {
    watches.forget(idOf(key));
    if (object !== undefined) await setFinalizer(object, false, write);
    return { kind: 'settled' };
  }
  const repository = requireGitRepository(object);
  if (repository.spec.suspend === true) {
    watches.forget(idOf(key));
    return { kind: 'settled' };
  }
  const requestedAt = repository.metadata.annotations?.[REQUESTED_AT];
  const isAsked =
    requestedAt !== undefined && requestedAt !== repository.status.lastHandledReconcileAt;
  const fetched = await fetchState(repository, bench, { isAsked, signal });
  const status = toGitRepositoryStatus(repository, fetched, {
    nowMs: ports.clock.now(),
    handledReconcileAt: requestedAt,
  });
  const written = await writeStatus(repository, status, write);
  if (written !== undefined) {
    control.live.observeWrite(written);
    tell(repository, requireGitRepository(written), ports.events);
  }
  const { error } = fetched;
  if (error === undefined) return { kind: 'settled' };
  return error.kind === 'stalled' || fetched.snapshot !== undefined
    ? {
        kind: 'stalled',
        error,
        recheckAfterMs: parseDurationMs(repository.spec.interval, 'spec.interval'),
      }
    : { kind: 'retry', error };
}

async function fetchState(
  repository: GitRepository,
  { ports, watches }: Bench,
  { isAsked, signal }: { readonly isAsked: boolean; readonly signal: AbortSignal },
): Promise<FetchedState> {
  const { namespace = '', name = '' } = repository.metadata;
  try {
    const spec = toSourceSpec(repository, await readCredentials(repository, ports.client, signal));
    watches.follow(
      idOf({ namespace, name }),
      [spec],
      parseDurationMs(repository.spec.interval, 'spec.interval'),
    );
    const maxAgeMs = isAsked ? 0 : Number.POSITIVE_INFINITY;
    const snapshot = await ports.sources.fetchSnapshot(spec, { maxAgeMs, signal });
    const [error] = watches.errors(idOf({ namespace, name }));
    return error === undefined || isAsked ? { snapshot } : { snapshot, error };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CapstanError) return { error };
    return {
      error: new CapstanError('INTERNAL', `an internal error: ${messageOf(error)}`, {
        kind: 'bug',
        cause: error,
      }),
    };
  }
}

export async function readCredentials(
  { spec, metadata }: GitRepository,
  client: KubeClient,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string> | undefined> {
  if (spec.secretRef === undefined) return undefined;
  const ref = {
    kind: 'Secret' as const,
    namespace: metadata.namespace ?? '',
    name: spec.secretRef.name,
    optional: false,
  };
  return readValues(client, ref, { signal });
}

/** Events at new artifacts, failures and recoveries, with the reasons of the original. */
function tell(before: GitRepository, after: GitRepository, events: EventRecorder): void {
  const ready = findCondition(after.status.conditions, 'Ready');
  const old = findCondition(before.status.conditions, 'Ready');
  if (ready === undefined) return;
  const { apiVersion, kind, metadata } = after;
  const object = { apiVersion, kind, metadata };
  const { artifact } = after.status;
  if (
    ready.status === 'True' &&
    artifact !== undefined &&
    artifact.revision !== before.status.artifact?.revision
  ) {
    const annotations = {
      [`${SOURCE_GROUP}/revision`]: artifact.revision,
      [`${SOURCE_GROUP}/digest`]: artifact.digest,
    };
    events.record({
      object,
      type: 'Normal',
      reason: 'NewArtifact',
      message: ready.message,
      annotations,
    });
  } else if (ready.status === 'True' && old?.status === 'False') {
    events.record({ object, type: 'Normal', reason: 'Succeeded', message: ready.message });
  } else if (ready.status === 'False' && old?.message !== ready.message) {
    events.record({ object, type: 'Warning', reason: ready.reason, message: ready.message });
  }
}
