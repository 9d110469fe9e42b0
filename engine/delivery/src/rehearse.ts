import { type StepResult, type SyncPlan, type SyncStep, stepsOf } from '@capstan/engine-sync';
import { groupVersionKindOf } from '@capstan/kube-object';
import { decodeBuiltIn, type KindSchema } from '@capstan/kube-schema';
import { applyAll } from './apply-all.ts';
import type { Cluster } from './cluster.ts';
import type { DeliveryPorts, SignalOptions } from './ports.ts';
import { declaredScopes, kindName, type PreparedState } from './prepare-desired.ts';
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
  const steps = await stepsToSend(plan, { prepared, ports }, { signal });
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

async function stepsToSend(
  plan: SyncPlan,
  { prepared, ports }: Pick<RehearsalInput, 'prepared' | 'ports'>,
  options: SignalOptions,
): Promise<readonly SyncStep[]> {
  const all = stepsOf(plan);
  const unserved = await findUnserved(prepared, ports, options);
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

/** Kinds, by `group/kind`, that the cluster does not know, or not in the version that is wanted, though a definition brings them. */
async function findUnserved(
  { objects, hooks }: RehearsalInput['prepared'],
  { cluster }: RehearsalInput['ports'],
  { signal }: SignalOptions,
): Promise<ReadonlySet<string>> {
  const unserved = new Set<string>();
  const declared = declaredScopes(objects);
  for (const { object, scope } of [...objects, ...hooks]) {
    const name = kindName(object);
    if (scope === 'unknown') unserved.add(name);
    if (unserved.has(name) || !declared.has(name)) continue;
    const { apiVersion, kind } = object;
    const found = await cluster.client.discovery.find({ apiVersion, kind }, { signal });
    if (found === undefined) unserved.add(name);
  }
  return unserved;
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
