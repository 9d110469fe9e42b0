import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  type Json,
  type KubeObject,
  type Quantity,
} from '@capstan/kube-object';
import { forbidden } from './api-error.ts';
import { type Core, listBucket } from './core.ts';
import { listAt, numberAt, objectAt, textAt, valueAt } from './json.ts';
import { type Amounts, amountsOf, isBestEffort, podAmounts } from './pod-resources.ts';
import type { ServedResource } from './served-resource.ts';
import { quantityOf } from './validation/common.ts';

interface Counted {
  readonly group: string;
  readonly name: string;
}

const ONE = quantityOf(1);
const ZERO = quantityOf(0);
/** Those of the core group that are counted by their bare name too. */
const BARE = [
  'configmaps',
  'persistentvolumeclaims',
  'pods',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
];
const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];
/** What every container must say itself once a quota limits it. */
const MUST_SPECIFY = ['cpu', 'memory', 'requests.cpu', 'requests.memory'].concat([
  'limits.cpu',
  'limits.memory',
]);
const CLASS_SUFFIX = '.storageclass.storage.k8s.io/';
const DEVICES_SUFFIX = '.deviceclass.resource.k8s.io/devices';
/** What a request for all devices of a class may get at most. */
const DEVICES_MAX = 32;

/** Which resource a quota's entry is about. */
export function countedBy(entry: string): Counted {
  const count = /^count\/([^.]+)(?:\.(.+))?$/.exec(entry);
  if (count !== null) return { name: count[1] ?? '', group: count[2] ?? '' };
  const core = (name: string): Counted => ({ name, group: '' });
  if (BARE.includes(entry)) return core(entry);
  if (entry.startsWith('services.')) return core('services');
  if (entry === 'requests.storage' || entry.includes(CLASS_SUFFIX))
    return core('persistentvolumeclaims');
  if (entry.endsWith(DEVICES_SUFFIX)) return { name: 'resourceclaims', group: 'resource.k8s.io' };
  return core('pods');
}

/** What one object takes of every entry that is about its kind. */
export function usageOf({ group, name }: Counted, object: KubeObject): Amounts {
  const usage = new Map<string, Quantity>();
  usage.set(`count/${name}${group === '' ? '' : `.${group}`}`, ONE);
  if (group === 'resource.k8s.io' && name === 'resourceclaims') addDevices(usage, object);
  if (group !== '') return usage;
  if (BARE.includes(name)) usage.set(name, ONE);
  if (name === 'pods') addPod(usage, object);
  if (name === 'services') addService(usage, object);
  if (name === 'persistentvolumeclaims') addClaim(usage, object);
  return usage;
}

function addPod(usage: Map<string, Quantity>, pod: KubeObject): void {
  addCompute(usage, podAmounts(pod, 'requests'), podAmounts(pod, 'limits'));
}

function addCompute(usage: Map<string, Quantity>, requests: Amounts, limits: Amounts): void {
  for (const [name, amount] of requests) {
    usage.set(`requests.${name}`, amount);
    if (COMPUTE.includes(name) || name.startsWith('hugepages-')) usage.set(name, amount);
  }
  for (const [name, amount] of limits) {
    if (COMPUTE.includes(name)) usage.set(`limits.${name}`, amount);
  }
}

function addService(usage: Map<string, Quantity>, service: KubeObject): void {
  const type = textAt(service, 'spec', 'type');
  const ports = listAt(service, 'spec', 'ports');
  const balanced = type === 'LoadBalancer';
  const onEveryNode =
    type === 'NodePort' ||
    (balanced && valueAt(service, 'spec', 'allocateLoadBalancerNodePorts') !== false);
  const withNodePort = ports.filter((port) => (numberAt(port, 'nodePort') ?? 0) !== 0);
  const nodePorts = onEveryNode ? ports : balanced ? withNodePort : [];
  usage.set('services.nodeports', quantityOf(nodePorts.length));
  usage.set('services.loadbalancers', balanced ? ONE : ZERO);
}

function addClaim(usage: Map<string, Quantity>, claim: KubeObject): void {
  const storage = valueAt(claim, 'spec', 'resources', 'requests', 'storage');
  const className = textAt(claim, 'spec', 'storageClassName');
  for (const prefix of className === '' ? [''] : ['', `${className}${CLASS_SUFFIX}`]) {
    usage.set(`${prefix}persistentvolumeclaims`, ONE);
    if (storage !== undefined) usage.set(`${prefix}requests.storage`, quantityOf(storage));
  }
}

