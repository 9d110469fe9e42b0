import type { KubeClient } from '@capstan/kube-client';
import type { Json, KubeObject } from '@capstan/kube-object';
import { writeKnown } from './leave-out-unknown.ts';
import { withoutServerFields } from './without-server-fields.ts';
import { writeRepeated } from './write-repeated.ts';

export type ServerVerdict =
  | { readonly kind: 'same' }
  | { readonly kind: 'different' }
  /** The server could not say (forbidden, invalid, unreachable): never taken for `same`. */
  | { readonly kind: 'unknown'; readonly error: unknown };

/**
 * Whether applying `desired` would change `live`: one dry run, which knows every default, webhook and conversion. The
 * answer holds for this desired object and this resourceVersion of live.
 */
export async function askServer(
  desired: KubeObject,
  live: KubeObject,
  {
    client,
    fieldManager,
    withStatus = false,
    leavesOutUnknown = false,
    sendsRepeated = false,
    signal,
  }: {
    readonly client: KubeClient;
    readonly fieldManager: string;
    /** A change of status is one, too. */
    readonly withStatus?: boolean;
    /** As it would be applied less what no schema knows. */
    readonly leavesOutUnknown?: boolean;
    /** As it would be applied when its keyed lists may name a key twice. */
    readonly sendsRepeated?: boolean;
    readonly signal?: AbortSignal;
  },
): Promise<ServerVerdict> {
  try {
    const options = { fieldManager, dryRun: true, ...(signal === undefined ? {} : { signal }) };
    const predict = (known: KubeObject) => client.apply(known, { ...options, force: true });
    const merge = (part: KubeObject) =>
      leavesOutUnknown ? writeKnown(part, predict) : predict(part);
    const sent = withoutServerFields(desired);
    const predicted = await (sendsRepeated
      ? writeRepeated(sent, { client, merge, options })
      : merge(sent));
    const isSame = sameContent(predicted, live, withStatus);
    return { kind: isSame ? 'same' : 'different' };
  } catch (error) {
    signal?.throwIfAborted();
    return { kind: 'unknown', error };
  }
}

function sameContent(a: KubeObject, b: KubeObject, withStatus: boolean): boolean {
  return stable(content(a, withStatus)) === stable(content(b, withStatus));
}

function content(object: KubeObject, withStatus: boolean): Json {
  const { managedFields: _m, resourceVersion: _r, generation: _g, ...metadata } = object.metadata;
  const { status, ...rest } = object;
  return { ...rest, ...(withStatus && status !== undefined ? { status } : {}), metadata };
}

function stable(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(stable).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .sort(([x], [y]) => (x < y ? -1 : 1));
    return `{${members.map(([name, inner]) => `${JSON.stringify(name)}:${stable(inner)}`).join(',')}}`;
  }
  return typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? 'null');
}
