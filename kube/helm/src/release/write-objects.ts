import type { KubeObject } from '@capstan/kube-object';
import { parseApiVersion } from '@capstan/kube-object';
import { codeOf, isNotFound, type ReleasePorts, serverMessage } from './cluster-port.ts';
import type { OperationOptions } from './operation.ts';
import { ReleaseError } from './release-error.ts';
import { identityOf, isKept, refOf, resourceText } from './release-objects.ts';

/** How objects are written. */
export interface WriteMode
  extends Pick<OperationOptions, 'forceConflicts' | 'forceReplace' | 'fieldManager' | 'signal'> {
  readonly serverSide: boolean;
  /** Whether fields that a client-side apply of ours wrote become the server-side applier's. */
  readonly migrate?: boolean;
}

const PARALLEL_MAX = 16;

/** Creates objects in their order, those of one kind side by side. All are tried; the failures come as one error. */
export async function createObjects(
  objects: readonly KubeObject[],
  mode: WriteMode,
  ports: ReleasePorts,
): Promise<void> {
  const failures: unknown[] = [];
  for (const group of runsOfOneKind(objects)) {
    const results = await Promise.allSettled(group.map((one) => createObject(one, mode, ports)));
    for (const result of results) {
      if (result.status === 'rejected') failures.push(result.reason);
    }
  }
  throwAll(failures, '\n');
}

function runsOfOneKind(objects: readonly KubeObject[]): readonly KubeObject[][] {
  const runs: KubeObject[][] = [];
  for (const object of objects) {
    const run = runs.at(-1);
    if (run === undefined || run[0]?.kind !== object.kind || run.length >= PARALLEL_MAX) {
      runs.push([object]);
    } else run.push(object);
  }
  return runs;
}

function throwAll(failures: readonly unknown[], separator: string): void {
  if (failures.length === 0) return;
  if (failures.length === 1) throw failures[0];
  const message = failures.map(serverMessage).join(separator);
  throw new ReleaseError('RELEASE_WRITE', message, { cause: failures[0] });
}

async function createObject(
  object: KubeObject,
  mode: WriteMode,
  { cluster }: ReleasePorts,
): Promise<void> {
  if (mode.serverSide && object.metadata.generateName === undefined) {
    return applyServerSide(object, mode, { cluster });
  }
  try {
    await cluster.create(object, managerOf(mode));
  } catch (error) {
    throw new ReleaseError('RELEASE_WRITE', serverMessage(error), { cause: error });
  }
}

function managerOf(mode: WriteMode) {
  return {
    fieldManager: mode.fieldManager ?? 'helm',
    ...(mode.signal === undefined ? {} : { signal: mode.signal }),
  };
}

async function applyServerSide(
  object: KubeObject,
  mode: WriteMode,
  { cluster }: Pick<ReleasePorts, 'cluster'>,
): Promise<void> {
  const force = mode.forceConflicts ?? false;
  try {
    await cluster.apply(object, { ...managerOf(mode), force, fieldValidation: 'Strict' });
  } catch (error) {
    const doing =
      codeOf(error) === 'APPLY_CONFLICT' || codeOf(error) === 'CONFLICT'
        ? 'conflict occurred while applying object'
        : 'server-side apply failed for object';
    throw new ReleaseError(
      'RELEASE_WRITE',
      `${doing} ${longName(object)}: ${serverMessage(error)}`,
      { cause: error },
    );
  }
}