/** The devices of each class; of alternatives the most that one of them may take. */
function addDevices(usage: Map<string, Quantity>, claim: KubeObject): void {
  for (const request of listAt(claim, 'spec', 'devices', 'requests')) {
    const exactly = valueAt(request, 'exactly');
    const choices = exactly === undefined ? listAt(request, 'firstAvailable') : [exactly];
    const most = new Map<string, number>();
    for (const choice of choices) {
      const entry = `${textAt(choice, 'deviceClassName')}${DEVICES_SUFFIX}`;
      const isAll = textAt(choice, 'allocationMode') === 'All';
      const count = isAll ? DEVICES_MAX : (numberAt(choice, 'count') ?? 0);
      most.set(entry, Math.max(count, most.get(entry) ?? 0));
    }
    for (const [entry, count] of most) {
      usage.set(entry, addQuantities(usage.get(entry) ?? ZERO, quantityOf(count)));
    }
  }
}

/** Whether a quota counts this object: it has not ended, and is within all of the quota's scopes. */
export function quotaCovers(quota: KubeObject, { group, name }: Counted, object: KubeObject) {
  const isPod = group === '' && name === 'pods';
  if (isPod && ['Succeeded', 'Failed'].includes(textAt(object, 'status', 'phase'))) return false;
  const plain = listAt(quota, 'spec', 'scopes').map((scope) => ({
    scopeName: scope,
    operator: 'Exists',
  }));
  const selected = listAt(quota, 'spec', 'scopeSelector', 'matchExpressions');
  const isClaim = group === '' && name === 'persistentvolumeclaims';
  return [...plain, ...selected].every((scope) => {
    if (isPod) return isInScope(scope, object);
    return isClaim && isInClassScope(scope, object);
  });
}

/** A claim is in the scope of each class of attributes that it asks for, has, or is to get. */
function isInClassScope(scope: Json | object, claim: KubeObject): boolean {
  if (textAt(scope, 'scopeName') !== 'VolumeAttributesClass') return false;
  const names = [
    textAt(claim, 'spec', 'volumeAttributesClassName'),
    textAt(claim, 'status', 'currentVolumeAttributesClassName'),
    textAt(claim, 'status', 'modifyVolumeStatus', 'targetVolumeAttributesClassName'),
  ].filter((name) => name !== '');
  return (names.length === 0 ? [''] : names).some((name) => matchesClass(scope, name));
}

function isInScope(scope: Json | object, pod: KubeObject): boolean {
  const hasDeadline = (numberAt(pod, 'spec', 'activeDeadlineSeconds') ?? -1) >= 0;
  switch (textAt(scope, 'scopeName')) {
    case 'Terminating':
      return hasDeadline;
    case 'NotTerminating':
      return !hasDeadline;
    case 'BestEffort':
      return isBestEffort(pod);
    case 'NotBestEffort':
      return !isBestEffort(pod);
    case 'CrossNamespacePodAffinity':
      return looksIntoNamespaces(pod);
    case 'PriorityClass':
      return matchesClass(scope, textAt(pod, 'spec', 'priorityClassName'));
    default:
      return false;
  }
}

function matchesClass(scope: unknown, className: string): boolean {
  const isListed = listAt(scope, 'values').includes(className);
  switch (textAt(scope, 'operator')) {
    case 'In':
      return className !== '' && isListed;
    case 'NotIn':
      return !isListed;
    case 'DoesNotExist':
      return className === '';
    default:
      return className !== '';
  }
}

function looksIntoNamespaces(pod: KubeObject): boolean {
  return ['podAffinity', 'podAntiAffinity'].some((kind) => {
    const affinity = objectAt(pod, 'spec', 'affinity', kind);
    const preferred = listAt(affinity, 'preferredDuringSchedulingIgnoredDuringExecution');
    return [
      ...listAt(affinity, 'requiredDuringSchedulingIgnoredDuringExecution'),
      ...preferred.map((term) => objectAt(term, 'podAffinityTerm')),
    ].some(
      (term) =>
        listAt(term, 'namespaces').length > 0 || valueAt(term, 'namespaceSelector') !== undefined,
    );
  });
}

