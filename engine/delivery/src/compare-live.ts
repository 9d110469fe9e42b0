import { askServer, takeOverPatch } from '@capstan/engine-apply';
import {
  type CompareOptions,
  createPathEvaluator,
  type DiffEntry,
  diffState,
  type KnownTypeField,
  type PathEvaluator,
} from '@capstan/engine-diff';
import {
  isHook,
  isLeftAlone,
  leavesOutUnknown,
  readHints,
  sendsRepeated,
} from '@capstan/engine-sync';
import type { KindRef } from '@capstan/kube-client';
import { type KubeObject, keyOf, keyString, type ObjectKey } from '@capstan/kube-object';
import { BoundedCache, CapstanError, hexOf } from '@capstan/lib-std';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { Cluster } from './cluster.ts';
import { findOwned } from './find-owned.ts';
import { awaitedBy } from './health-gate.ts';
import { problemOf, toProblem } from './load-desired.ts';
import { mapLimited } from './map-limited.ts';
import type { DeliveryPorts, SignalOptions } from './ports.ts';
import type { PreparedObject, PreparedState } from './prepare-desired.ts';
import type { Delivery, InventoryEntry, KnownType, Problem } from './types.ts';

export interface ComparedState {
  readonly entries: readonly DiffEntry[];
  /** Live objects of hooks that are this delivery's. */
  readonly hooks: readonly KubeObject[];
  readonly problems: readonly Problem[];
  readonly failed: boolean;
}

/** Dry runs' answers by what was asked, and objects read whole or in another version. */
export interface VerdictCache {
  readonly answers: BoundedCache<string, 'same' | 'different'>;
  /** Evaluates the jq expressions of ignore rules, each parsed once. */
  readonly paths: PathEvaluator;
  readonly whole: BoundedCache<string, KubeObject>;
}

export function createVerdictCache(sizeMax = 10_000): VerdictCache {
  return {
    answers: new BoundedCache(sizeMax),
    paths: createPathEvaluator(),
    whole: new BoundedCache(Math.ceil(sizeMax / 10)),
  };
}

const CONCURRENCY = 16;

/** Watches the kinds concerned and compares. Reading an object that the cache does not hold whole costs one request. */
export async function compareLive(
  delivery: Delivery,
  prepared: PreparedState | undefined,
  context: {
    readonly ports: DeliveryPorts;
    readonly inventory: readonly InventoryEntry[];
    readonly signal: AbortSignal;
    /** Told when the cache is about to be read. */
    readonly onRead?: () => void;
  },
): Promise<ComparedState> {
  const { cluster } = context.ports;
  const { problems, unlisted } = await watchKinds(delivery, prepared, context);
  context.onRead?.();
  const owned = findOwned(delivery, cluster, context.inventory);
  const isApart = (object: KubeObject) => isHook(object, delivery.sync.vocabulary);
  const hooks = owned.filter(isApart);
  const ordinary = owned.filter((object) => !isApart(object));
  if (prepared === undefined) {
    const entries = ordinary.map((live) => unknownEntry(live));
    return { entries, hooks, problems, failed: true };
  }
  const isKept = keeperOf(delivery, prepared);
  const known = new Map(owned.map((object) => [keyString(keyOf(object)), object]));
  const lives = await readLives(prepared.objects, { ...context, known, unlisted });
  const { diff, diagnostics } = diffState(
    prepared.objects,
    {
      get: (key) => lives.get(keyString(key)),
      owned: ordinary.filter((object) => !isKept(object)),
    },
    compareOptions(delivery, context.ports),
  );
  const warnings = diagnostics
    .map(toProblem)
    .map((problem): Problem => ({ ...problem, stage: 'compare' }));
  const all = [
    ...problems,
    ...warnings,
    ...findShared(prepared.objects, lives, { delivery, cluster }),
  ];
  const failed = all.some(({ severity }) => severity === 'error');
  const entries = diff.entries.map((entry) =>
    entry.verdict === 'same' && isHandedOver(entry, delivery)
      ? { ...entry, verdict: 'different' as const }
      : entry,
  );
  return { entries, hooks, problems: all, failed };
}

