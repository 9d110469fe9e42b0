import { cloneJson, listAt, objectAt, textAt, timestamp } from '@capstan/kube-apiserver';
import type { KubeObject } from '@capstan/kube-object';
import type { Surroundings } from '../control-loop.ts';
import { withCondition } from '../pods.ts';
import { type Refusal, refusalText, whyNot } from './why-not.ts';

const RETRY_MS = 500;

/** Gives a pod a node, or says why there is none. */
export function schedulePod(pod: KubeObject, surroundings: Surroundings): void {
  if (listAt(pod, 'spec', 'schedulingGates').length > 0) return;
  const { client, record } = surroundings;
  const { namespace = '', name = '' } = pod.metadata;
  const found = missingClaim(pod, surroundings) ?? pickNode(pod, surroundings);
  if (typeof found === 'string') {
    refuse(pod, found, surroundings);
    return;
  }
  const node = found.metadata.name ?? '';
  const placed = client.bind(namespace, name, node);
  record(placed, 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${node}`);
}

function refuse(pod: KubeObject, message: string, surroundings: Surroundings): void {
  const { client, clock, again, record } = surroundings;
  again(`${pod.metadata.namespace}/${pod.metadata.name}`, RETRY_MS);
  const known = listAt(pod, 'status', 'conditions');
  if (known.some((item) => textAt(item, 'message') === message)) return;
  record(pod, 'Warning', 'FailedScheduling', message);
  const condition = {
    type: 'PodScheduled',
    observedGeneration: pod.metadata.generation ?? 1,
    status: 'False',
    lastProbeTime: null,
    reason: 'Unschedulable',
    message,
  };
  const conditions = withCondition(known, condition, timestamp(clock));
  const status = { ...cloneJson(objectAt(pod, 'status')), conditions };
  client.updateStatus('v1/pods', { ...cloneJson(pod), status });
}

function missingClaim(pod: KubeObject, { client }: Surroundings): string | undefined {
  const { namespace = '' } = pod.metadata;
  const claims = listAt(pod, 'spec', 'volumes').map((volume) =>
    textAt(volume, 'persistentVolumeClaim', 'claimName'),
  );
  const missing = claims.find(
    (claim) =>
      claim !== '' && client.get('v1/persistentvolumeclaims', namespace, claim) === undefined,
  );
  if (missing === undefined) return undefined;
  return `persistentvolumeclaim ${JSON.stringify(missing)} not found. not found`;
}

/** One of the nodes that take the pod, the same for the same pod; or why there is none. */
function pickNode(pod: KubeObject, { client }: Surroundings): KubeObject | string {
  const fitting: KubeObject[] = [];
  const refusals: Refusal[] = [];
  for (const node of client.list('v1/nodes')) {
    const refusal = whyNot(pod, node, client.nodeLoad(node.metadata.name ?? ''));
    if (refusal === undefined) fitting.push(node);
    else refusals.push(refusal);
  }
  const uid = pod.metadata.uid ?? '';
  let at = 0;
  for (let i = 0; i < uid.length; i++) at = (at * 31 + uid.charCodeAt(i)) % 65_521;
  return fitting[at % fitting.length] ?? refusalText(refusals);
}
