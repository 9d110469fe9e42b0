import {
  applyServerSide,
  conflictCauses,
  FieldSet,
  keepTimestamps,
  trackUpdate,
  typeProblems,
} from '@capstan/kube-merge';
import type { Json, KubeObject } from '@capstan/kube-object';
import { ApiError, badRequest } from './api-error.ts';
import type { Core } from './core.ts';
import { objectAt, textAt } from './json.ts';
import type { ServedResource } from './served-resource.ts';
import { toVersion } from './version-conversion.ts';

export interface TrackedChange {
  readonly before: KubeObject | undefined;
  readonly after: KubeObject;
  readonly resource: ServedResource;
  readonly subresource: string;
  readonly fieldManager: string;
  readonly isMistyped?: boolean;
}

/**
 * Whether a custom resource as a client sent it does not fit its schema: then it is not known who owns what of it, even if it
 * is a status that is not kept.
 */
export function isMistyped(object: KubeObject, { custom, schema }: ServedResource): boolean {
  if (custom === undefined || schema === undefined) return false;
  return typeProblems(schema.mergeType, object as Json, { allowDuplicates: true }).length > 0;
}

/** The object with the managedFields that this create, update or patch leads to. */
export function trackChange(core: Core, change: TrackedChange): KubeObject {
  const { before, after, resource, subresource, fieldManager } = change;
  if (resource.schema === undefined) return after;
  // The real server forgets who scaled a custom resource.
  if (resource.custom !== undefined && subresource === 'scale') return after;
  if (change.isMistyped === true) return withManagers(after, undefined);
  const fields = trackUpdate({
    before,
    after,
    manager: fieldManager,
    subresource,
    schema: resource.schema,
    now: core.clock.now(),
    ...shared(core, resource, subresource),
  });
  const tracked = withManagers(after, fields);
  if (subresource === 'scale') dropScaleTime(tracked.metadata as unknown as DraftMetadata);
  return before === undefined ? tracked : keepTimestamps(before, tracked);
}

function withManagers(
  object: KubeObject,
  fields: ReturnType<typeof trackUpdate> | undefined,
): KubeObject {
  const { managedFields: _, ...rest } = object.metadata;
  const metadata = {
    ...rest,
    ...(fields === undefined || fields.length === 0 ? {} : { managedFields: fields }),
  };
  return { ...object, metadata };
}

interface DraftMetadata {
  [key: string]: Json | undefined;
}

/** The real server's scale handler rewrites the entries without their time. */
function dropScaleTime(metadata: DraftMetadata): void {
  const fields = metadata['managedFields'];
  if (!Array.isArray(fields)) return;
  metadata['managedFields'] = fields.map((entry: Json) => {
    const { time, ...rest } = objectAt(entry);
    return textAt(entry, 'subresource') === 'scale' || time === undefined
      ? rest
      : { ...rest, time };
  });
}

/** Merges an applied configuration into the live object (or into nothing); conflicts are a 409. */
export function mergeApplied(
  core: Core,
  request: {
    readonly live: KubeObject | undefined;
    readonly applied: KubeObject;
    readonly resource: ServedResource;
    readonly subresource: string;
    readonly fieldManager: string;
    readonly force: boolean;
  },
): KubeObject {
  const { live, applied, resource, subresource, fieldManager, force } = request;
  if (resource.schema === undefined) throw badRequest(`${resource.kind} has no schema to apply by`);
  const result = applyServerSide({
    live,
    applied,
    manager: fieldManager,
    force,
    subresource,
    schema: resource.schema,
    now: core.clock.now(),
    ...shared(core, resource, subresource),
  });
  switch (result.kind) {
    case 'applied':
      return live === undefined ? result.object : keepTimestamps(live, result.object);
    case 'conflicts':
      throw new ApiError(409, 'Conflict', result.message, {
        details: {
          causes: conflictCauses(result.conflicts).map((cause) => ({ ...cause })),
        },
      });
    case 'invalid':
      throw new ApiError(
        result.reason === 'BadRequest' ? 400 : 500,
        result.reason === 'BadRequest' ? 'BadRequest' : '',
        result.message,
      );
    default:
      return result satisfies never;
  }
}

function shared(
  core: Core,
  resource: ServedResource,
  subresource: string,
): { resetFields?: FieldSet; convert: Parameters<typeof trackUpdate>[0]['convert'] & {} } {
  const reset = resetFields(resource, subresource);
  return {
    ...(reset === undefined ? {} : { resetFields: reset }),
    convert(object, apiVersion) {
      const slash = apiVersion.indexOf('/');
      const group = slash < 0 ? '' : apiVersion.slice(0, slash);
      const other = core.registry.findKind(group, apiVersion.slice(slash + 1), resource.kind);
      if (other?.schema === undefined || other.bucket !== resource.bucket) return undefined;
      return { object: toVersion(object, other), schema: other.schema };
    },
  };
}

/** What a request cannot set, and so cannot own. */
function resetFields(resource: ServedResource, subresource: string): FieldSet | undefined {
  const own = resource.strategy.resets?.[subresource];
  if (own !== undefined) return FieldSet.of(...own);
  if (resource.strategy.hasStatus !== true) return undefined;
  if (subresource === 'status') {
    return resource.custom === undefined
      ? FieldSet.of(['f:spec'])
      : FieldSet.of(['f:spec'], ['f:metadata']);
  }
  return FieldSet.of(['f:status']);
}
