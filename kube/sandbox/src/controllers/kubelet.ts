import {
  cloneJson,
  type DraftObject,
  equalJson,
  listAt,
  numberAt,
  objectAt,
  textAt,
  valueAt,
} from '@capstan/kube-apiserver';
import type { Json, KubeObject } from '@capstan/kube-object';
import { type Behaviour, behaviourOf } from '../behaviour.ts';
import { type Controller, type Surroundings, splitKey } from '../control-loop.ts';
import { isTerminating } from '../pods.ts';
import { schedulePod } from '../scheduling/schedule-pod.ts';

const PODS = 'v1/pods';

/**
 * Scheduler and kubelet in one: gives a pod a node, and lets its containers start, become ready, fail and end as their
 * image and annotations say. All it needs to know is in the pod's status, so that it goes on where it was after a restart.
 */
export const kubelet: Controller = {
  name: 'kubelet',
  keysFor: (event) => (event.bucket === '/pods' && !event.removed ? [event.key] : []),
  reconcile(key, surroundings) {
    const { client, clock } = surroundings;
    const pod = client.get(PODS, ...splitKey(key));
    if (pod === undefined) return;
    if (isTerminating(pod)) {
      stop(pod, key, surroundings);
      return;
    }
    const phase = textAt(pod, 'status', 'phase');
    if (phase === 'Succeeded' || phase === 'Failed') return;
    if (textAt(pod, 'spec', 'nodeName') === '') {
      schedulePod(pod, surroundings);
      return;
    }
    const life = livePod(pod, clock.now());
    if (life.nextMs !== undefined) surroundings.again(key, Math.max(1, life.nextMs));
    for (const event of life.events) {
      surroundings.record(pod, event.type, event.reason, event.message);
    }
    if (equalJson(life.status, valueAt(pod, 'status'))) return;
    client.updateStatus(PODS, { ...cloneJson(pod), status: life.status });
  },
};

function stop(pod: KubeObject, key: string, { client, clock, again, record }: Surroundings): void {
  if ((numberAt(pod, 'metadata', 'deletionGracePeriodSeconds') ?? 0) === 0) return;
  const behaviour = behaviourOf(pod, 0);
  const grace = numberAt(pod, 'metadata', 'deletionGracePeriodSeconds') ?? 0;
  const asked = Date.parse(pod.metadata.deletionTimestamp ?? '') - grace * 1000;
  // Whole seconds in the object's times: a pod may be asked to stop up to a second before it seems so.
  const due = asked + Math.min(grace * 1000, behaviour.stopMs);
  if (clock.now() < due) {
    again(key, due - clock.now());
    return;
  }
  for (const container of listAt(pod, 'spec', 'containers')) {
    record(pod, 'Normal', 'Killing', `Stopping container ${textAt(container, 'name')}`);
  }
  const { namespace = '', name = '' } = pod.metadata;
  client.remove(PODS, namespace, name, { gracePeriodSeconds: 0 });
  const left = client.get(PODS, namespace, name);
  if (left !== undefined) again(key, 1000);
}

interface Life {
  readonly status: DraftObject;
  /** When something changes by itself. */
  readonly nextMs: number | undefined;
  readonly events: readonly {
    readonly type: 'Normal' | 'Warning';
    readonly reason: string;
    readonly message: string;
  }[];
}

