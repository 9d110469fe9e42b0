import {
  type ApiServer,
  type Core,
  createLocalClient,
  type LocalClient,
  type StoreEvent,
  SYSTEM,
  WebhookPending,
} from '@capstan/kube-apiserver';
import type { KubeObject } from '@capstan/kube-object';
import { type Clock, passedMs } from '@capstan/lib-std';
import { createRecorder, type Recorder } from './events.ts';
import { createOwnerIndex, type Dependent, type OwnerIndex } from './owner-index.ts';
import { createNodeLoads, type NodeLoad, type NodeLoads } from './scheduling/node-loads.ts';

/** The cluster as controllers see it. */
export interface ControllerClient extends LocalClient {
  /** The objects of a resource that an owner controls. */
  owned(path: string, owner: KubeObject): KubeObject[];
  /** The pods or replica sets of a namespace that nobody controls. */
  orphans(path: string, namespace: string): KubeObject[];
  /** All objects that name an owner, by where they are. */
  dependents(ownerUid: string): readonly Dependent[];
  /** What the pods of a node have taken of it. */
  nodeLoad(node: string): NodeLoad;
}

/** What a controller works with: the cluster, the time, and a way to look again later. */
export interface Surroundings {
  readonly client: ControllerClient;
  /** For what no client can ask: schemas. */
  readonly core: Core;
  readonly clock: Clock;
  readonly random: () => number;
  readonly record: Recorder;
  /** Reconciles the key again after a while, whatever happens in between. */
  readonly again: (key: string, afterMs: number) => void;
}

/**
 * Level-based: `reconcile` looks at the present state alone and may be called at any time. It throws to be called again a
 * little later.
 */
export interface Controller {
  readonly name: string;
  /** The keys to reconcile because of a change; most often the object's own, or its owner's. */
  keysFor(event: StoreEvent, client: ControllerClient): readonly string[];
  reconcile(key: string, surroundings: Surroundings): void;
}

export interface ControlLoop {
  /** Works off everything that is due; called by itself after every change. */
  settle(): void;
  stop(): void;
  /** Goes on with the fork of the server from here, with all that is due and planned; no object is looked at. */
  fork(server: ApiServer): ControlLoop;
}

const RETRY_MS = 50;
/** What fails again and again is tried less and less often. */
const RETRY_MS_MAX = 5_000;
/** Rounds of one settling: controllers that answer each other for ever would otherwise hold the process. */
const ROUNDS_MAX = 100_000;

/** Runs controllers on a server, each change as soon as the current request is done. */
export function startControlLoop(
  server: ApiServer,
  controllers: readonly Controller[],
): ControlLoop {
  const queues = controllers.map(
    (controller): Queue => ({ controller, due: new Set(), timers: new Map(), failures: new Map() }),
  );
  const indexes = { owners: createOwnerIndex(), nodeLoads: createNodeLoads() };
  const { loop, see } = runLoop(server, queues, indexes);
  const { store } = server.core;
  for (const bucket of store.buckets()) {
    for (const [key, object] of store.view(bucket).entries()) {
      const resourceVersion = Number(object.metadata.resourceVersion);
      see({ bucket, key, object, previous: undefined, removed: false, resourceVersion });
    }
  }
  return loop;
}

interface Running {
  readonly loop: ControlLoop;
  readonly see: (event: StoreEvent) => void;
  /** Plans a key of one of the queues. */
  readonly again: (queue: number, key: string, at: number) => void;
}

/** What is kept of the objects, so that nobody has to look at all of them. */
interface Indexes {
  readonly owners: OwnerIndex;
  readonly nodeLoads: NodeLoads;
}

