/**
 * What is to be done to the Applications of a set, decided from what it generates and what exists (documentation:
 * "Controlling if/when the ApplicationSet controller modifies generated Application resources"). Pure.
 */
import {
  API_VERSION,
  type ApplicationSet,
  DELETE_HOOK_FINALIZER,
  FINALIZER,
} from '@capstan/argocd-api';
import type { PathEvaluator } from '@capstan/engine-diff';
import { createJsonMergePatch } from '@capstan/kube-merge';
import {
  controllerOf,
  isSameOwner,
  type Json,
  type JsonObject,
  type KubeObject,
  ownerReferenceTo,
} from '@capstan/kube-object';
import { type DeletionBudget, exceedsBudget, readBudget } from './deletion-budget.ts';
import { evaluatorFor, withoutIgnored } from './ignore-differences.ts';
import { isRecord, withoutEmpty } from './json.ts';
import { normalizeSpec } from './normalize-spec.ts';
import type { RegisteredCluster } from './observation.ts';
import type { GeneratedApplication } from './render-application.ts';
import { destinationProblem } from './validate-applications.ts';

export interface PlannedUpdate {
  readonly name: string;
  /** A merge patch. */
  readonly patch: JsonObject;
}

export interface PlannedDeletion {
  readonly name: string;
  readonly uid: string;
  /** The destination is gone: without Argo CD's finalizer, which could never be served, the application can go. */
  readonly dropsFinalizer: boolean;
  readonly finalizers: readonly string[];
}

export interface ApplicationPlan {
  readonly create: readonly KubeObject[];
  readonly update: readonly PlannedUpdate[];
  readonly remove: readonly PlannedDeletion[];
  /** Names that belong to somebody else, with the reason. */
  readonly refused: readonly { readonly name: string; readonly message: string }[];
  /** Set when the deletions go over the budget: then nothing is to be done. */
  readonly overBudget: { readonly budget: DeletionBudget; readonly message: string } | undefined;
}

export interface PlanInput {
  readonly applicationSet: ApplicationSet;
  /** Generated and valid. */
  readonly wanted: readonly GeneratedApplication[];
  /** Names that are generated, valid or not: these are not deleted. */
  readonly names: ReadonlySet<string>;
  /** All Applications of the set's namespace. */
  readonly existing: readonly KubeObject[];
  readonly clusters: readonly RegisteredCluster[];
}

export function planApplications(input: PlanInput): ApplicationPlan {
  const { applicationSet, wanted, existing } = input;
  const allows = policyOf(applicationSet);
  const byName = new Map(existing.map((object) => [object.metadata.name ?? '', object]));
  const owner = ownerReferenceTo(applicationSet, { controller: true });
  const create: KubeObject[] = [];
  const update: PlannedUpdate[] = [];
  const refused: { name: string; message: string }[] = [];
  const evaluator = evaluatorFor(applicationSet.spec);
  const sorted = [...wanted].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  for (const application of sorted) {
    const name = nameOf(application);
    const live = byName.get(name);
    if (live === undefined) {
      create.push(desiredFor(application, undefined, applicationSet));
      continue;
    }
    const controller = controllerOf(live);
    if (controller !== undefined && !isSameOwner(controller, owner)) {
      const message = `Object ${live.metadata.namespace}/${name} is already owned by another ${controller.kind} controller ${controller.name}`;
      refused.push({ name, message });
    } else if (allows.update || controller === undefined) {
      const patch = updateOf(application, live, { applicationSet, evaluator });
      if (Object.keys(patch).length > 0) update.push({ name, patch });
    }
  }
  const remove = allows.remove ? deletions(input) : [];
  const overBudget = checkBudget(input, remove);
  return { create, update, remove, refused, overBudget };
}

function nameOf({ metadata }: KubeObject): string {
  return metadata.name ?? '';
}

/** What spec.syncPolicy.applicationsSync allows; everything by default. */
export function policyOf({ spec }: ApplicationSet): {
  readonly update: boolean;
  readonly remove: boolean;
} {
  const policy = spec.syncPolicy?.applicationsSync ?? 'sync';
  return {
    update: policy === 'sync' || policy === 'create-update',
    remove: policy === 'sync' || policy === 'create-delete',
  };
}

/** Applications whose controller is this set, by name as the original finds them. */
export function ownedApplications(
  { metadata }: ApplicationSet,
  existing: readonly KubeObject[],
): readonly KubeObject[] {
  return existing.filter((object) => {
    const controller = controllerOf(object);
    return (
      controller?.kind === 'ApplicationSet' &&
      controller.apiVersion === API_VERSION &&
      controller.name === metadata.name
    );
  });
}

