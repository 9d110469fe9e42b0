import { listAt, objectAt, type StoreEvent, textAt } from '@capstan/kube-apiserver';
import { type Json, type KubeObject, parseQuantity } from '@capstan/kube-object';

/** What pods ask for, in billionths, by the name of the resource; pods themselves are one of them. */
export type Amounts = ReadonlyMap<string, bigint>;

/** What the pods of a node have taken. */
export interface NodeLoad {
  readonly amounts: Amounts;
  readonly hostPorts: readonly HostPort[];
}

export interface HostPort {
  readonly address: string;
  readonly protocol: string;
  readonly port: number;
}

/** The load of each node, kept up to date by the store's events: to look at it costs nothing. */
export interface NodeLoads {
  see(event: StoreEvent): void;
  of(node: string): NodeLoad;
  fork(): NodeLoads;
}

const ONE = 1_000_000_000n;

interface Taken {
  readonly amounts: Map<string, bigint>;
  readonly hostPorts: HostPort[];
}

export function createNodeLoads(taken: ReadonlyMap<string, NodeLoad> = new Map()): NodeLoads {
  const loads = new Map<string, Taken>();
  for (const [node, { amounts, hostPorts }] of taken) {
    loads.set(node, { amounts: new Map(amounts), hostPorts: [...hostPorts] });
  }
  const add = (pod: KubeObject, sign: 1n | -1n): void => {
    const node = textAt(pod, 'spec', 'nodeName');
    const load = loads.get(node) ?? { amounts: new Map<string, bigint>(), hostPorts: [] };
    loads.set(node, load);
    for (const [name, amount] of requestsOf(pod)) {
      load.amounts.set(name, (load.amounts.get(name) ?? 0n) + sign * amount);
    }
    for (const port of hostPortsOf(pod)) {
      if (sign > 0n) load.hostPorts.push(port);
      else load.hostPorts.splice(load.hostPorts.findIndex(isSame(port)), 1);
    }
  };
  return {
    see({ bucket, object, previous, removed }) {
      if (bucket !== '/pods') return;
      const was = previous !== undefined && takesRoom(previous);
      const is = !removed && takesRoom(object);
      // Most changes are those of a status; what a pod asks for changes with its generation.
      if (was && is && previous.metadata.generation === object.metadata.generation) return;
      if (was) add(previous, -1n);
      if (is) add(object, 1n);
    },
    of: (node) => loads.get(node) ?? { amounts: new Map(), hostPorts: [] },
    fork: () => createNodeLoads(loads),
  };
}

function takesRoom(pod: KubeObject): boolean {
  const phase = textAt(pod, 'status', 'phase');
  return textAt(pod, 'spec', 'nodeName') !== '' && phase !== 'Succeeded' && phase !== 'Failed';
}

/** All containers together, or what an init container needs beside those that go on, if that is more; and the overhead. */
export function requestsOf(pod: KubeObject): Amounts {
  const inits = listAt(pod, 'spec', 'initContainers');
  const isSidecar = (container: Json): boolean => textAt(container, 'restartPolicy') === 'Always';
  const most = new Map<string, bigint>();
  const sidecars = new Map<string, bigint>();
  for (const init of inits) {
    const beside = isSidecar(init) ? undefined : new Map(sidecars);
    addRequests(beside ?? sidecars, init);
    for (const [name, amount] of beside ?? sidecars) {
      if (amount > (most.get(name) ?? 0n)) most.set(name, amount);
    }
  }
  const together = new Map(sidecars);
  for (const container of listAt(pod, 'spec', 'containers')) addRequests(together, container);
  for (const [name, amount] of most) {
    if (amount > (together.get(name) ?? 0n)) together.set(name, amount);
  }
  addAmounts(together, objectAt(pod, 'spec', 'overhead'));
  together.set('pods', ONE);
  return together;
}

function addRequests(to: Map<string, bigint>, container: Json): void {
  addAmounts(to, objectAt(container, 'resources', 'requests'));
}

function addAmounts(to: Map<string, bigint>, amounts: Json): void {
  for (const [name, text] of Object.entries(objectAt(amounts))) {
    const { nanos } = parseQuantity(String(text)) ?? { nanos: 0n };
    if (nanos > 0n) to.set(name, (to.get(name) ?? 0n) + nanos);
  }
}

export function hostPortsOf(pod: KubeObject): HostPort[] {
  const sidecars = listAt(pod, 'spec', 'initContainers').filter(
    (container) => textAt(container, 'restartPolicy') === 'Always',
  );
  return [...listAt(pod, 'spec', 'containers'), ...sidecars].flatMap((container) =>
    listAt(container, 'ports').flatMap((port) => {
      const number = Number(objectAt(port)['hostPort'] ?? 0);
      if (number === 0) return [];
      const address = textAt(port, 'hostIP') || '0.0.0.0';
      return [{ address, protocol: textAt(port, 'protocol') || 'TCP', port: number }];
    }),
  );
}

function isSame(wanted: HostPort): (taken: HostPort) => boolean {
  return ({ address, protocol, port }) =>
    address === wanted.address && protocol === wanted.protocol && port === wanted.port;
}

/** Whether a port of the host is taken by another one: that of one address, or of all. */
export function conflictWith(wanted: HostPort): (taken: HostPort) => boolean {
  return ({ address, protocol, port }) => {
    if (port !== wanted.port || protocol !== wanted.protocol) return false;
    const isAny = address === '0.0.0.0' || wanted.address === '0.0.0.0';
    return isAny || address === wanted.address;
  };
}