function runLoop(server: ApiServer, queues: readonly Queue[], indexes: Indexes): Running {
  const { core } = server;
  let scheduled = false;
  let stopped = false;
  const schedule = (): void => {
    if (scheduled || stopped) return;
    scheduled = true;
    queueMicrotask(() => {
      scheduled = false;
      settle();
    });
  };
  const surroundings = queues.map((queue) => surroundingsOf(server, { queue, indexes, schedule }));
  const reconcile = ({ controller, failures }: Queue, key: string, around: Surroundings): void => {
    try {
      controller.reconcile(key, around);
      failures.delete(key);
    } catch (error) {
      // Conflicts and objects that vanish are usual; the next look decides anew.
      const count = error instanceof WebhookPending ? 0 : (failures.get(key) ?? 0);
      failures.set(key, count + 1);
      around.again(key, Math.min(RETRY_MS * 2 ** count, RETRY_MS_MAX));
    }
  };
  // A controller works off all that is due before it is the next one's turn: what looks at many objects looks once for all.
  const settle = (): void => {
    for (let done = 0; done < ROUNDS_MAX && !stopped; ) {
      const before = done;
      for (const [index, queue] of queues.entries()) {
        for (let left = queue.due.size; left > 0 && !stopped; left--) {
          const [key] = queue.due;
          if (key === undefined) break;
          queue.due.delete(key);
          reconcile(queue, key, surroundings[index]!);
          done++;
        }
      }
      if (done === before) return;
    }
    // Whoever waits for an answer or a timer comes in between.
    if (!stopped) setImmediate(settle);
  };
  const see = (event: StoreEvent): void => {
    indexes.owners.see(event);
    indexes.nodeLoads.see(event);
    for (const [index, { controller, due }] of queues.entries()) {
      for (const key of controller.keysFor(event, surroundings[index]!.client)) due.add(key);
    }
    schedule();
  };
  const unsubscribe = core.store.subscribe(see);
  const loop: ControlLoop = {
    settle,
    stop() {
      stopped = true;
      unsubscribe();
      for (const { timers } of queues) for (const { cancel } of timers.values()) cancel();
    },
    fork(forked) {
      const copies = queues.map(({ controller, due, failures }): Queue => {
        return { controller, due: new Set(due), timers: new Map(), failures: new Map(failures) };
      });
      const { owners, nodeLoads } = indexes;
      const copy = runLoop(forked, copies, {
        owners: owners.fork(),
        nodeLoads: nodeLoads.fork(),
      });
      for (const [i, { timers }] of queues.entries()) {
        for (const [key, { at }] of timers) copy.again(i, key, at);
      }
      copy.loop.settle();
      return copy.loop;
    },
  };
  const again = (queue: number, key: string, at: number): void =>
    surroundings[queue]?.again(key, Math.max(0, at - passedMs(core.clock)));
  return { loop, see, again };
}

interface Queue {
  readonly controller: Controller;
  readonly due: Set<string>;
  /** How often the keys have failed in a row. */
  readonly failures: Map<string, number>;
  readonly timers: Map<string, { readonly at: number; readonly cancel: () => void }>;
}

function surroundingsOf(
  server: ApiServer,
  parts: { readonly queue: Queue; readonly indexes: Indexes; readonly schedule: () => void },
): Surroundings {
  const { core } = server;
  const { clock } = core;
  const { queue, indexes, schedule } = parts;
  const { controller, due, timers } = queue;
  const local = createLocalClient(core, SYSTEM, controller.name);
  const client = {
    ...local,
    owned: (path: string, owner: KubeObject) => indexes.owners.owned(local, path, owner),
    orphans: (path: string, namespace: string) => indexes.owners.orphans(local, path, namespace),
    dependents: (ownerUid: string) => indexes.owners.dependents(ownerUid),
    nodeLoad: (node: string) => indexes.nodeLoads.of(node),
  };
  return {
    client,
    core,
    clock,
    random: core.random,
    record: createRecorder(client, clock, controller.name),
    again(key, afterMs) {
      const at = passedMs(clock) + afterMs;
      const known = timers.get(key);
      if (known !== undefined && known.at <= at) return;
      known?.cancel();
      const cancel = clock.after(afterMs, () => {
        timers.delete(key);
        due.add(key);
        schedule();
      });
      timers.set(key, { at, cancel });
    },
  };
}

/** The key of the controller that owns an object, when it is of the given kind: `namespace/name`. */
export function controllerKey(event: StoreEvent, kind: string): readonly string[] {
  const keys: string[] = [];
  for (const object of [event.object, event.previous]) {
    const owner = object?.metadata.ownerReferences?.find((o) => o.controller === true);
    if (object === undefined || owner?.kind !== kind) continue;
    const key = `${object.metadata.namespace ?? ''}/${owner.name}`;
    if (!keys.includes(key)) keys.push(key);
  }
  return keys;
}

export function splitKey(key: string): readonly [namespace: string, name: string] {
  const slash = key.indexOf('/');
  return slash < 0 ? ['', key] : [key.slice(0, slash), key.slice(slash + 1)];
}
