/** What a controller wrote about an object, as lines that two controllers can be compared by. */
import type { KubeClient } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { at } from '../cluster/support.ts';

/** Status, conditions and events, less what differs by nature: times and durations. */
export async function toldOf(client: KubeClient, object: KubeObject): Promise<readonly string[]> {
  const { namespace = '', name = '' } = object.metadata;
  const { conditions = [], ...status } = (object['status'] ?? {}) as {
    readonly conditions?: readonly Readonly<Record<string, unknown>>[];
  };
  const { items } = await client.list({ apiVersion: 'v1', kind: 'Event' }, { namespace });
  const events = items.filter(
    (event) =>
      at(event, 'involvedObject', 'name') === name &&
      at(event, 'involvedObject', 'kind') === object.kind,
  );
  return [
    ...Object.entries(status).map(([key, value]) => `${key}: ${JSON.stringify(value, lasting)}`),
    ...conditions.map((one) =>
      `${one['type']}=${one['status']} ${one['reason']}: ${one['message']}`.trimEnd(),
    ),
    ...new Set(events.map((one) => `${one['type']} ${one['reason']} ${one['message']}`.trimEnd())),
  ];
}

const PASSING =
  /^(last|first)(UpdateTime|Reconciled|ReconciledDuration|Deployed|Started|Completed|AttemptedReleaseActionDuration)$|^(totalReconciliations|deleted|size)$/;

function lasting(key: string, value: unknown): unknown {
  return PASSING.test(key) ? undefined : value;
}
