import { markObject } from '@capstan/engine-apply';
import type { DesiredObject } from '@capstan/engine-diff';
import { isHook, type SyncVocabulary } from '@capstan/engine-sync';
import { type KubeObject, keyOf, keyString, parseApiVersion } from '@capstan/kube-object';
import { findRefusal } from './guard.ts';
import type { Delivery, Problem } from './types.ts';

/** What the cluster says of a kind; `unknown` kinds count as namespaced. */
export type Scope = 'namespaced' | 'cluster' | 'unknown';

export interface PreparedObject extends DesiredObject {
  readonly scope: Scope;
  /** Why it is not applied: the guard forbids it, or nobody could. */
  readonly refusal?: string;
}

export interface PreparedState {
  /** What is compared. */
  readonly objects: readonly PreparedObject[];
  /** What runs as a hook, or is skipped by its own word. */
  readonly hooks: readonly PreparedObject[];
  readonly problems: readonly Problem[];
}

/**
 * Lays the delivery's will on what was rendered: namespaces, marks, the guard's verdict; the last of several objects of
 * one name wins, with a warning. Pure.
 */
export function prepareDesired(
  rendered: readonly DesiredObject[],
  delivery: Delivery,
  scopeOf: (object: KubeObject) => Scope,
): PreparedState {
  const byKey = new Map<string, { readonly object: PreparedObject; readonly times: number }>();
  const isExcluded = ({ object }: DesiredObject) =>
    delivery.isExcluded?.({ group: keyOf(object).group, kind: object.kind }) === true;
  const wanted = rendered.filter((desired) => !isExcluded(desired));
  wanted.forEach((desired, index) => {
    const object = prepare(desired, delivery, scopeOf(desired.object));
    const key = `${keyString(keyOf(object.object))}${hasName(object.object) ? '' : `#${index}`}`;
    byKey.set(key, { object, times: (byKey.get(key)?.times ?? 0) + 1 });
  });
  const all = [...byKey.values()];
  const repeated = all.filter(({ times }) => times > 1);
  const { vocabulary } = delivery.sync;
  return {
    objects: all.map(({ object }) => object).filter((one) => !isApart(one, vocabulary)),
    hooks: all.map(({ object }) => object).filter((one) => isApart(one, vocabulary)),
    problems: [
      ...repeated.map(({ object, times }) => repeatedProblem(object, times)),
      ...rendered.filter(isExcluded).map(excludedProblem),
      ...wanted.flatMap((desired) => remarkOn(desired, delivery)),
    ],
  };
}

/** Scopes of kinds that the rendered definitions bring along, by `group/kind`. */
export function declaredScopes(rendered: readonly DesiredObject[]): ReadonlyMap<string, Scope> {
  const scopes = new Map<string, Scope>();
  for (const { object } of rendered) {
    if (object.kind !== 'CustomResourceDefinition') continue;
    const spec = asRecord(object['spec']);
    const { kind } = asRecord(spec['names']);
    const scope = spec['scope'] === 'Cluster' ? 'cluster' : 'namespaced';
    scopes.set(`${String(spec['group'])}/${String(kind)}`, scope);
  }
  return scopes;
}

function prepare(desired: DesiredObject, delivery: Delivery, scope: Scope): PreparedObject {
  const placed = placeObject(desired.object, delivery.destination.namespace, scope);
  const object = markObject(placed, delivery.tracking);
  const refusal =
    findRefusal(delivery.guard, keyOf(object), { namespaced: scope !== 'cluster' }) ??
    (isNameable(object) ? undefined : 'resource name may not be empty');
  return { ...desired, object, scope, ...(refusal === undefined ? {} : { refusal }) };
}

function isNameable(object: KubeObject): boolean {
  return hasName(object) || Boolean(object.metadata.generateName);
}

function placeObject(object: KubeObject, namespace: string, scope: Scope): KubeObject {
  const { namespace: told = '', ...metadata } = object.metadata;
  if (scope === 'cluster') return { ...object, metadata };
  const place = told === '' ? namespace : told;
  return place === ''
    ? { ...object, metadata }
    : { ...object, metadata: { ...metadata, namespace: place } };
}

function isApart({ object }: PreparedObject, vocabulary: SyncVocabulary): boolean {
  return isHook(object, vocabulary);
}

function hasName(object: KubeObject): boolean {
  return object.metadata.name !== undefined && object.metadata.name !== '';
}

function repeatedProblem({ object, origin }: PreparedObject, times: number): Problem {
  const { group, kind, namespace, name } = keyOf(object);
  return {
    stage: 'render',
    severity: 'warning',
    code: 'REPEATED_RESOURCE',
    message: `Resource ${group}/${kind}/${namespace}/${name} appeared ${times} times among application resources.`,
    hint: 'keep one of them; the last one is used',
    kind: 'stalled',
    ...(origin === undefined ? {} : { location: origin }),
  };
}

function excludedProblem({ object, origin }: DesiredObject): Problem {
  const { group, kind, name } = keyOf(object);
  return {
    stage: 'render',
    severity: 'warning',
    code: 'EXCLUDED_RESOURCE',
    message: `Resource ${group}/${kind} ${name} is excluded in the settings`,
    hint: 'remove it from the source, or let the administrator include its kind',
    kind: 'stalled',
    ...(origin === undefined ? {} : { location: origin }),
  };
}

function remarkOn({ object, origin }: DesiredObject, { remark }: Delivery): readonly Problem[] {
  const message = remark?.(object);
  if (message === undefined) return [];
  return [
    {
      stage: 'render',
      severity: 'warning',
      code: 'EXCLUDED_RESOURCE',
      message,
      kind: 'stalled',
      ...(origin === undefined ? {} : { location: origin }),
    },
  ];
}

/** `group/kind` of an object. */
export function kindName(object: Pick<KubeObject, 'apiVersion' | 'kind'>): string {
  return `${parseApiVersion(object.apiVersion).group}/${object.kind}`;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
