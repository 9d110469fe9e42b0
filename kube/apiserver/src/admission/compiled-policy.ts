import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import type { Core } from '../core.ts';
import { listAt, objectAt, textAt } from '../json.ts';
import type { ServedResource } from '../served-resource.ts';
import { toVersion } from '../version-conversion.ts';
import { type AdmissionAttributes, kindOf, requestNamespace } from './attributes.ts';
import { Authorizer } from './authorizer.ts';
import {
  compileExpression,
  type ExpressionScope,
  type PolicyExpression,
  type Prepared,
  prepare,
} from './policy-expression.ts';

/** What all expressions of a policy share: the types of its variables, in the order in which they build on each other. */
export interface PolicyScope {
  readonly scope: ExpressionScope;
  readonly variables: ReadonlyMap<string, PolicyExpression>;
}

export function compileVariables(policy: KubeObject): PolicyScope {
  const kind = objectAt(policy, 'spec')['paramKind'];
  const types = new Map<string, string>();
  const variables = new Map<string, PolicyExpression>();
  const scope = {
    hasParams: kind !== undefined && kind !== null,
    hasAuthorizer: true,
    hasPatchTypes: false,
  };
  for (const variable of listAt(policy, 'spec', 'variables')) {
    const name = textAt(variable, 'name');
    const known = new Map(types);
    const compiled = compileExpression(
      textAt(variable, 'expression'),
      { ...scope, variables: known },
      [],
    );
    variables.set(name, compiled);
    types.set(name, compiled.type);
  }
  return { scope: { ...scope, variables: types }, variables };
}

export interface Condition {
  readonly name: string;
  readonly expression: PolicyExpression;
}

export function compileConditions(
  conditions: readonly Json[],
  scope: ExpressionScope,
): readonly Condition[] {
  return conditions.map((item) => ({
    name: textAt(item, 'name'),
    expression: compileExpression(textAt(item, 'expression'), scope, ['bool']),
  }));
}

/**
 * Whether all match conditions hold. One that is false decides alone; otherwise what goes wrong in one is the failure
 * policy's matter (k8s.io/apiserver matchconditions).
 */
export function conditionsHold(
  conditions: readonly Condition[],
  prepared: Prepared,
): boolean | { readonly error: string } {
  const errors: string[] = [];
  for (const { expression } of conditions) {
    const found = expression.evaluate(prepared);
    if (found.kind === 'error') errors.push(found.message);
    else if (found.value === false) return false;
  }
  const distinct = [...new Set(errors)];
  if (distinct.length === 0) return true;
  return { error: distinct.length === 1 ? (distinct[0] ?? '') : `[${distinct.join(', ')}]` };
}

/** The request as expressions see it, for a policy that matched it as `matched`. */
export function prepareRequest(
  core: Core,
  attributes: AdmissionAttributes,
  options: {
    readonly matched: ServedResource;
    readonly params: KubeObject | undefined;
    readonly variables: ReadonlyMap<string, PolicyExpression>;
  },
): Prepared {
  const { matched, params, variables } = options;
  const { object, oldObject, user } = attributes;
  return prepare({
    object: versioned(object, matched, attributes),
    oldObject: versioned(oldObject, matched, attributes),
    request: requestFor(attributes, matched),
    params: (params ?? null) as Json,
    namespaceObject: namespaceView(requestNamespace(core, attributes)),
    authorizer: new Authorizer(core, user, attributes),
    variables,
  });
}

function versioned(
  object: KubeObject | undefined,
  matched: ServedResource,
  { resource, kind }: AdmissionAttributes,
): Json {
  if (object === undefined) return null;
  if (matched === resource || kind.kind !== resource.kind) return object as Json;
  return toVersion(object, matched) as Json;
}

/** `request`: an AdmissionRequest without its objects. */
export function requestFor(attributes: AdmissionAttributes, matched: ServedResource): JsonObject {
  const { resource, subresource, kind, namespace, name, operation, user, options } = attributes;
  const { username, groups, extra, uid } = user;
  const isOwn = kind.kind === resource.kind;
  return {
    kind: { ...(isOwn ? kindOf(matched) : kind) },
    resource: resourceOf(matched),
    ...(subresource === '' ? {} : { subResource: subresource }),
    requestKind: { ...kind },
    requestResource: resourceOf(resource),
    ...(subresource === '' ? {} : { requestSubResource: subresource }),
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation,
    userInfo: {
      username,
      ...(uid === undefined ? {} : { uid }),
      ...(groups.length === 0 ? {} : { groups }),
      ...(Object.keys(extra).length === 0 ? {} : { extra: extra as JsonObject }),
    },
    dryRun: attributes.dryRun,
    options,
  };
}

function resourceOf({ group, version, name }: ServedResource): JsonObject {
  return { group, version, resource: name };
}

/** What of a namespace policies see: not who owns it, nor who manages which field. */
function namespaceView(namespace: KubeObject | undefined): Json {
  if (namespace === undefined) return null;
  const { managedFields: _m, ownerReferences: _o, selfLink: _s, ...metadata } = namespace.metadata;
  return {
    metadata: metadata as JsonObject,
    spec: objectAt(namespace, 'spec'),
    status: objectAt(namespace, 'status'),
  };
}
