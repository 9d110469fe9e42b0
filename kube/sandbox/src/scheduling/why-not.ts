import { listAt, objectAt, textAt, valueAt } from '@capstan/kube-apiserver';
import { type KubeObject, parseQuantity } from '@capstan/kube-object';
import { isChosenNode } from './node-affinity.ts';
import { conflictWith, hostPortsOf, type NodeLoad, requestsOf } from './node-loads.ts';
import { isOpenNode, toleratesNode } from './taints.ts';

/** Why a node is nothing for a pod, in the words of kube-scheduler. */
export interface Refusal {
  readonly reasons: readonly string[];
  /** Whether it would help if other pods went. */
  readonly isCrowded: boolean;
}

/** The first of the scheduler's filters that a node does not pass; undefined when it takes the pod. */
export function whyNot(pod: KubeObject, node: KubeObject, load: NodeLoad): Refusal | undefined {
  const tolerations = listAt(pod, 'spec', 'tolerations');
  if (!isOpenNode(tolerations, node)) return never('node(s) were unschedulable');
  if (!toleratesNode(tolerations, node)) return never('node(s) had untolerated taint(s)');
  if (!isChosenNode(valueAt(pod, 'spec'), node)) {
    return never("node(s) didn't match Pod's node affinity/selector");
  }
  if (hostPortsOf(pod).some((port) => load.hostPorts.some(conflictWith(port)))) {
    const reason = "node(s) didn't have free ports for the requested pod ports";
    return { reasons: [reason], isCrowded: true };
  }
  return whyNoRoom(pod, node, load);
}

function never(reason: string): Refusal {
  return { reasons: [reason], isCrowded: false };
}

function whyNoRoom(pod: KubeObject, node: KubeObject, load: NodeLoad): Refusal | undefined {
  const allocatable = objectAt(node, 'status', 'allocatable');
  const reasons: string[] = [];
  let isCrowded = true;
  for (const [name, wanted] of requestsOf(pod)) {
    const { nanos: room } = parseQuantity(textAt(allocatable, name)) ?? { nanos: 0n };
    if (wanted <= room - (load.amounts.get(name) ?? 0n)) continue;
    if (wanted > room) isCrowded = false;
    reasons.push(name === 'pods' ? 'Too many pods' : `Insufficient ${name}`);
  }
  return reasons.length === 0 ? undefined : { reasons, isCrowded };
}

/** What the scheduler says of a pod that no node takes. */
export function refusalText(refusals: readonly Refusal[]): string {
  if (refusals.length === 0) return 'no nodes available to schedule pods';
  const available = `0/${refusals.length} nodes are available: `;
  const why = counted(refusals.flatMap(({ reasons }) => reasons));
  const preemption = counted(
    refusals.map(({ isCrowded }) =>
      isCrowded
        ? 'No preemption victims found for incoming pod'
        : 'Preemption is not helpful for scheduling',
    ),
  );
  return `${available}${why}. preemption: ${available}${preemption}.`;
}

function counted(reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort((left, right) => (left < right ? -1 : 1))
    .join(', ');
}