/** Where a pod's life is at a moment, from what its status says so far. Pure. */
export function livePod(pod: KubeObject, nowMs: number): Life {
  const containers = listAt(pod, 'spec', 'containers');
  const inits = listAt(pod, 'spec', 'initContainers');
  const events: Life['events'][number][] = [];
  const wakes: number[] = [];
  const at = (time: string): string => time;
  const now = at(`${new Date(nowMs).toISOString().slice(0, 19)}Z`);
  const scheduledMs = lifeStart(pod, nowMs);
  const initsEnd = scheduledMs + inits.length * INIT_MS;
  const initsDone = nowMs >= initsEnd;
  if (!initsDone) wakes.push(initsEnd - nowMs);
  const old = listAt(pod, 'status', 'containerStatuses');
  const statuses = containers.map((container, index) =>
    liveContainer({
      pod,
      container,
      old: old.find((item) => textAt(item, 'name') === textAt(container, 'name')),
      behaviour: behaviourOf(pod, index),
      startMs: initsEnd,
      nowMs,
      waitsForInit: !initsDone,
      wake: (inMs) => wakes.push(inMs),
      say: (type, reason, message) => events.push({ type, reason, message }),
    }),
  );
  const status: DraftObject = {
    ...cloneJson(objectAt(pod, 'status')),
    phase: phaseOf(pod, statuses),
    conditions: conditionsOf(pod, statuses, initsDone, now),
    observedGeneration: pod.metadata.generation ?? 1,
    hostIP: '10.0.0.1',
    hostIPs: [{ ip: '10.0.0.1' }],
    startTime: textAt(pod, 'status', 'startTime') || now,
    containerStatuses: statuses,
    qosClass: textAt(pod, 'status', 'qosClass') || 'BestEffort',
  };
  if (inits.length > 0) {
    status['initContainerStatuses'] = inits.map((init, i) =>
      initStatus(init, scheduledMs + i * INIT_MS, nowMs),
    );
  }
  const ephemeral = listAt(pod, 'spec', 'ephemeralContainers');
  if (ephemeral.length > 0) {
    status['ephemeralContainerStatuses'] = ephemeral.map((container) =>
      ephemeralStatus(pod, container, nowMs),
    );
  }
  if (
    statuses.some((item) => valueAt(item, 'state', 'waiting', 'reason') !== 'ContainerCreating')
  ) {
    const ip = textAt(pod, 'status', 'podIP') || addressOf(pod);
    status['podIP'] = ip;
    status['podIPs'] = [{ ip }];
  }
  return { status, events, nextMs: wakes.length === 0 ? undefined : Math.min(...wakes) };
}

const INIT_MS = 100;

/** Object times are whole seconds; the finer start is kept in an annotation-free way: the scheduling condition's probe time. */
function lifeStart(pod: KubeObject, nowMs: number): number {
  const scheduled = listAt(pod, 'status', 'conditions').find(
    (item) => textAt(item, 'type') === 'PodScheduled',
  );
  const time = Date.parse(textAt(scheduled, 'lastTransitionTime'));
  return Number.isNaN(time) ? nowMs : time;
}

function addressOf(pod: KubeObject): string {
  const uid = (pod.metadata.uid ?? '').replaceAll('-', '');
  const number = Number.parseInt(uid.slice(0, 6), 16) || 1;
  return `10.244.${(number >> 8) & 255}.${(number & 255) % 254 || 1}`;
}

function initStatus(container: Json, startMs: number, nowMs: number): DraftObject {
  const time = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
  const done = nowMs >= startMs + INIT_MS;
  const running = nowMs >= startMs;
  return {
    name: textAt(container, 'name'),
    state: done
      ? {
          terminated: {
            exitCode: 0,
            reason: 'Completed',
            startedAt: time(startMs),
            finishedAt: time(startMs + INIT_MS),
          },
        }
      : running
        ? { running: { startedAt: time(startMs) } }
        : { waiting: { reason: 'PodInitializing' } },
    lastState: {},
    ready: done,
    restartCount: 0,
    image: textAt(container, 'image'),
    imageID: '',
    started: running && !done,
  };
}

/** A container for debugging runs as soon as it is there, and until whoever is attached to it goes. */
function ephemeralStatus(pod: KubeObject, container: Json, nowMs: number): DraftObject {
  const name = textAt(container, 'name');
  const old = listAt(pod, 'status', 'ephemeralContainerStatuses').find(
    (item) => textAt(item, 'name') === name,
  );
  if (old !== undefined) return cloneJson(objectAt(old));
  return {
    name,
    state: { running: { startedAt: `${new Date(nowMs).toISOString().slice(0, 19)}Z` } },
    lastState: {},
    ready: false,
    restartCount: 0,
    image: textAt(container, 'image'),
    imageID: `${textAt(container, 'image')}@sha256:simulated`,
    containerID: `sandbox://${pod.metadata.uid}/${name}/0`,
  };
}