/** The sum of what objects of one kind take of one entry. */
export function totalUsage(
  quota: KubeObject,
  entry: string,
  resource: Counted,
  objects: Iterable<KubeObject>,
): Quantity {
  let sum = ZERO;
  for (const object of objects) {
    if (!quotaCovers(quota, resource, object)) continue;
    const amount = usageOf(resource, object).get(entry);
    if (amount !== undefined) sum = addQuantities(sum, amount);
  }
  return sum;
}

/** The ResourceQuota admission: refuses what would take a namespace over what it may use. */
export function admitQuota(
  core: Core,
  resource: ServedResource,
  object: KubeObject,
  before?: KubeObject,
): void {
  if (!resource.namespaced) return;
  const namespace = object.metadata.namespace ?? '';
  for (const quota of listBucket(core.store, '/resourcequotas', namespace)) {
    if (!quotaCovers(quota, resource, object)) continue;
    const hard = amountsOf(objectAt(quota, 'spec', 'hard'));
    const subject = { group: resource.group, resource: resource.name, name: nameOf(object) };
    const missing = resource.bucket === '/pods' ? unspecified(object, hard) : '';
    if (missing !== '') {
      throw forbidden(subject, `failed quota: ${nameOf(quota)}: must specify ${missing}`);
    }
    const exceeded = exceededEntries(core, quota, hard, resource, object, before);
    if (exceeded.length === 0) continue;
    const list = (of: (entry: Exceeded) => Quantity): string =>
      exceeded.map((entry) => `${entry.name}=${formatQuantity(of(entry))}`).join(',');
    throw forbidden(
      subject,
      `exceeded quota: ${nameOf(quota)}, requested: ${list((entry) => entry.requested)}, used: ${list((entry) => entry.used)}, limited: ${list((entry) => entry.hard)}`,
    );
  }
}

interface Exceeded {
  readonly name: string;
  readonly requested: Quantity;
  readonly used: Quantity;
  readonly hard: Quantity;
}

function exceededEntries(
  core: Core,
  quota: KubeObject,
  limits: Amounts,
  resource: ServedResource,
  object: KubeObject,
  before: KubeObject | undefined,
): Exceeded[] {
  const usage = usageOf(resource, object);
  const earlier =
    before !== undefined && quotaCovers(quota, resource, before)
      ? usageOf(resource, before)
      : undefined;
  const exceeded: Exceeded[] = [];
  for (const [name, hard] of [...limits].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const amount = usage.get(name);
    if (amount === undefined) continue;
    const requested = without(amount, earlier?.get(name));
    if (requested.nanos <= 0n) continue;
    const objects = listBucket(core.store, resource.bucket, object.metadata.namespace);
    const used = totalUsage(quota, name, resource, objects);
    if (compareQuantities(addQuantities(used, requested), hard) <= 0) continue;
    exceeded.push({ name, requested, used, hard });
  }
  return exceeded;
}

function without(amount: Quantity, earlier: Quantity | undefined): Quantity {
  if (earlier === undefined) return amount;
  return { nanos: amount.nanos - earlier.nanos, format: amount.format };
}

function unspecified(pod: KubeObject, hard: Amounts): string {
  const required = MUST_SPECIFY.filter((name) => hard.has(name)).sort();
  const whole = new Map<string, Quantity>();
  const resources = objectAt(pod, 'spec', 'resources');
  addCompute(
    whole,
    amountsOf(objectAt(resources, 'requests')),
    amountsOf(objectAt(resources, 'limits')),
  );
  const containers = [
    ...listAt(pod, 'spec', 'containers'),
    ...listAt(pod, 'spec', 'initContainers'),
  ].map((container) => {
    const given = new Map<string, Quantity>();
    const section = (name: string): Amounts => amountsOf(objectAt(container, 'resources', name));
    addCompute(given, section('requests'), section('limits'));
    return { name: textAt(container, 'name'), given };
  });
  return required
    .filter((name) => !whole.has(name))
    .map((name) => ({
      name,
      of: containers.filter(({ given }) => !given.has(name)).map((container) => container.name),
    }))
    .filter(({ of }) => of.length > 0)
    .map(({ name, of }) => `${name} for: ${of.sort().join(',')}`)
    .join('; ');
}

function nameOf(object: KubeObject): string {
  return object.metadata.name ?? '';
}
