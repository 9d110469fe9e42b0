import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import type { CelType } from '@capstan/lib-expressions';
import { authorize } from '../auth/rbac.ts';
import { Authorizer } from '../cel/authorization.ts';
import type { Core } from '../core.ts';
import { listAt, objectAt, textAt } from '../json.ts';
import type { ServedResource } from '../served-resource.ts';
import { toVersion } from '../version-conversion.ts';
import { Activation, CONDITIONS_COST_MAX, type Given, OutOfBudget } from './activation.ts';
import { type AdmissionAttributes, kindOf, requestNamespace } from './attributes.ts';
import {
  compileExpression,
  type ExpressionScope,
  type PolicyExpression,
} from './policy-expression.ts';

/** What all expressions of a policy share: the types of its variables, in the order in which they build on each other. */
export interface PolicyScope {
  readonly scope: ExpressionScope;
  readonly variables: ReadonlyMap<string, PolicyExpression>;
}

export function compileVariables(policy: KubeObject): PolicyScope {
  const kind = objectAt(policy, 'spec')['paramKind'];
  const types = new Map<string, CelType>();
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
 * policy's matter (k8s.io/apiserver matchconditions). They see no namespace, and the resource as it was asked for.
 */
export function conditionsHold(
  conditions: readonly Condition[],
  { given, asked }: PreparedRequest,
  variables: ReadonlyMap<string, PolicyExpression>,
): boolean | { readonly error: string } {
  if (conditions.length === 0) return true;
  const resource = resourceOf(asked);
  const seen = { ...given, namespaceObject: null, request: { ...given.request, resource } };
  const activation = new Activation(seen, variables, CONDITIONS_COST_MAX);
  try {
    const found = conditions.map(({ expression }) => activation.evaluate(expression));
    const errors: string[] = [];
    for (const one of found) {
      if (one.kind === 'error') errors.push(one.message);
      else if (one.value === false) return false;
    }
    const distinct = [...new Set(errors)];
    if (distinct.length === 0) return true;
    return { error: distinct.length === 1 ? (distinct[0] ?? '') : `[${distinct.join(', ')}]` };
  } catch (error) {
    if (error instanceof OutOfBudget) return { error: error.message };
    throw error;
  }
}

/** A request in the form in which expressions see it. */
export interface PreparedRequest {
  readonly given: Given;
  /** What was asked for, of which the policy may have matched another version. */
  readonly asked: ServedResource;
  readonly namespace: KubeObject | undefined;
}

/** The request as expressions see it, for a policy that matched it as `matched`. */
export function prepareRequest(
  core: Core,
  attributes: AdmissionAttributes,
  {
    matched,
    params,
  }: { readonly matched: ServedResource; readonly params: KubeObject | undefined },
): PreparedRequest {
  const { object, oldObject, user, resource, subresource, name } = attributes;
  const authorizer = new Authorizer(user, (who, what) => authorize(core, who, what));
  const namespace = requestNamespace(core, attributes);
  const given = {
    object: versioned(object, matched, attributes),
    oldObject: versioned(oldObject, matched, attributes),
    request: requestFor(attributes, matched),
    params: (params ?? null) as Json,
    namespaceObject: namespaceView(namespace),
    authorizer,
    requestResource: authorizer.resource({
      group: resource.group,
      resource: resource.name,
      subresource,
      namespace: attributes.namespace,
      name,
    }),
  };
  return { given, asked: resource, namespace };
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
  return wholeNamespace({ ...namespace, metadata });
}

/** All of a namespace: what audit annotations and mutations see. */
export function wholeNamespace(namespace: KubeObject | undefined): Json {
  if (namespace === undefined) return null;
  return {
    metadata: namespace.metadata as JsonObject,
    spec: objectAt(namespace, 'spec'),
    status: objectAt(namespace, 'status'),
  };
}
