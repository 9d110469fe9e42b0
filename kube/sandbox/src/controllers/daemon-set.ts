import {
  childDraft,
  cloneJson,
  type DraftObject,
  equalJson,
  numberAt,
  objectAt,
  textAt,
  valueAt,
} from '@capstan/kube-apiserver';
import type { KubeObject } from '@capstan/kube-object';
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
import { takeRevision } from './stateful-set.ts';

const SETS = 'apps/v1/daemonsets';
const REVISION_LABEL = 'controller-revision-hash';

/** DaemonSets: one pod on each node that the template's selector allows. */
export const daemonSetController: Controller = {
  name: 'daemonset-controller',
  keysFor(event, client) {
    if (event.bucket === 'apps/daemonsets') return event.removed ? [] : [event.key];
    if (event.bucket === '/pods') return controllerKey(event, 'DaemonSet');
    if (event.bucket !== '/nodes' || (event.previous !== undefined && !event.removed)) return [];
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

function fittingNodes(set: KubeObject, nodes: readonly KubeObject[]): string[] {
  const selector = objectAt(set, 'spec', 'template', 'spec', 'nodeSelector');
  return nodes
    .filter((node) =>
      Object.entries(selector).every(([key, value]) => node.metadata.labels?.[key] === value),
    )
    .map((node) => node.metadata.name ?? '');
}

function step(
  set: KubeObject,
  revision: string,
  nodes: readonly string[],
  { client, record }: Surroundings,
): void {
  const pods = ownedBy(client, 'v1/pods', set);
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
    childDraft(made, 'spec')['affinity'] = nodeAffinity(node);
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
  let missing = pods.filter((pod) => !isActive(pod) || !isPodReady(pod)).length;
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

function nodeAffinity(node: string): DraftObject {
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          { matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] },
        ],
      },
    },
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
