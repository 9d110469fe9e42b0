import { gunzipSync, gzipSync } from 'node:zlib';
import type { Json, JsonObject } from '@capstan/kube-object';
import { HOOK_EVENTS, type HookEvent } from '../manifests.ts';
import type { HookPhase, Release, ReleaseHook, ReleaseStatus } from './release.ts';
import { ReleaseError } from './release-error.ts';

/** No record that a cluster can store unpacks to more. */
const RECORD_BYTES_MAX = 256 * 1024 * 1024;

/**
 * The text in `data.release` of a release's Secret, before the API's own base64: base64 of gzip of JSON, as Helm 3 and 4
 * write and read it (storage format helm.sh/release.v1).
 */
export function encodeRecord(release: Release): string {
  const json = JSON.stringify(toRecord(release), (_key, value: unknown) =>
    typeof value === 'bigint' ? Number(value) : value,
  );
  return gzipSync(json, { level: 9 }).toString('base64');
}

/** Reads what `encodeRecord` or any Helm since 3.0 wrote. Throws RELEASE_RECORD when it is no such text. */
export function decodeRecord(text: string, labels: Release['labels'] = {}): Release {
  try {
    const bytes = Buffer.from(text, 'base64');
    const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
    const json = packed ? gunzipSync(bytes, { maxOutputLength: RECORD_BYTES_MAX }) : bytes;
    return fromRecord(JSON.parse(json.toString('utf8')) as Json, labels);
  } catch (error) {
    throw new ReleaseError('RELEASE_RECORD', 'the record of the release cannot be read', {
      cause: error,
      hint: 'the Secret may be damaged: helm history shows which revision; delete its Secret to go back to the one before',
    });
  }
}

function toRecord(release: Release): JsonObject {
  return compact({
    name: release.name,
    info: compact({
      first_deployed: release.firstDeployed,
      last_deployed: release.lastDeployed,
      deleted: release.deleted,
      description: release.description,
      status: release.status,
      rollback_revision: release.rollbackRevision,
      notes: release.notes,
    }),
    chart: release.chart,
    config: release.config,
    manifest: release.manifest,
    hooks: release.hooks.map(toHookRecord),
    version: release.revision,
    namespace: release.namespace,
    apply_method: release.applyMethod,
  });
}

function toHookRecord(hook: ReleaseHook): JsonObject {
  const { startedAt, completedAt, phase } = hook.lastRun;
  return compact({
    name: hook.name,
    kind: hook.kind,
    path: hook.path,
    manifest: hook.manifest,
    events: hook.events,
    last_run: {
      ...(startedAt === '' ? {} : { started_at: startedAt }),
      ...(completedAt === '' ? {} : { completed_at: completedAt }),
      phase,
    },
    weight: hook.weight,
    delete_policies: hook.deletePolicies,
    output_log_policies: hook.outputLogPolicies,
  });
}

/** Without what Go's `omitempty` leaves out. */
function compact(fields: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => {
      if (value === '' || value === 0 || value === undefined) return false;
      if (Array.isArray(value)) return value.length > 0;
      return true;
    }),
  );
}

function fromRecord(value: Json, labels: Release['labels']): Release {
  if (!isDict(value)) throw new TypeError('not an object');
  const info = dictAt(value, 'info');
  return {
    name: textAt(value, 'name'),
    namespace: textAt(value, 'namespace'),
    revision: numberAt(value, 'version'),
    status: (textAt(info, 'status') || 'unknown') as ReleaseStatus,
    description: textAt(info, 'description'),
    firstDeployed: textAt(info, 'first_deployed'),
    lastDeployed: textAt(info, 'last_deployed'),
    deleted: textAt(info, 'deleted'),
    notes: textAt(info, 'notes'),
    rollbackRevision: numberAt(info, 'rollback_revision'),
    chart: dictAt(value, 'chart'),
    config: dictAt(value, 'config'),
    manifest: textAt(value, 'manifest'),
    hooks: listAt(value, 'hooks').filter(isDict).map(fromHookRecord),
    applyMethod: applyMethodOf(textAt(value, 'apply_method')),
    labels,
  };
}

function applyMethodOf(text: string): Release['applyMethod'] {
  return text === 'ssa' || text === 'csa' ? text : '';
}

function fromHookRecord(value: JsonObject): ReleaseHook {
  const lastRun = dictAt(value, 'last_run');
  const events = textsAt(value, 'events');
  return {
    name: textAt(value, 'name'),
    kind: textAt(value, 'kind'),
    path: textAt(value, 'path'),
    manifest: textAt(value, 'manifest'),
    events: events.filter((event): event is HookEvent => HOOK_EVENTS.some((e) => e === event)),
    weight: numberAt(value, 'weight'),
    deletePolicies: textsAt(value, 'delete_policies'),
    outputLogPolicies: textsAt(value, 'output_log_policies'),
    lastRun: {
      startedAt: textAt(lastRun, 'started_at'),
      completedAt: textAt(lastRun, 'completed_at'),
      phase: textAt(lastRun, 'phase') as HookPhase | '',
    },
  };
}

function isDict(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function dictAt(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return isDict(value) ? value : {};
}

function listAt(object: JsonObject, key: string): readonly Json[] {
  const value = object[key];
  return Array.isArray(value) ? value : [];
}

function textsAt(object: JsonObject, key: string): readonly string[] {
  return listAt(object, key).filter((item): item is string => typeof item === 'string');
}

/** Go's zero time counts as none. */
function textAt(object: JsonObject, key: string): string {
  const value = object[key];
  return typeof value === 'string' && value !== '0001-01-01T00:00:00Z' ? value : '';
}

function numberAt(object: JsonObject, key: string): number {
  const value = object[key];
  return typeof value === 'number' ? value : 0;
}
