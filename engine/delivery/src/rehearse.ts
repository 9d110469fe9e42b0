import { type StepResult, type SyncPlan, type SyncStep, stepsOf } from '@capstan/engine-sync';
import { groupVersionKindOf, keyOf } from '@capstan/kube-object';
import { decodeBuiltIn, type KindSchema } from '@capstan/kube-schema';
import { applyAll } from './apply-all.ts';
import type { Cluster } from './cluster.ts';
import type { DeliveryPorts, SignalOptions } from './ports.ts';
import type { PreparedState } from './prepare-desired.ts';
import type { Delivery } from './types.ts';

export interface RehearsalInput {
  readonly delivery: Delivery;
  readonly prepared: PreparedState;
  readonly ports: DeliveryPorts;
}

export interface RefusedStep {
  readonly step: SyncStep;
  readonly result: StepResult;
}

/**
 * A dry run of what will be sent, when there is more than one such thing: an object that the server refuses stops the sync
 * before anything has changed. Objects that cannot exist yet are left out. `inDoubt`, a new object of a built-in kind that
 * its published schema finds sound is not asked about, as long as nothing waits for anything: Argo CD's own rehearsal
 * sends nothing at all, while kustomize-controller asks about each object of a stage, stage by stage.
 */
export async function rehearse(
  plan: SyncPlan,
  { delivery, prepared, ports }: RehearsalInput,
  { signal }: SignalOptions,
): Promise<readonly RefusedStep[]> {
  const steps = stepsToSend(plan, { prepared, ports });
  if (steps.length < 2) return [];
  const asked =
    delivery.sync.rehearsal === 'always' || hasStages(plan)
      ? steps
      : steps.filter((step) => isDoubtful(step, ports.cluster));
  const dry = asked.map((step) => ({
    ...step,
    verb: 'apply' as const,
    options: { ...step.options, dryRun: true, takeOverFrom: [] },
  }));
  const results = await applyAll(dry, delivery, { ports, signal });
  return asked.flatMap((step, i) => {
    const result = results[i];
    return result?.outcome === 'failed' && !mayRecreate(step) ? [{ step, result }] : [];
  });
}

function stepsToSend(
  plan: SyncPlan,
  { prepared, ports }: Pick<RehearsalInput, 'prepared' | 'ports'>,
): readonly SyncStep[] {
  const all = stepsOf(plan);
  const unserved = new Set(
    [...prepared.objects, ...prepared.hooks]
      .filter(({ scope }) => scope === 'unknown')
      .map(({ object }) => `${keyOf(object).group}/${object.kind}`),
  );
  const made = new Set(
    all.flatMap(({ verb, key }) =>
      verb === 'apply' && key.kind === 'Namespace' ? [key.name] : [],
    ),
  );
  return all.filter(
    ({ verb, inSync, key }) =>
      verb !== 'prune' &&
      !inSync &&
      !unserved.has(`${key.group}/${key.kind}`) &&
      (!made.has(key.namespace) || isNamespaceLive(key.namespace, ports.cluster)),
  );
}

/** Something runs before something else, so that a refusal would come in the middle. */
function hasStages({ phases }: SyncPlan): boolean {
  return phases.length > 1 || phases.some(({ waves }) => waves.length > 1);
}

function isDoubtful({ verb, live, object, key, options }: SyncStep, cluster: Cluster): boolean {
  if (verb !== 'apply' || live !== undefined || object === undefined) return true;
  if (key.namespace !== '' && !isNamespaceLive(key.namespace, cluster)) return true;
  const schema = cluster.schemaOf(groupVersionKindOf(object));
  if (schema?.builtIn !== true) return true;
  const { typeError, unknownFields } = decodeBuiltIn(schema.schema, object);
  return (
    typeError !== undefined ||
    (options.validate && unknownFields.length > 0) ||
    lacksRequired(object, schema.schema)
  );
}

function lacksRequired(value: unknown, schema: KindSchema['schema']): boolean {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items !== undefined && value.some((item) => lacksRequired(item, items));
  }
  if (typeof value !== 'object' || value === null) return false;
  const members = value as Readonly<Record<string, unknown>>;
  if (schema.required?.some((name) => (members[name] ?? undefined) === undefined)) return true;
  return Object.entries(members).some(([name, member]) => {
    const inner = schema.properties?.get(name) ?? schema.additionalProperties;
    return typeof inner === 'object' && lacksRequired(member, inner);
  });
}

function isNamespaceLive(name: string, { live }: Cluster): boolean {
  return live.get({ group: '', kind: 'Namespace', namespace: '', name }) !== undefined;
}

/** What the server refuses to change is deleted and made anew where that is asked for. */
function mayRecreate({ options, live }: SyncStep): boolean {
  return options.recreate && live !== undefined;
}