function deletions({ applicationSet, names, existing, clusters }: PlanInput): PlannedDeletion[] {
  return ownedApplications(applicationSet, existing)
    .filter(
      (object) => !names.has(nameOf(object)) && object.metadata.deletionTimestamp === undefined,
    )
    .map((object) => {
      const { uid = '', finalizers = [] } = object.metadata;
      const spec = isRecord(object['spec']) ? object['spec'] : {};
      const isUnreachable = destinationProblem(spec['destination'], clusters) !== undefined;
      const dropsFinalizer = isUnreachable && finalizers.includes(FINALIZER);
      return { name: nameOf(object), uid, dropsFinalizer, finalizers };
    });
}

function checkBudget(
  { applicationSet, existing }: PlanInput,
  remove: readonly PlannedDeletion[],
): ApplicationPlan['overBudget'] {
  const budget = readBudget(applicationSet);
  if (budget === undefined) return undefined;
  const owned = ownedApplications(applicationSet, existing).length;
  const message = exceedsBudget(
    budget,
    remove.map(({ name }) => name),
    owned,
  );
  return message === undefined ? undefined : { budget, message };
}

const PRESERVED_ANNOTATIONS = [
  'notified.notifications.argoproj.io',
  'argocd.argoproj.io/refresh',
  'argocd.argoproj.io/hydrate',
];
const PRESERVED_FINALIZERS = Object.values(DELETE_HOOK_FINALIZER);

/** The application as it should be, with what others put on the live one and the set preserves. */
function desiredFor(
  application: GeneratedApplication,
  live: KubeObject | undefined,
  applicationSet: ApplicationSet,
): KubeObject {
  const { metadata, apiVersion, kind } = application;
  const { preservedFields = {} } = applicationSet.spec;
  const annotations = {
    ...metadata.annotations,
    ...pick(live?.metadata.annotations, [
      ...(preservedFields.annotations ?? []),
      ...PRESERVED_ANNOTATIONS,
    ]),
  };
  const labels = {
    ...metadata.labels,
    ...pick(live?.metadata.labels, preservedFields.labels ?? []),
  };
  const kept = (live?.metadata.finalizers ?? []).filter((finalizer) =>
    PRESERVED_FINALIZERS.some((prefix) => finalizer.startsWith(prefix)),
  );
  const finalizers = [...new Set([...(metadata.finalizers ?? []), ...kept])];
  const owner = ownerReferenceTo(applicationSet, { controller: true });
  const others = (live?.metadata.ownerReferences ?? []).filter(
    (reference) => !isSameOwner(reference, owner),
  );
  const { operation } = application;
  return {
    apiVersion,
    kind,
    metadata: {
      name: nameOf(application),
      namespace: applicationSet.metadata.namespace ?? '',
      ...withoutEmpty({ annotations, labels, finalizers }),
      ownerReferences: [...others, owner],
    },
    spec: normalizeSpec(isRecord(application['spec']) ? application['spec'] : {}),
    ...(isRecord(operation) ? { operation } : {}),
  };
}

function pick(
  from: { readonly [key: string]: string } | undefined,
  keys: readonly string[],
): { readonly [key: string]: string } {
  const held = from ?? {};
  return Object.fromEntries(
    keys.flatMap((key) => (held[key] === undefined ? [] : [[key, held[key]]])),
  );
}

/** The merge patch from the live application to the wanted one; empty when they say the same. */
function updateOf(
  application: GeneratedApplication,
  live: KubeObject,
  {
    applicationSet,
    evaluator,
  }: { readonly applicationSet: ApplicationSet; readonly evaluator: PathEvaluator | undefined },
): JsonObject {
  const desired = desiredFor(application, live, applicationSet);
  const spec = normalizeSpec(isRecord(live['spec']) ? live['spec'] : {});
  const compared = withoutIgnored(desired, { ...live, spec }, applicationSet, evaluator);
  const before = managedParts(compared.live);
  const after = managedParts(compared.wanted);
  const patch: Json = createJsonMergePatch(before, after);
  const changes = isRecord(patch) ? withoutEmpty(patch) : {};
  const { operation } = desired;
  return isRecord(operation) && Object.keys(changes).length > 0
    ? { ...changes, operation }
    : changes;
}

/** What a set decides of an Application, zero values left out: an ignored field may leave an empty parent behind. */
function managedParts({ metadata, spec }: KubeObject): JsonObject {
  const { annotations, labels, finalizers, ownerReferences } = metadata;
  return {
    metadata: withoutEmpty({ annotations, labels, finalizers, ownerReferences }),
    spec: normalizeSpec(isRecord(spec) ? spec : {}),
  };
}