/** Whether fields of another manager are to become ours at once, and with them what that one set and we do not. */
function isHandedOver({ desired, live }: DiffEntry, { sync, fieldManager }: Delivery): boolean {
  if (sync.takesOverAtOnce !== true || desired === undefined || live === undefined) return false;
  const { vocabulary, takeOverFrom } = sync;
  if (isLeftAlone({ desired, live }, vocabulary)) return false;
  if (readHints(desired.object, vocabulary).switches.includes('mergeOnly')) return false;
  return takeOverPatch(live, { from: takeOverFrom, to: fieldManager }) !== undefined;
}

/** What stays though nothing ordinary is desired under its name: what is to be skipped may have been applied before. */
function keeperOf({ compare, sync }: Delivery, { hooks }: PreparedState) {
  const skipped = new Set(
    hooks
      .filter(({ object }) => readHints(object, sync.vocabulary).skip)
      .map(({ object }) => keyString(keyOf(object))),
  );
  return (object: KubeObject): boolean =>
    compare.keeps?.(object) === true || skipped.has(keyString(keyOf(object)));
}

export function compareOptions(
  delivery: Delivery,
  { cluster, verdicts }: Pick<DeliveryPorts, 'cluster' | 'verdicts'>,
): CompareOptions {
  const { comparesStatus, knownTypes = [], sensitiveAnnotations } = delivery.compare;
  return {
    ...(sensitiveAnnotations === undefined ? {} : { sensitiveAnnotations }),
    fieldManager: delivery.fieldManager,
    ignore: delivery.compare.ignore,
    ignoreAnnotation: delivery.compare.ignoreAnnotation,
    ignoreAggregatedRoles: delivery.compare.ignoreAggregatedRoles,
    ...(comparesStatus === undefined ? {} : { comparesStatus }),
    ...(knownTypes.length === 0 ? {} : { knownTypes: typesOf(knownTypes, cluster) }),
    schemaOf: (kind) => cluster.schemaOf(kind),
    evaluator: verdicts.paths,
  };
}

/** Types that the cluster does not know are left out: such a field is compared as it stands. */
function typesOf(known: readonly KnownType[], cluster: Cluster): readonly KnownTypeField[] {
  return known.flatMap(({ group, kind, field, definition }) => {
    const schema = cluster.definitionOf?.(definition);
    return schema === undefined ? [] : [{ group, kind, path: field.split('.'), schema }];
  });
}

/**
 * Lets the server judge what seems to differ: one dry run for each doubtful object, whose answer is kept as long as
 * neither side changes. Where it cannot answer, what was found stands, and what could not be compared stays unknown.
 */
export async function arbitrate(
  entries: readonly DiffEntry[],
  delivery: Delivery,
  { ports, signal }: { readonly ports: DeliveryPorts; readonly signal: AbortSignal },
): Promise<readonly DiffEntry[]> {
  const { cluster, verdicts } = ports;
  return mapLimited(entries, CONCURRENCY, async (entry) => {
    const { desired, live } = entry;
    if (entry.verdict !== 'different' && entry.verdict !== 'unknown') return entry;
    if (desired === undefined || live === undefined) return entry;
    if (isCertain(entry, delivery.fieldManager) || isHandedOver(entry, delivery)) return entry;
    const { options } = readHints(desired.object, delivery.sync.vocabulary);
    const manner = {
      fieldManager: delivery.fieldManager,
      withStatus: delivery.compare.comparesStatus?.(keyOf(desired.object)) === true,
      leavesOutUnknown: leavesOutUnknown(desired.object, options, delivery.sync),
      sendsRepeated: sendsRepeated(options, delivery.sync),
    };
    // By the content of live: an object of a kind that was defined anew may read otherwise at the same version.
    const question = `${cluster.name} ${JSON.stringify(manner)} ${digestOf(live)} ${digestOf(desired.object)}`;
    let answer = verdicts.answers.get(question);
    if (answer === undefined) {
      const { client } = cluster;
      const told = await askServer(desired.object, live, { client, ...manner, signal });
      if (told.kind !== 'unknown') {
        answer = told.kind;
        verdicts.answers.set(question, answer);
      }
    }
    // A field that a rule ignores may make the server say `different`: only its `same` overrules what was found.
    if (answer === 'same') return standing(entry, live, delivery);
    const undecided = entry.verdict === 'unknown' && answer === 'different';
    return undecided ? { ...entry, verdict: 'different' } : entry;
  });
}