interface ContainerMoment {
  readonly pod: KubeObject;
  readonly container: Json;
  readonly old: Json | undefined;
  readonly behaviour: Behaviour;
  readonly startMs: number;
  readonly nowMs: number;
  readonly waitsForInit: boolean;
  readonly wake: (inMs: number) => void;
  readonly say: (type: 'Normal' | 'Warning', reason: string, message: string) => void;
}

function liveContainer(moment: ContainerMoment): DraftObject {
  const { container, old, behaviour, nowMs } = moment;
  const image = textAt(container, 'image');
  const base: DraftObject = {
    name: textAt(container, 'name'),
    lastState: cloneJson(objectAt(old, 'lastState')),
    ready: false,
    restartCount: numberAt(old, 'restartCount') ?? 0,
    image,
    imageID: '',
    started: false,
  };
  if (moment.waitsForInit) {
    return { ...base, state: { waiting: { reason: 'PodInitializing' } } };
  }
  if (behaviour.missing) return pullFailure(moment, base, image);
  const state = objectAt(old, 'state');
  if (state['running'] !== undefined) return running(moment, base);
  if (state['terminated'] !== undefined) return ended(moment, base);
  if (textAt(state, 'waiting', 'reason') === 'CrashLoopBackOff') return backOff(moment, base);
  const startAt = moment.startMs + behaviour.startMs;
  if (nowMs < startAt) {
    moment.wake(startAt - nowMs);
    return { ...base, state: { waiting: { reason: 'ContainerCreating' } } };
  }
  moment.say(
    'Normal',
    'Pulled',
    `Container image ${JSON.stringify(image)} already present on machine`,
  );
  moment.say('Normal', 'Created', `Container created`);
  moment.say('Normal', 'Started', `Container started`);
  return begin(moment, base);
}

function begin(moment: ContainerMoment, base: DraftObject): DraftObject {
  const { behaviour, nowMs, container } = moment;
  if (behaviour.endMs !== undefined) moment.wake(behaviour.endMs);
  else moment.wake(behaviour.readyMs);
  const ready = behaviour.endMs === undefined && behaviour.readyMs === 0;
  return {
    ...base,
    ready,
    started: true,
    imageID: `${textAt(container, 'image')}@sha256:simulated`,
    containerID: `sandbox://${moment.pod.metadata.uid}/${textAt(container, 'name')}/${base['restartCount']}`,
    state: { running: { startedAt: new Date(nowMs).toISOString() } },
  };
}

function running(moment: ContainerMoment, base: DraftObject): DraftObject {
  const { behaviour, nowMs, old } = moment;
  const started = Date.parse(textAt(old, 'state', 'running', 'startedAt'));
  const kept: DraftObject = {
    ...base,
    ready: valueAt(old, 'ready') === true,
    started: true,
    imageID: textAt(old, 'imageID'),
    containerID: textAt(old, 'containerID'),
    state: cloneJson(objectAt(old, 'state')),
  };
  if (behaviour.endMs !== undefined) {
    const left = started + behaviour.endMs - nowMs;
    if (left > 0) {
      moment.wake(left);
      return kept;
    }
    const code = behaviour.exitCode;
    return {
      ...kept,
      ready: false,
      started: false,
      state: {
        terminated: {
          exitCode: code,
          reason: code === 0 ? 'Completed' : 'Error',
          startedAt: textAt(old, 'state', 'running', 'startedAt'),
          finishedAt: new Date(nowMs).toISOString(),
          containerID: textAt(old, 'containerID'),
        },
      },
    };
  }
  const left = started + behaviour.readyMs - nowMs;
  if (left > 0) {
    if (Number.isFinite(left)) moment.wake(left);
    else if (nowMs - started > 1000) {
      moment.say(
        'Warning',
        'Unhealthy',
        'Readiness probe failed: HTTP probe failed with statuscode: 503',
      );
    }
    return { ...kept, ready: false };
  }
  return { ...kept, ready: true };
}