/** As client-go prints an object with its kind: `ns/name apps/v1, Kind=Deployment`. */
function longName({ apiVersion, kind, metadata }: KubeObject): string {
  const { group, version } = parseApiVersion(apiVersion);
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''} ${group}/${version}, Kind=${kind}`;
}

/** What an update came to, for cleaning up after it. */
export interface Written {
  readonly created: KubeObject[];
}

/**
 * Makes the cluster hold `targets` where it held `originals`: creates, updates in order, then deletes what is no longer
 * there unless it is to be kept. `written` is filled as it goes, so that it is right when an error is thrown.
 */
export async function updateObjects(
  { originals, targets }: { originals: readonly KubeObject[]; targets: readonly KubeObject[] },
  mode: WriteMode,
  { ports, written }: { readonly ports: ReleasePorts; readonly written: Written },
): Promise<void> {
  checkMode(mode);
  const before = new Map(originals.map((object) => [identityOf(object), object]));
  const failures: unknown[] = [];
  for (const target of targets) {
    mode.signal?.throwIfAborted();
    const live =
      target.metadata.name === undefined ? undefined : await ports.cluster.find(refOf(target));
    if (live === undefined) {
      written.created.push(target);
      await createMissing(target, mode, ports);
      continue;
    }
    try {
      const original = before.get(identityOf(target)) ?? live;
      await updateObject({ original, target, live }, mode, ports);
    } catch (error) {
      failures.push(error);
    }
  }
  throwAll(failures, ' && ');
  const wanted = new Set(targets.map(identityOf));
  await deleteDropped(
    originals.filter((object) => !wanted.has(identityOf(object))),
    ports,
  );
}

function checkMode(mode: WriteMode): void {
  const clash =
    mode.forceConflicts && mode.forceReplace
      ? 'force conflicts and force replace'
      : mode.serverSide && mode.forceReplace
        ? 'server-side apply and force replace'
        : undefined;
  if (clash === undefined) return;
  throw new ReleaseError('RELEASE_OPTIONS', `invalid operation: cannot use ${clash} together`);
}

async function createMissing(
  target: KubeObject,
  mode: WriteMode,
  ports: ReleasePorts,
): Promise<void> {
  try {
    await createObject(target, mode, ports);
  } catch (error) {
    throw new ReleaseError('RELEASE_WRITE', `failed to create resource: ${serverMessage(error)}`, {
      cause: error,
    });
  }
}

interface Versions {
  readonly original: KubeObject;
  readonly target: KubeObject;
  readonly live: KubeObject;
}

async function updateObject(
  versions: Versions,
  mode: WriteMode,
  ports: ReleasePorts,
): Promise<void> {
  const { target, live } = versions;
  if (mode.forceReplace === true) return replaceObject(target, live, { mode, ports });
  if (!mode.serverSide) return mergeObject(versions, mode, ports);
  if (mode.migrate === true) await migrate(live, mode, ports);
  await applyServerSide(target, mode, ports);
}

async function replaceObject(
  target: KubeObject,
  live: KubeObject,
  { mode, ports }: { readonly mode: WriteMode; readonly ports: ReleasePorts },
): Promise<void> {
  const { resourceVersion } = live.metadata;
  const metadata = {
    ...target.metadata,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  try {
    await ports.cluster.update({ ...target, metadata }, managerOf(mode));
  } catch (error) {
    throw new ReleaseError('RELEASE_WRITE', `failed to replace object: ${serverMessage(error)}`, {
      cause: error,
    });
  }
}

async function mergeObject(
  { original, target, live }: Versions,
  mode: WriteMode,
  ports: ReleasePorts,
): Promise<void> {
  if (ports.merge === undefined) {
    throw new ReleaseError(
      'RELEASE_OPTIONS',
      "this release is applied on the client's side, which this program is not prepared for",
      { hint: 'upgrade it with server-side apply (serverSideApply: true)' },
    );
  }
  const made = ports.merge.threeWayPatch({ original, modified: target, live });
  if (made === undefined) return;
  try {
    await ports.cluster.patch(refOf(target), made.patch, { ...managerOf(mode), type: made.type });
  } catch (error) {
    throw new ReleaseError(
      'RELEASE_WRITE',
      `cannot patch "${target.metadata.name ?? ''}" with kind ${target.kind}: ${serverMessage(error)}`,
      { cause: error },
    );
  }
}

const MIGRATIONS_MAX = 5;

/**
 * Makes the fields of a client-side apply the applier's, or else what is dropped from the chart would stay for ever. A
 * controller that writes the object meanwhile is no failure: it is read again, as helm does.
 */
async function migrate(live: KubeObject, mode: WriteMode, ports: ReleasePorts): Promise<void> {
  const manager = mode.fieldManager ?? 'helm';
  let current = live;
  for (let attempt = 1; ; attempt++) {
    const moved = ports.merge?.migrateManager(current, manager) ?? current;
    if (moved === current) return;
    const { managedFields = [], resourceVersion = '' } = moved.metadata;
    try {
      await ports.cluster.patch(
        refOf(current),
        [
          { op: 'replace', path: '/metadata/managedFields', value: managedFields },
          { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
        ],
        { ...managerOf(mode), type: 'json' },
      );
      return;
    } catch (error) {
      if (codeOf(error) !== 'CONFLICT' || attempt === MIGRATIONS_MAX) throw error;
      const found = await ports.cluster.find(refOf(current));
      if (found === undefined) return;
      current = found;
    }
  }
}

async function deleteDropped(objects: readonly KubeObject[], ports: ReleasePorts): Promise<void> {
  const failures: unknown[] = [];
  for (const object of objects) {
    const live = await ports.cluster.find(refOf(object)).catch(() => undefined);
    if (live === undefined) continue;
    if (isKept(live)) {
      ports.warn?.(`skipping delete of ${resourceText(object)} due to annotation`);
      continue;
    }
    try {
      await ports.cluster.delete(refOf(object), { propagation: 'Background' });
    } catch (error) {
      if (isNotFound(error)) continue;
      const { namespace = '', name = '' } = object.metadata;
      failures.push(
        new ReleaseError(
          'RELEASE_WRITE',
          `failed to delete resource namespace=${namespace}, name=${name}, kind=${object.kind}: ${serverMessage(error)}`,
          { cause: error },
        ),
      );
    }
  }
  throwAll(failures, ' && ');
}

/** Deletes objects, the missing ones counting as deleted. All are tried; gives the failures' texts. */
export async function deleteObjects(
  objects: readonly KubeObject[],
  propagation: 'Background' | 'Foreground' | 'Orphan',
  { cluster }: Pick<ReleasePorts, 'cluster'>,
): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const group of runsOfOneKind(objects)) {
    const deletions = group.map((object) => cluster.delete(refOf(object), { propagation }));
    for (const result of await Promise.allSettled(deletions)) {
      if (result.status === 'rejected' && !isNotFound(result.reason)) {
        failures.push(serverMessage(result.reason));
      }
    }
  }
  return failures;
}
