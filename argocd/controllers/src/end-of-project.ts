/** The end of an AppProject that holds itself by its finalizer: it stays as long as an Application names it. */
import { API_VERSION, FINALIZER } from '@capstan/argocd-api';
import { isNotFound, type KubeClient, type LiveChange } from '@capstan/kube-client';
import {
  type Controller,
  type ControllerRuntime,
  createController,
  type ReconcileResult,
} from '@capstan/kube-controller';
import type { Clock } from '@capstan/lib-std';
import type { ControlState } from './control-state.ts';

export interface ProjectControllerPorts {
  readonly client: KubeClient;
  readonly control: ControlState;
  readonly clock: Clock;
  readonly runtime?: ControllerRuntime | undefined;
}

/** By names of projects in the control plane's namespace. */
export function createProjectController(ports: ProjectControllerPorts): Controller<string> {
  return createController<string>({
    name: 'project',
    reconcile: (name, { signal }) => reconcile(name, ports, signal),
    keyString: (name) => name,
    concurrency: 1,
    clock: ports.clock,
    ...(ports.runtime === undefined ? {} : { runtime: ports.runtime }),
  });
}

/** Wakes the projects whose end a change may bring: one that is being deleted, and one that an application leaves. */
export function wakeProjects(change: LiveChange, controller: Controller<string>): void {
  const { key, before, after } = change;
  if (key.kind === 'AppProject') {
    if (after?.read().metadata.deletionTimestamp !== undefined) controller.enqueue(key.name);
  } else if (key.kind === 'Application') {
    const [left, kept] = [before, after].map((one) => projectOf(one));
    if (left !== undefined && left !== kept) controller.enqueue(left);
  }
}

function projectOf(held: LiveChange['before']): string | undefined {
  const spec = held?.read()['spec'];
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) return undefined;
  const { project } = spec as { readonly project?: unknown };
  return typeof project === 'string' && project !== '' ? project : 'default';
}

async function reconcile(
  name: string,
  { client, control }: ProjectControllerPorts,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const project = control.rawProject(name);
  const {
    deletionTimestamp,
    finalizers = [],
    resourceVersion,
    namespace = '',
  } = project?.metadata ?? {};
  const isHeld = deletionTimestamp !== undefined && finalizers.includes(FINALIZER);
  if (!isHeld || control.isReferenced(name)) return { kind: 'settled' };
  const kept = finalizers.filter((one) => one !== FINALIZER);
  try {
    await client.patch(
      { apiVersion: API_VERSION, kind: 'AppProject', namespace, name },
      { metadata: { finalizers: kept, ...(resourceVersion ? { resourceVersion } : {}) } },
      { type: 'merge', signal },
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return { kind: 'settled' };
}
