import { applyServerSide, trackUpdate, type VersionConverter } from '@capstan/kube-merge';
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { type KindSchema, normalizeBuiltIn } from '@capstan/kube-schema';
import type { Answer, Question, SessionStep, StepAnswer } from './oracle.ts';
import { Random } from './random.ts';
import { mutate, randomObject } from './random-object.ts';
import { convertWidget, type Subject } from './subjects.ts';

const managers = ['alpha', 'beta', 'kubectl', 'gamma <&>'];

/** A random sequence of applies and updates to one object, and what we answer to each. */
export interface Session {
  readonly question: Question & { readonly op: 'session' | 'bench' };
  readonly ours: readonly StepAnswer[];
}

export function randomSession(seed: number, subjects: readonly Subject[]): Session {
  const random = new Random(seed);
  const subject = random.pick(subjects);
  const { kind } = subject.schema;
  const steps: SessionStep[] = [];
  const ours: StepAnswer[] = [];
  let live: KubeObject | undefined;
  const count = 3 + random.below(8);
  for (let i = 0; i < count; i++) {
    const step = randomStep(random, subject, live, i);
    const answer = performStep(subject, live, step);
    steps.push(step);
    ours.push(answer);
    if (answer.object !== undefined) live = answer.object as KubeObject;
  }
  const models = subject.models === undefined ? {} : { models: subject.models };
  return { question: { op: 'session', ...kind, ...models, steps }, ours };
}

function randomStep(
  random: Random,
  subject: Subject,
  live: KubeObject | undefined,
  i: number,
): SessionStep {
  const schema = subject.other !== undefined && random.chance(0.4) ? subject.other : subject.schema;
  const op = random.chance(0.65) ? 'apply' : 'update';
  const hasStatus = subject.schema.schema.properties?.has('status') === true;
  const subresource = hasStatus && random.chance(0.1) ? { subresource: 'status' } : {};
  const time = new Date(Date.UTC(2024, 0, 1, 0, 0, i)).toISOString().replace('.000Z', 'Z');
  const manager = random.pick(managers);
  const object =
    op === 'apply' ? applied(random, subject, schema) : updated(random, subject, schema, live);
  return { op, manager, force: random.chance(0.3), ...subresource, object, time };
}

function identity(schema: KindSchema): { apiVersion: string; kind: string } {
  const { group, version, kind } = schema.kind;
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind };
}

function applied(random: Random, subject: Subject, schema: KindSchema): JsonObject {
  const object = randomObject(random, schema.schema, subject.focus);
  const metadata = {
    ...(object['metadata'] as JsonObject | undefined),
    name: 'n',
    namespace: 'ns',
  };
  const broken = random.chance(0.03) ? breakSomething(random, object) : object;
  return { ...broken, ...identity(schema), metadata };
}

/** A value of a wrong type somewhere at the top of the spec. */
function breakSomething(random: Random, object: JsonObject): JsonObject {
  const spec = object['spec'];
  if (typeof spec !== 'object' || spec === null) return object;
  const keys = Object.keys(spec);
  if (keys.length === 0) return object;
  const wrong = random.pick<Json>(['text', 7, true, ['x'], { k: 'v' }, null]);
  return { ...object, spec: { ...(spec as JsonObject), [random.pick(keys)]: wrong } };
}

function updated(
  random: Random,
  subject: Subject,
  schema: KindSchema,
  live: KubeObject | undefined,
): JsonObject {
  if (live === undefined) {
    const fresh = randomObject(random, schema.schema, subject.focus);
    const metadata = {
      ...(fresh['metadata'] as JsonObject | undefined),
      name: 'n',
      namespace: 'ns',
      uid: 'u',
    };
    return normal(schema, { ...fresh, ...identity(schema), metadata });
  }
  const current = inVersion(live, schema);
  const { managedFields, ...metadata } = current.metadata;
  const changed = mutate(random, schema.schema, { ...current, metadata }, subject.focus);
  const resets = random.chance(0.03) ? { managedFields: [] } : {};
  const edits = random.chance(0.05) && managedFields !== undefined ? { managedFields } : {};
  return normal(schema, {
    ...changed,
    ...identity(schema),
    metadata: {
      ...(changed['metadata'] as JsonObject),
      name: 'n',
      namespace: 'ns',
      uid: 'u',
      ...resets,
      ...edits,
    },
  });
}

