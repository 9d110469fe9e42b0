import type { FieldDifference } from '@capstan/engine-diff';
import { type KubeObject, keyString, type ObjectKey } from '@capstan/kube-object';
import { arbitrate, compareLive } from './compare-live.ts';
import { loadDesired } from './load-desired.ts';
import type { DeliveryPorts, SignalOptions } from './ports.ts';
import type { Delivery } from './types.ts';

export interface ObjectInsight {
  readonly desired: KubeObject | undefined;
  readonly differences: readonly FieldDifference[];
}

/** What is desired of one object and where it differs, worked out anew; undefined when the delivery does not speak of it. */
export async function inspectObject(
  delivery: Delivery,
  key: ObjectKey,
  { ports, signal }: { readonly ports: DeliveryPorts } & SignalOptions,
): Promise<ObjectInsight | undefined> {
  const loaded = await loadDesired(delivery, ports, { signal, maxAgeMs: Number.POSITIVE_INFINITY });
  const compared = await compareLive(delivery, loaded.prepared, { ports, signal, inventory: [] });
  const wanted = keyString(key);
  const found = compared.entries.find((entry) => keyString(entry.key) === wanted);
  if (found !== undefined) {
    const [entry = found] = await arbitrate([found], delivery, { ports, signal });
    return { desired: entry.desired?.object, differences: entry.differences };
  }
  const hook = loaded.prepared?.hooks.find(
    ({ object }) => object.metadata.name === key.name && object.kind === key.kind,
  );
  return hook === undefined ? undefined : { desired: hook.object, differences: [] };
}
