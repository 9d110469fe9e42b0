import { applyJsonPatch, applyServerSide, PatchError } from '@capstan/kube-merge';
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import type { MergeType } from '@capstan/kube-schema';
import { CelList, type CelRuntimeValue as Value } from '@capstan/lib-expressions';
import { Message, messageJson, misplacedTypes } from '../cel/patch-types.ts';
import type { Core } from '../core.ts';
import { isObject, textAt } from '../json.ts';
import type { ServedResource } from '../served-resource.ts';
import { type Activation, OutOfBudget } from './activation.ts';
import {
  compileExpression,
  type ExpressionScope,
  type PolicyExpression,
} from './policy-expression.ts';

/** Why a mutation cannot be applied. */
export class MutationError extends Error {}

export interface Mutator {
  readonly kind: 'ApplyConfiguration' | 'JSONPatch';
  readonly expression: PolicyExpression;
}

export function compileMutator(mutation: Json, scope: ExpressionScope): Mutator {
  const patchScope = { ...scope, hasPatchTypes: true };
  if (textAt(mutation, 'patchType') === 'JSONPatch') {
    const source = textAt(mutation, 'jsonPatch', 'expression');
    return {
      kind: 'JSONPatch',
      expression: compileExpression(source, patchScope, ['list(JSONPatch)']),
    };
  }
  const source = textAt(mutation, 'applyConfiguration', 'expression');
  return {
    kind: 'ApplyConfiguration',
    expression: compileExpression(source, patchScope, ['Object']),
  };
}

/** The object after one mutation of a policy. Throws MutationError. */
export function runMutator(
  { kind, expression }: Mutator,
  object: KubeObject,
  how: { readonly activation: Activation; readonly matched: ServedResource; readonly core: Core },
): KubeObject {
  if (expression.problem !== undefined) throw new MutationError(expression.problem);
  const found = evaluate(expression, how.activation);
  if (found.kind === 'error') throw new MutationError(found.message);
  return kind === 'JSONPatch'
    ? patchedBy(object, found.value)
    : mergedWith(object, found.value, how.matched, how.core);
}

function evaluate(expression: PolicyExpression, activation: Activation) {
  try {
    return activation.evaluate(expression);
  } catch (error) {
    if (error instanceof OutOfBudget) throw new MutationError(error.message);
    throw error;
  }
}

function patchedBy(object: KubeObject, value: Value): KubeObject {
  const messages = [...(value instanceof CelList ? value : [])].filter(
    (item): item is Message => item instanceof Message,
  );
  for (const { fields } of messages) {
    const literal = fields.get('value');
    if (literal instanceof Message) checkTypes(literal, literal.typeName);
  }
  try {
    return applyJsonPatch(object, messages.map(messageJson)) as unknown as KubeObject;
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    // A test that fails means that the patch is not for this object.
    if (/^testing value|test failed/.test(error.message)) return object;
    throw new MutationError(`JSON Patch: ${error.message}`);
  }
}

function checkTypes(value: Value, path: string | undefined): void {
  const problems = misplacedTypes(value, path);
  if (problems.length > 0) throw new MutationError(`type mismatch: ${problems.join('\n')}`);
}

/** As a forced apply by somebody who owned nothing: sets fields, merges lists by their keys, takes nothing away. */
function mergedWith(
  object: KubeObject,
  value: Value,
  { schema }: ServedResource,
  core: Core,
): KubeObject {
  checkTypes(value, 'Object');
  const configuration = value instanceof Message ? messageJson(value) : {};
  if (schema === undefined)
    throw new MutationError('error applying patch: type converter must not be nil');
  const atomic = atomicPaths(configuration, schema.mergeType, '');
  if (atomic.length > 0) {
    throw new MutationError(
      `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomic.join(', ')}`,
    );
  }
  const { apiVersion, kind, metadata } = object;
  const { managedFields, ...unmanaged } = metadata;
  const applied = {
    ...configuration,
    apiVersion,
    kind,
    metadata: {
      ...(configuration['metadata'] as JsonObject | undefined),
      name: metadata.name ?? 'unnamed',
    },
  };
  const result = applyServerSide({
    live: { ...object, metadata: { ...unmanaged, name: metadata.name ?? 'unnamed' } },
    applied: applied as unknown as KubeObject,
    manager: 'admission',
    force: true,
    schema,
    now: core.clock.now(),
  });
  if (result.kind !== 'applied') {
    const why = result.message.replace(/^failed to create typed patch object \([^)]*\): /, '');
    throw new MutationError(
      `error applying patch: failed to convert patch object to typed object: ${why}`,
    );
  }
  const { managedFields: _, name, ...rest } = result.object.metadata;
  return {
    ...result.object,
    metadata: {
      ...(metadata.name === undefined ? {} : { name: name ?? metadata.name }),
      ...rest,
      ...(managedFields === undefined ? {} : { managedFields }),
    },
  };
}

/** Paths of what a configuration sets in lists and maps that are only ever replaced as a whole. */
function atomicPaths(value: Json, type: MergeType, path: string): string[] {
  if (Array.isArray(value)) {
    if (type.list === undefined) return [];
    const { atomic, element } = type.list;
    const below = value.flatMap((item: Json, i) => atomicPaths(item, element, `${path}[${i}]`));
    return atomic ? [path, ...below] : below;
  }
  if (!isObject(value) || type.map === undefined) return [];
  const { atomic, fields, element } = type.map;
  const below = Object.entries(value).flatMap(([key, item]) => {
    const inner = fields.get(key)?.type ?? element;
    return inner === undefined || item === undefined
      ? []
      : atomicPaths(item, inner, `${path}.${key}`);
  });
  return atomic ? [path, ...below] : below;
}