const BACK_OFF_MAX_MS = 300_000;

function ended(moment: ContainerMoment, base: DraftObject): DraftObject {
  const { pod, old, nowMs } = moment;
  const terminated = objectAt(old, 'state', 'terminated');
  const policy = textAt(pod, 'spec', 'restartPolicy');
  const failed = numberAt(terminated, 'exitCode') !== 0;
  const kept: DraftObject = {
    ...base,
    imageID: textAt(old, 'imageID'),
    containerID: textAt(old, 'containerID'),
    state: { terminated: cloneJson(terminated) },
  };
  if (policy === 'Never' || (policy === 'OnFailure' && !failed)) return kept;
  const restarts = numberAt(old, 'restartCount') ?? 0;
  const name = textAt(moment.container, 'name');
  if (restarts === 0) {
    return begin(moment, {
      ...base,
      restartCount: 1,
      lastState: { terminated: cloneJson(terminated) },
    });
  }
  moment.say(
    'Warning',
    'BackOff',
    `Back-off restarting failed container ${name} in pod ${podName(pod)}`,
  );
  const delay = backOffMs(moment.behaviour, restarts);
  moment.wake(Math.max(1, Date.parse(textAt(terminated, 'finishedAt')) + delay - nowMs));
  return {
    ...kept,
    state: { waiting: { reason: 'CrashLoopBackOff', message: backOffText(moment, delay) } },
    lastState: { terminated: cloneJson(terminated) },
  };
}

function backOff(moment: ContainerMoment, base: DraftObject): DraftObject {
  const { old, nowMs } = moment;
  const restarts = numberAt(old, 'restartCount') ?? 0;
  const finished = Date.parse(textAt(old, 'lastState', 'terminated', 'finishedAt'));
  const due = finished + backOffMs(moment.behaviour, restarts);
  if (nowMs < due) {
    moment.wake(due - nowMs);
    return { ...base, state: cloneJson(objectAt(old, 'state')) };
  }
  return begin(moment, { ...base, restartCount: restarts + 1 });
}

function backOffMs(behaviour: Behaviour, restarts: number): number {
  return Math.min(BACK_OFF_MAX_MS, behaviour.backOffMs * 2 ** Math.max(0, restarts - 1));
}

function backOffText(moment: ContainerMoment, delayMs: number): string {
  const seconds = Math.max(10, Math.round(delayMs / 1000));
  return `back-off ${seconds}s restarting failed container=${textAt(moment.container, 'name')} pod=${podName(moment.pod)}`;
}

