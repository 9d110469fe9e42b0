import type { Json, JsonObject, KubeObject } from './object.ts';

/**
 * Why kstatus cannot read which generation was observed, in its words: it is no integer. Argo Rollouts write text there, and
 * are never more than Unknown to Flux.
 */
export function generationProblem({ metadata, ...object }: KubeObject): string | undefined {
  if (typeof (metadata as JsonObject)['generation'] !== 'number') return undefined;
  const status = object['status'] ?? {};
  if (!isMap(status)) return accessorError(status, 'map[string]interface{}');
  const observed = status['observedGeneration'];
  if (observed === undefined || Number.isInteger(observed)) return undefined;
  return accessorError(observed, 'int64');
}

/** Why kstatus cannot read the conditions: they have another form than those of Kubernetes. */
export function conditionsProblem(object: KubeObject): string | undefined {
  const status = object['status'] ?? {};
  if (!isMap(status)) return `cannot restore struct from: ${goKindOf(status)}`;
  const conditions = status['conditions'] ?? [];
  if (!Array.isArray(conditions)) return `cannot restore slice from ${goKindOf(conditions)}`;
  for (const condition of conditions as readonly Json[]) {
    if (condition === null) continue;
    if (!isMap(condition)) return `cannot restore struct from: ${goKindOf(condition)}`;
    for (const name of ['type', 'status', 'reason', 'message']) {
      const value = condition[name] ?? '';
      if (typeof value === 'string') continue;
      if (!Number.isInteger(value)) return 'unrecognized type: string';
      return `cannot convert int64 to ${name === 'status' ? 'v1.ConditionStatus' : 'string'}`;
    }
  }
  return undefined;
}

function isMap(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function accessorError(value: Json, expected: string): string {
  const path = 'status.observedGeneration';
  const found = value === null || typeof value !== 'object' ? goScalar(value) : goEmpty(value);
  return `looking up ${path} from resource: .${path} accessor error: ${found} is of the type ${goTypeOf(value)}, expected ${expected}`;
}

function goScalar(value: string | number | bigint | boolean | null): string {
  return value === null ? '<nil>' : String(value);
}

/** Lists and maps are told without what they hold. */
function goEmpty(value: object): string {
  return Array.isArray(value) ? '[]' : 'map[]';
}

function goTypeOf(value: Json): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'object') return 'map[string]interface {}';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  return Number.isInteger(value) ? 'int64' : 'float64';
}

function goKindOf(value: Json): string {
  if (Array.isArray(value)) return 'slice';
  return isMap(value) ? 'map' : goTypeOf(value);
}
