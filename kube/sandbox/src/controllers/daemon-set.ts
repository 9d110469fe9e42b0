import {
  childDraft,
  cloneJson,
  type DraftObject,
  equalJson,
  flagAt,
  listAt,
  numberAt,
  objectAt,
  textAt,
  valueAt,
} from '@capstan/kube-apiserver';
import type { Json, KubeObject } from '@capstan/kube-object';
import { claimantKeys, claimed } from '../claim.ts';
import { type Controller, controllerKey, type Surroundings, splitKey } from '../control-loop.ts';
import {
  countOrShare,
  isActive,
  isPodReady,
  isTerminating,
  ownedBy,
  podFromTemplate,
  templateOf,
} from '../pods.ts';
import { isChosenNode } from '../scheduling/node-affinity.ts';
import { toleratesNode } from '../scheduling/taints.ts';
import { takeRevision } from './stateful-set.ts';

const SETS = 'apps/v1/daemonsets';
const REVISION_LABEL = 'controller-revision-hash';

/** DaemonSets: one pod on each node that the template's selector allows. */
export const daemonSetController: Controller = {
  name: 'daemonset-controller',
  keysFor(event, client) {
    if (event.bucket === 'apps/daemonsets') return event.removed ? [] : [event.key];
    if (event.bucket === '/pods') {
      return [...controllerKey(event, 'DaemonSet'), ...claimantKeys(event, client, SETS)];
    }
    if (event.bucket !== '/nodes') return [];
    const { object, previous, removed } = event;
    if (previous !== undefined && !removed && !isOtherPlace(object, previous)) return [];
    return client.list(SETS).map((set) => `${set.metadata.namespace}/${set.metadata.name}`);
  },
  reconcile(key, surroundings) {
    const { client } = surroundings;
    const set = client.get(SETS, ...splitKey(key));
    if (set === undefined) return;
    const revision = takeRevision(set, surroundings).slice((set.metadata.name ?? '').length + 1);
    const nodes = fittingNodes(set, client.list('v1/nodes'));
    if (!isTerminating(set)) step(set, revision, nodes, surroundings);
    const latest = client.get(SETS, ...splitKey(key));
    if (latest !== undefined) report(latest, revision, nodes, surroundings);
  },
};

/** Whether a node may be another one to daemons than it was. */
function isOtherPlace(node: KubeObject, before: KubeObject): boolean {
  const placeOf = ({ metadata, ...rest }: KubeObject): Json[] => [
    { ...metadata.labels },
    valueAt(rest, 'spec', 'taints') ?? [],
  ];
  return !equalJson(placeOf(node), placeOf(before));
}

/** The nodes that shall run a daemon; room is not looked at, for what it needs may come free. */
function fittingNodes(set: KubeObject, nodes: readonly KubeObject[]): string[] {
  const spec = valueAt(set, 'spec', 'template', 'spec');
  const pinned = textAt(spec, 'nodeName');
  const tolerations = tolerationsOf(spec);
  return nodes
    .filter((node) => pinned === '' || pinned === node.metadata.name)
    .filter((node) => isChosenNode(spec, node) && toleratesNode(tolerations, node))
    .map((node) => node.metadata.name ?? '');
}

const TOLERATED: readonly (readonly [key: string, effect: string])[] = [
  ['not-ready', 'NoExecute'],
  ['unreachable', 'NoExecute'],
  ['disk-pressure', 'NoSchedule'],
  ['memory-pressure', 'NoSchedule'],
  ['pid-pressure', 'NoSchedule'],
  ['unschedulable', 'NoSchedule'],
];

/** Those of the template, and what every daemon puts up with. */
function tolerationsOf(spec: Json | undefined): DraftObject[] {
  const network = flagAt(spec, 'hostNetwork')
    ? [['network-unavailable', 'NoSchedule'] as const]
    : [];
  const own = listAt(spec, 'tolerations').map((toleration) => cloneJson(objectAt(toleration)));
  const added = [...TOLERATED, ...network]
    .map(([name, effect]) => ({ key: `node.kubernetes.io/${name}`, operator: 'Exists', effect }))
    .filter((toleration) => !own.some((one) => equalJson(one, toleration)));
  return [...own, ...added];
}