function podName(pod: KubeObject): string {
  return `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
}

/** The first try fails with the pull's own error, the later ones are held back. */
function pullFailure(moment: ContainerMoment, base: DraftObject, image: string): DraftObject {
  const { old, behaviour, nowMs, startMs } = moment;
  const was = textAt(old, 'state', 'waiting', 'reason');
  const failAt = startMs + behaviour.startMs;
  if (nowMs < failAt) {
    moment.wake(failAt - nowMs);
    return { ...base, state: { waiting: { reason: 'ContainerCreating' } } };
  }
  const text = `failed to pull and unpack image ${JSON.stringify(image)}: failed to resolve reference ${JSON.stringify(image)}: ${image}: not found`;
  if (was === 'ErrImagePull' || was === 'ImagePullBackOff') {
    if (was === 'ErrImagePull') {
      moment.say('Normal', 'BackOff', `Back-off pulling image ${JSON.stringify(image)}`);
    }
    return {
      ...base,
      state: {
        waiting: {
          reason: 'ImagePullBackOff',
          message: `Back-off pulling image ${JSON.stringify(image)}: ErrImagePull: ${text}`,
        },
      },
    };
  }
  moment.say('Normal', 'Pulling', `Pulling image ${JSON.stringify(image)}`);
  moment.say('Warning', 'Failed', `Failed to pull image ${JSON.stringify(image)}: ${text}`);
  moment.wake(behaviour.startMs + 200);
  return { ...base, state: { waiting: { reason: 'ErrImagePull', message: text } } };
}

function phaseOf(pod: KubeObject, statuses: readonly DraftObject[]): string {
  const policy = textAt(pod, 'spec', 'restartPolicy');
  const ended = statuses.filter((item) => valueAt(item, 'state', 'terminated') !== undefined);
  const started = statuses.filter(
    (item) =>
      valueAt(item, 'state', 'running') !== undefined ||
      valueAt(item, 'lastState', 'terminated') !== undefined ||
      valueAt(item, 'state', 'terminated') !== undefined,
  );
  if (ended.length === statuses.length && policy !== 'Always') {
    const failed = ended.some((item) => numberAt(item, 'state', 'terminated', 'exitCode') !== 0);
    if (!failed) return 'Succeeded';
    if (policy === 'Never') return 'Failed';
  }
  return started.length === statuses.length ? 'Running' : 'Pending';
}

function conditionsOf(
  pod: KubeObject,
  statuses: readonly DraftObject[],
  initialized: boolean,
  now: string,
): DraftObject[] {
  const known = listAt(pod, 'status', 'conditions');
  const completed = phaseOf(pod, statuses) === 'Succeeded';
  const unready = statuses.filter((item) => item['ready'] !== true).map((item) => item['name']);
  const containersReady = unready.length === 0 && initialized;
  const gates = closedGates(pod);
  const ready = containersReady && gates.length === 0;
  const running = statuses.some(
    (item) => valueAt(item, 'state', 'waiting', 'reason') !== 'ContainerCreating',
  );
  const why: DraftObject = containersReady
    ? {}
    : completed
      ? { reason: 'PodCompleted' }
      : {
          reason: 'ContainersNotReady',
          message: `containers with unready status: [${unready.join(' ')}]`,
        };
  const generation = pod.metadata.generation ?? 1;
  const make = (type: string, ok: boolean, extra: DraftObject = {}): DraftObject => {
    const status = ok ? 'True' : 'False';
    const old = known.find((item) => textAt(item, 'type') === type);
    const same = textAt(old, 'status') === status;
    return {
      type,
      observedGeneration: generation,
      status,
      lastProbeTime: null,
      lastTransitionTime: same ? textAt(old, 'lastTransitionTime') : now,
      ...extra,
    };
  };
  const readyWhy: DraftObject =
    containersReady && !ready
      ? { reason: 'ReadinessGatesNotReady', message: gates.join(', ') }
      : why;
  const others = known
    .filter((item) => !OWN_CONDITIONS.has(textAt(item, 'type')))
    .map((item) => cloneJson(objectAt(item)));
  return [
    ...others,
    make('PodReadyToStartContainers', running && !completed),
    make(
      'Initialized',
      initialized,
      initialized
        ? completed
          ? { reason: 'PodCompleted' }
          : {}
        : {
            reason: 'ContainersNotInitialized',
          },
    ),
    make('Ready', ready, readyWhy),
    make('ContainersReady', containersReady, why),
    make('PodScheduled', true),
  ];
}

/** The conditions that the kubelet itself keeps; all others it leaves as they are. */
const OWN_CONDITIONS: ReadonlySet<string> = new Set([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
]);

/** What is said of the readiness gates that hold a pod back. */
function closedGates(pod: KubeObject): readonly string[] {
  const conditions = listAt(pod, 'status', 'conditions');
  return listAt(pod, 'spec', 'readinessGates').flatMap((gate) => {
    const type = textAt(gate, 'conditionType');
    const condition = conditions.find((item) => textAt(item, 'type') === type);
    const named = JSON.stringify(type);
    if (condition === undefined) {
      return [`corresponding condition of pod readiness gate ${named} does not exist.`];
    }
    const status = textAt(condition, 'status');
    if (status === 'True') return [];
    return [`the status of pod readiness gate ${named} is not "True", but ${status}`];
  });
}