/**
 * Another manager wrote other numbers or switches than are desired: no default, quantity or webhook of our own applies can
 * make that the same, so that nobody need be asked before it is set right.
 */
function isCertain({ verdict, differences }: DiffEntry, fieldManager: string): boolean {
  return (
    verdict === 'different' &&
    differences.length > 0 &&
    differences.every(
      ({ desired, live, manager }) =>
        manager !== undefined &&
        manager !== fieldManager &&
        typeof desired === typeof live &&
        (typeof desired === 'number' || typeof desired === 'boolean'),
    )
  );
}

/**
 * What stands against the server's `same`: fields that desired dropped and that a client-side manager still owns. Only
 * taking them over removes them, so a dry run before that cannot see them go.
 */
function standing(entry: DiffEntry, live: KubeObject, delivery: Delivery): DiffEntry {
  const hand = { from: delivery.sync.takeOverFrom, to: delivery.fieldManager };
  const dropped =
    takeOverPatch(live, hand) === undefined
      ? []
      : entry.differences.filter(({ desired }) => desired === undefined);
  return { ...entry, verdict: dropped.length === 0 ? 'same' : 'different', differences: dropped };
}

function digestOf(object: KubeObject): string {
  return hexOf(sha256(utf8ToBytes(JSON.stringify(object, bigintText))));
}

function bigintText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

interface WatchedKinds {
  readonly problems: readonly Problem[];
  /** Kinds that cannot be watched, whose objects are asked for one by one: `group/kind`. */
  readonly unlisted: ReadonlySet<string>;
}

async function watchKinds(
  delivery: Delivery,
  prepared: PreparedState | undefined,
  { ports, inventory, signal }: Parameters<typeof compareLive>[2],
): Promise<WatchedKinds> {
  const kinds = new Map<string, Kind>();
  const add = (group: string, kind: string) => kinds.set(`${group}/${kind}`, { group, kind });
  for (const { object, scope } of [...(prepared?.objects ?? []), ...(prepared?.hooks ?? [])]) {
    // A kind that is not served yet has no objects.
    if (scope !== 'unknown') add(keyOf(object).group, object.kind);
  }
  for (const { key } of inventory) add(key.group, key.kind);
  if (delivery.sync.createNamespace !== undefined) add('', 'Namespace');
  for (const { group, kind } of awaitedBy(delivery)) add(group, kind);
  const wanted = new Set(kinds.keys());
  for (const name of [...kinds.keys()]) {
    for (const [group, kind] of CHILDREN[name] ?? []) add(group, kind);
  }
  const missed = await ports.cluster.live.ensure([...kinds.values()], { signal });
  const unlisted = new Set<string>();
  const problems: Problem[] = [];
  for (const { kind, error } of missed) {
    const name = 'group' in kind ? `${kind.group}/${kind.kind}` : '';
    if (isNotServed(error)) continue;
    // What grows out of the objects need not be seen: who may not look at it loses its part of the tree.
    if (isForbidden(error) && name !== '' && !wanted.has(name)) continue;
    const isTolerated =
      isForbidden(error) && (await toleratesUnlisted(kind, delivery, ports, signal));
    if (isTolerated) unlisted.add(name);
    else problems.push(problemOf(error, 'compare'));
  }
  return { problems, unlisted };
}

type Kind = { readonly group: string; readonly kind: string };

async function toleratesUnlisted(
  kind: KindRef,
  { compare }: Delivery,
  { cluster: { client, namespaces } }: DeliveryPorts,
  signal: AbortSignal,
): Promise<boolean> {
  if (compare.unlistable !== 'strict') return compare.unlistable === 'tolerated';
  const { group, resource, namespaced } = await client.discovery.resolve(kind, { signal });
  const question = { verb: 'list', group, resource };
  // Of several namespaces one that may be read is enough to say that the kind is meant to be seen.
  const questions =
    namespaced && namespaces !== undefined
      ? namespaces.map((namespace) => ({ ...question, namespace }))
      : [question];
  for (const one of questions) {
    const { allowed } = await client.canI(one, { signal });
    if (allowed) return false;
  }
  return true;
}