function step(
  set: KubeObject,
  revision: string,
  nodes: readonly string[],
  { client, record }: Surroundings,
): void {
  const pods = claimed(client, { path: 'v1/pods', owner: set });
  const onNode = new Map<string, KubeObject[]>();
  for (const pod of pods) {
    const node = nodeOf(pod);
    onNode.set(node, [...(onNode.get(node) ?? []), pod]);
  }
  for (const node of nodes) {
    if ((onNode.get(node) ?? []).length > 0) continue;
    const made = podFromTemplate(set, templateOf(set), {
      labels: { [REVISION_LABEL]: revision, 'pod-template-generation': generationOf(set) },
    });
    const spec = childDraft(made, 'spec');
    spec['tolerations'] = tolerationsOf(spec);
    const required = 'requiredDuringSchedulingIgnoredDuringExecution';
    childDraft(childDraft(spec, 'affinity'), 'nodeAffinity')[required] = termsOf(node);
    const pod = client.create('v1/pods', made);
    record(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
  }
  for (const pod of pods) {
    const gone = !nodes.includes(nodeOf(pod)) || textAt(pod, 'status', 'phase') === 'Failed';
    if (gone && !isTerminating(pod)) {
      client.remove('v1/pods', pod.metadata.namespace ?? '', pod.metadata.name ?? '');
    }
  }
  if (textAt(set, 'spec', 'updateStrategy', 'type') === 'OnDelete') return;
  const rolling = objectAt(set, 'spec', 'updateStrategy', 'rollingUpdate');
  const allowed = Math.max(1, countOrShare(rolling['maxUnavailable'], nodes.length, true));
  const isServed = (node: string): boolean =>
    pods.some((pod) => nodeOf(pod) === node && isActive(pod) && isPodReady(pod));
  let missing = nodes.filter((node) => !isServed(node)).length;
  for (const pod of pods) {
    if (pod.metadata.labels?.[REVISION_LABEL] === revision || isTerminating(pod)) continue;
    const broken = !isPodReady(pod);
    if (!broken && missing >= allowed) break;
    if (!broken) missing++;
    client.remove('v1/pods', pod.metadata.namespace ?? '', pod.metadata.name ?? '');
    record(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
  }
}

function generationOf(set: KubeObject): string {
  return set.metadata.annotations?.['deprecated.daemonset.template.generation'] ?? '1';
}

/** The one node that a daemon's pod is for, instead of all that the template allows. */
function termsOf(node: string): DraftObject {
  return {
    nodeSelectorTerms: [
      { matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] },
    ],
  };
}

/** The node a daemon's pod is meant for, also before it is scheduled. */
function nodeOf(pod: KubeObject): string {
  const bound = textAt(pod, 'spec', 'nodeName');
  if (bound !== '') return bound;
  const text = JSON.stringify(valueAt(pod, 'spec', 'affinity') ?? '');
  return /"metadata\.name","operator":"In","values":\["([^"]+)"/.exec(text)?.[1] ?? '';
}

function report(
  set: KubeObject,
  revision: string,
  nodes: readonly string[],
  { client }: Surroundings,
): void {
  const pods = ownedBy(client, 'v1/pods', set).filter(isActive);
  const wanted = pods.filter((pod) => nodes.includes(nodeOf(pod)));
  const ready = wanted.filter(isPodReady);
  const updated = wanted.filter((pod) => pod.metadata.labels?.[REVISION_LABEL] === revision);
  const status: DraftObject = {
    currentNumberScheduled: wanted.length,
    numberMisscheduled: pods.length - wanted.length,
    desiredNumberScheduled: nodes.length,
    numberReady: ready.length,
    observedGeneration: numberAt(set, 'metadata', 'generation') ?? 1,
    ...(updated.length > 0 ? { updatedNumberScheduled: updated.length } : {}),
    ...(ready.length > 0 ? { numberAvailable: ready.length } : {}),
    ...(nodes.length > ready.length ? { numberUnavailable: nodes.length - ready.length } : {}),
  };
  if (equalJson(status, valueAt(set, 'status'))) return;
  client.updateStatus(SETS, { ...cloneJson(set), status });
}
