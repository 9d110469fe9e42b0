import { type FollowEvent, isAlreadyExists, type KubeClient } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import type { Clock } from '@capstan/lib-std';
import { durationMsOf, holderOf, microTime } from './leader-elector.ts';
import { ownerOf } from './rendezvous.ts';
import { systemClock } from './system-clock.ts';
import { waitMs } from './wait.ts';

export interface ShardMembershipOptions {
  readonly client: Pick<KubeClient, 'follow' | 'apply' | 'delete'>;
  readonly namespace: string;
  /** Replicas of one group share the keys, e.g. `capstan-controllers`. */
  readonly group: string;
  readonly identity: string;
  /** A replica that did not renew for this long is out. 15 s by default; renewed at a third of it. */
  readonly leaseDurationMs?: number;
  readonly clock?: Clock;
  /** The set of members changed: enqueue everything again, each replica then drops what it does not own. */
  readonly onChange?: (members: readonly string[]) => void;
  readonly onError?: (error: unknown) => void;
}

export interface ShardMembership {
  /** Sorted; this replica is among them once its own lease was seen. */
  members(): readonly string[];
  /** Whether this replica is the one to reconcile the key. False before its own lease was seen. */
  owns(key: string): boolean;
}

export const shardLabel = 'capstan.dev/shard-group';

/**
 * Keeps one Lease per replica and watches those of the others, until `signal` aborts; then gives the own one up. For a
 * moment around a change two replicas may both own a key, or none: reconciles are level-based and bear that.
 */
export async function runShardMember(
  options: ShardMembershipOptions,
  run: (membership: ShardMembership) => Promise<void>,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const members = new Members(options);
  const life = new AbortController();
  const stop = () => life.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const background = Promise.all([members.renew(life.signal), members.watch(life.signal)]);
  try {
    await run(members);
  } finally {
    life.abort(new DOMException('this replica leaves', 'AbortError'));
    signal.removeEventListener('abort', stop);
    await background;
    await members.leave();
  }
}

interface Seen {
  readonly holder: string;
  readonly renewals: string;
  readonly durationMs: number;
  readonly atMs: number;
}

class Members implements ShardMembership {
  readonly #options: ShardMembershipOptions;
  readonly #clock: Clock;
  readonly #durationMs: number;
  readonly #seen = new Map<string, Seen>();
  #members: readonly string[] = [];

  constructor(options: ShardMembershipOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock();
    this.#durationMs = options.leaseDurationMs ?? 15_000;
  }

  members(): readonly string[] {
    return this.#members;
  }

  owns(key: string): boolean {
    return ownerOf(key, this.#members) === this.#options.identity;
  }

  async renew(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#options.client.apply(this.#lease(), {
          fieldManager: 'capstan-shards',
          force: true,
          signal,
        });
      } catch (error) {
        if (!signal.aborted && !isAlreadyExists(error)) this.#options.onError?.(error);
      }
      this.#recount();
      await waitMs(this.#durationMs / 3, { signal, clock: this.#clock }).catch(() => {});
    }
  }

  async watch(signal: AbortSignal): Promise<void> {
    const { client, namespace, group } = this.#options;
    const events = client.follow(
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
      { namespace, labelSelector: `${shardLabel}=${group}`, signal },
    );
    try {
      for await (const event of events) this.#take(event);
    } catch (error) {
      if (!signal.aborted) this.#options.onError?.(error);
    }
  }

  async leave(): Promise<void> {
    const { client, namespace } = this.#options;
    const { name = '' } = this.#lease().metadata;
    const signal = AbortSignal.timeout(5_000);
    await client
      .delete({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name }, { signal })
      .catch((error: unknown) => this.#options.onError?.(error));
  }

  #take(event: FollowEvent): void {
    if (event.type === 'INTERRUPTED') {
      this.#options.onError?.(event.error);
      return;
    }
    if (event.type === 'STATE') {
      const present = new Set(event.objects.map(({ metadata }) => metadata.name ?? ''));
      for (const name of this.#seen.keys()) if (!present.has(name)) this.#seen.delete(name);
      for (const lease of event.objects) this.#see(lease);
    } else if (event.type === 'CHANGED') {
      this.#see(event.object);
    } else if (event.type === 'DELETED') {
      this.#seen.delete(event.object.metadata.name ?? '');
    }
    this.#recount();
  }

  #see(lease: KubeObject): void {
    const { name = '', resourceVersion = '' } = lease.metadata;
    if (this.#seen.get(name)?.renewals === resourceVersion) return;
    this.#seen.set(name, {
      holder: holderOf(lease),
      renewals: resourceVersion,
      durationMs: durationMsOf(lease),
      atMs: this.#clock.now(),
    });
  }

  #recount(): void {
    const now = this.#clock.now();
    const alive = [...this.#seen.values()].filter(
      ({ holder, atMs, durationMs }) => holder !== '' && now < atMs + durationMs,
    );
    const members = [...new Set(alive.map(({ holder }) => holder))].sort();
    if (members.join('\n') === this.#members.join('\n')) return;
    this.#members = members;
    this.#options.onChange?.(members);
  }

  #lease(): KubeObject {
    const { namespace, group, identity } = this.#options;
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name: `${group}-shard-${identity}`.toLowerCase().replace(/[^a-z0-9.-]/g, '-'),
        namespace,
        labels: { [shardLabel]: group },
      },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(this.#durationMs / 1000),
        renewTime: microTime(this.#clock.now()),
      },
    };
  }
}