function inVersion(live: KubeObject, schema: KindSchema): KubeObject {
  const { apiVersion } = identity(schema);
  return live.apiVersion === apiVersion ? live : (convertWidget(live, apiVersion) ?? live);
}

function normal(schema: KindSchema, object: JsonObject): JsonObject {
  return schema.builtIn
    ? { ...normalizeBuiltIn(schema.schema, object), ...identity(schema) }
    : object;
}

function performStep(
  subject: Subject,
  live: KubeObject | undefined,
  step: SessionStep,
): StepAnswer {
  const object = step.object as KubeObject;
  const schemas = [subject.schema, ...(subject.other === undefined ? [] : [subject.other])];
  const schema =
    schemas.find((s) => identity(s).apiVersion === object.apiVersion) ?? subject.schema;
  const convert: VersionConverter = (value, apiVersion) => {
    const target = schemas.find((s) => identity(s).apiVersion === apiVersion);
    const converted = target && convertWidget(value, apiVersion);
    return target && converted && { object: converted, schema: target };
  };
  const current = live === undefined ? undefined : inVersion(live, schema);
  const tracking = {
    manager: step.manager,
    subresource: step.subresource ?? '',
    schema,
    now: Date.parse(step.time),
    convert,
  };
  if (step.op === 'apply') {
    const result = applyServerSide({
      ...tracking,
      live: current,
      applied: object,
      force: step.force ?? false,
    });
    return result.kind === 'applied' ? { object: result.object } : { error: result.message };
  }
  const managedFields = trackUpdate({ ...tracking, before: current, after: object });
  const { managedFields: _, ...metadata } = object.metadata;
  return {
    object: { ...object, metadata: managedFields ? { ...metadata, managedFields } : metadata },
  };
}

/** The first step on which we and the oracle differ; undefined if there is none. */
export function firstDifference(session: Session, answer: Answer): string | undefined {
  if (answer.steps === undefined) return `the oracle says ${answer.error}`;
  for (const [index, theirs] of answer.steps.entries()) {
    const ours = session.ours[index]!;
    const difference = compareStep(ours, theirs);
    if (difference !== undefined) return `step ${index}: ${difference}`;
  }
  return undefined;
}

function compareStep(ours: StepAnswer, theirs: StepAnswer): string | undefined {
  if (ours.error !== undefined || theirs.error !== undefined)
    return compareErrors(ours.error, theirs.error);
  // The order within fieldsV1 is part of the encoding; the order of an entry's own keys depends on how it is printed.
  const fields = (object: JsonObject | undefined): string => {
    const { managedFields = [] } = (object as KubeObject | undefined)?.metadata ?? {};
    return managedFields
      .map(({ fieldsV1, ...entry }) => `${canonical(entry)} ${JSON.stringify(fieldsV1)}`)
      .join('\n         ');
  };
  if (fields(ours.object) !== fields(theirs.object))
    return `managedFields\n  ours   ${fields(ours.object)}\n  theirs ${fields(theirs.object)}`;
  const [a, b] = [canonical(ours.object ?? null), canonical(asOurs(ours.object, theirs.object))];
  return a === b ? undefined : `object\n  ours   ${a}\n  theirs ${b}`;
}

/** The oracle gives custom resources in their storage version, we in the version of the request. */
function asOurs(ours: JsonObject | undefined, theirs: JsonObject | undefined): Json {
  const object = theirs as KubeObject | undefined;
  const apiVersion = ours?.['apiVersion'];
  if (object === undefined || typeof apiVersion !== 'string') return object ?? null;
  return object.apiVersion === apiVersion ? object : (convertWidget(object, apiVersion) ?? object);
}

function compareErrors(ours: string | undefined, theirs: string | undefined): string | undefined {
  if (ours === theirs) return undefined;
  // Go walks maps in random order and stops at the first unknown field: of several problems the text may show others.
  const isList = (text: string | undefined): boolean => text?.includes('errors:\n') === true;
  if (ours !== undefined && theirs !== undefined && (isList(ours) || isList(theirs)))
    return undefined;
  return `error\n  ours   ${ours}\n  theirs ${theirs}`;
}

export function canonical(value: Json): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(
      Object.entries(item)
        .filter(([, v]) => v !== undefined)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  });
}