/** What grows out of an object of a kind: watched for its health and for the tree that people see. */
const CHILDREN: Readonly<Record<string, readonly (readonly [group: string, kind: string])[]>> = {
  'apps/Deployment': [
    ['apps', 'ReplicaSet'],
    ['', 'Pod'],
  ],
  'apps/ReplicaSet': [['', 'Pod']],
  'apps/StatefulSet': [
    ['', 'Pod'],
    ['', 'PersistentVolumeClaim'],
  ],
  'apps/DaemonSet': [['', 'Pod']],
  'batch/CronJob': [
    ['batch', 'Job'],
    ['', 'Pod'],
  ],
  'batch/Job': [['', 'Pod']],
  '/Service': [['discovery.k8s.io', 'EndpointSlice']],
};

function isForbidden(error: unknown): boolean {
  return error instanceof CapstanError && error.code === 'FORBIDDEN';
}

function isNotServed(error: unknown): boolean {
  return (
    error instanceof CapstanError &&
    (error.code === 'KIND_NOT_SERVED' || error.code === 'NOT_FOUND')
  );
}

async function readLives(
  desired: readonly PreparedObject[],
  {
    ports,
    known,
    unlisted,
    signal,
  }: {
    readonly ports: DeliveryPorts;
    /** What was read already. */
    readonly known: ReadonlyMap<string, KubeObject>;
    readonly unlisted: WatchedKinds['unlisted'];
  } & SignalOptions,
): Promise<ReadonlyMap<string, KubeObject>> {
  const { cluster, verdicts } = ports;
  const lives = new Map<string, KubeObject>();
  await mapLimited(desired, CONCURRENCY, async ({ object }) => {
    const key = keyOf(object);
    const held = cluster.live.get(key);
    if (held === undefined) {
      if (!unlisted.has(`${key.group}/${key.kind}`)) return;
      const asked = await readWhole(object.apiVersion, key, cluster, signal);
      if (asked !== undefined) lives.set(keyString(key), asked);
      return;
    }
    if (held.whole && held.apiVersion === object.apiVersion) {
      // Reading means parsing: what is ours was read already.
      lives.set(keyString(key), known.get(keyString(key)) ?? held.read());
      return;
    }
    const place = `${cluster.name} ${object.apiVersion} ${held.uid} ${held.resourceVersion}`;
    const read =
      verdicts.whole.get(place) ?? (await readWhole(object.apiVersion, key, cluster, signal));
    if (read === undefined) return;
    verdicts.whole.set(place, read);
    lives.set(keyString(key), read);
  });
  return lives;
}

async function readWhole(
  apiVersion: string,
  { kind, namespace, name }: ObjectKey,
  { client }: Cluster,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  return client.find({ apiVersion, kind, namespace, name }, { signal });
}

function findShared(
  desired: readonly PreparedObject[],
  lives: ReadonlyMap<string, KubeObject>,
  { delivery, cluster }: { readonly delivery: Delivery; readonly cluster: Cluster },
): readonly Problem[] {
  return desired.flatMap(({ object, refusal }): readonly Problem[] => {
    // What may not be touched is not looked at either.
    if (refusal !== undefined) return [];
    const live = lives.get(keyString(keyOf(object)));
    const others =
      live === undefined
        ? []
        : cluster.ownersOf(live).filter((owner) => owner !== delivery.tracking.owner);
    const [other] = others;
    if (other === undefined) return [];
    return [
      {
        stage: 'compare',
        severity: 'warning',
        code: 'SHARED_RESOURCE',
        message: `${object.kind}/${object.metadata.name} is part of applications ${delivery.tracking.owner} and ${other}`,
        hint: 'let one of them own it; the last one to sync wins',
        kind: 'stalled',
      },
    ];
  });
}

function unknownEntry(live: KubeObject): DiffEntry {
  return { key: keyOf(live), verdict: 'unknown', live, differences: [] };
}
