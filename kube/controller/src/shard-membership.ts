import { type FollowEvent, isConflict, isNotFound, type KubeClient } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { type Clock, passedMs } from '@capstan/lib-std';
import type { GateTenant, KeyGate } from './key-gate.ts';
import { durationMsOf, holderOf, microTime } from './leader-elector.ts';
import { mayRun } from './shard-view.ts';
import { systemClock } from './system-clock.ts';
import { waitMs } from './wait.ts';

export interface ShardMembershipOptions {
  readonly client: Pick<KubeClient, 'follow' | 'apply' | 'delete'>;
  readonly namespace: string;
  /** Replicas of one group share the keys, e.g. `capstan`. */
  readonly group: string;
  /** Of this process alone: two processes of one identity would both do its work. */
  readonly identity: string;
  /** A replica that did not renew for this long is out. 15 s by default; renewed at a third of it. */
  readonly leaseDurationMs?: number;
  readonly clock?: Clock;
  /** The set of living members changed. */
  readonly onChange?: (members: readonly string[]) => void;
  /** What another replica announced. */
  readonly onAnnouncement?: (text: string) => void;
  readonly onError?: (error: unknown) => void;
}

export interface ShardMembership extends KeyGate {
  /** Sorted; this replica is among them once its own lease was seen. */
  members(): readonly string[];
  /** Tells all other replicas of something, once. Announcements that follow at once may become one. */
  announce(text: string): void;
}

export const shardLabel = 'capstan.dev/shard-group';
const VIEW = 'capstan.dev/shard-view';
const ANNOUNCED = 'capstan.dev/announced';
const LEASE = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' } as const;
/** Announcements in one write; older ones are only of use to a replica that did not look for a while. */
const ANNOUNCED_MAX = 20;

/**
 * Keeps one Lease per replica and watches those of the others, until `signal` aborts; then gives the own one up. No key is
 * ever owned by two replicas at once: a replica first stops what it gives up, then says by whom it shares (an annotation of
 * its Lease), and takes up a key only when no other living replica's word stands against it. It stops everything when it
 * could not renew in time, before the others count it out.
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
  readonly version: string;
  readonly durationMs: number;
  readonly atMs: number;
  readonly view: readonly string[];
  readonly announced: readonly string[];
}

class Members implements ShardMembership {
  readonly #options: ShardMembershipOptions;
  readonly #clock: Clock;
  readonly #durationMs: number;
  readonly #leaseName: string;
  readonly #seen = new Map<string, Seen>();
  readonly #tenants = new Set<GateTenant>();
  #members: readonly string[] = [];
  /**
   * The views by which others may see this replica: the one that the watch showed last in the own Lease (and with it all
   * that others wrote before), then those that were, or are to be, written since.
   */
  #spoken: readonly (readonly string[])[] = [[]];
  #announced: string[] = [];
  #announcements = 0;
  /** Of the own Lease, so that a write that was given up cannot come in after a later one. */
  #version: string | undefined;
  /** Counts what there is to write. */
  #wanted = 0;
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #changing: Promise<void> | undefined;
  #wakeRenewal: () => void = () => undefined;

  constructor(options: ShardMembershipOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock();
    this.#durationMs = options.leaseDurationMs ?? 15_000;
    const { group, identity } = options;
    this.#leaseName = `${group}-shard-${identity}`.toLowerCase().replace(/[^a-z0-9.-]/g, '-');
  }

  members(): readonly string[] {
    return this.#members;
  }

  owns(key: string): boolean {
    if (!this.#isCurrent()) return false;
    const { identity } = this.#options;
    const others = this.#living().flatMap(({ holder, view }) =>
      holder === identity ? [] : [{ identity: holder, view }],
    );
    return mayRun(key, { identity, views: [...this.#spoken, this.#members] }, others);
  }

  join(tenant: GateTenant): () => void {
    this.#tenants.add(tenant);
    return () => this.#tenants.delete(tenant);
  }

  announce(text: string): void {
    this.#announcements++;
    const told = `${this.#announcements} ${text.replaceAll('\n', ' ')}`;
    this.#announced = [...this.#announced, told].slice(-ANNOUNCED_MAX);
    this.#renewNow();
  }

  async renew(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startedMs = passedMs(this.#clock);
      const writes = this.#wanted;
      try {
        const limit = AbortSignal.any([
          signal,
          AbortSignal.timeout(Math.ceil(this.#durationMs / 3)),
        ]);
        await this.#write(limit);
        this.#renewedAtMs = startedMs;
      } catch (error) {
        this.#version = undefined;
        if (!signal.aborted && !isConflict(error)) this.#options.onError?.(error);
      }
      if (!this.#isCurrent()) await this.#release();
      this.#recount();
      if (writes === this.#wanted || !this.#isCurrent()) await this.#pauseRenewal(signal);
    }
  }

  async watch(signal: AbortSignal): Promise<void> {
    const { client, namespace, group } = this.#options;
    const labelSelector = `${shardLabel}=${group}`;
    const events = client.follow(LEASE, { namespace, labelSelector, signal });
    try {
      for await (const event of events) this.#take(event);
    } catch (error) {
      if (!signal.aborted) this.#options.onError?.(error);
    }
  }

  async leave(): Promise<void> {
    await this.#changing;
    await this.#remove(this.#leaseName, undefined);
  }

  /** The others still wait for this replica: less time than they give it, counted from before its last renewal. */
  #isCurrent(): boolean {
    return passedMs(this.#clock) < this.#renewedAtMs + this.#durationMs * (2 / 3);
  }

  async #pauseRenewal(signal: AbortSignal): Promise<void> {
    using pause = abortable(signal);
    this.#wakeRenewal = pause.abort;
    // After a failure sooner: what is owned ends with the lease.
    const delayMs = this.#durationMs / (this.#isCurrent() ? 3 : 10);
    await waitMs(delayMs, { signal: pause.signal, clock: this.#clock }).catch(() => {});
  }

  async #write(signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    const options = { fieldManager: 'capstan-shards', force: true, signal };
    const written = await client.apply(this.#lease(), options);
    this.#version = written.metadata.resourceVersion;
  }

  #renewNow(): void {
    this.#wanted++;
    this.#wakeRenewal();
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
    for (const tenant of this.#tenants) tenant.resume();
  }

  #see(lease: KubeObject): void {
    const { name = '', resourceVersion = '', annotations = {} } = lease.metadata;
    const before = this.#seen.get(name);
    if (before?.version === resourceVersion) return;
    const seen: Seen = {
      holder: holderOf(lease),
      version: resourceVersion,
      durationMs: durationMsOf(lease),
      atMs: passedMs(this.#clock),
      view: split(annotations[VIEW], ' '),
      announced: split(annotations[ANNOUNCED], '\n'),
    };
    this.#seen.set(name, seen);
    if (seen.holder === this.#options.identity) {
      this.#confirm(seen.view);
      return;
    }
    for (const text of seen.announced) {
      const isNew = before !== undefined && !before.announced.includes(text);
      if (isNew) this.#options.onAnnouncement?.(text.slice(text.indexOf(' ') + 1));
    }
  }

  #confirm(view: readonly string[]): void {
    const text = view.join(' ');
    const at = this.#spoken.findLastIndex((spoken) => spoken.join(' ') === text);
    // Nothing that this process said: what was before it, which goes with the next write.
    this.#spoken = at < 0 ? [view, ...this.#spoken] : this.#spoken.slice(at);
  }

  get #published(): readonly string[] {
    return this.#spoken.at(-1) ?? [];
  }

  #living(): readonly Seen[] {
    const now = passedMs(this.#clock);
    return [...this.#seen.values()].filter(
      ({ holder, atMs, durationMs }) => holder !== '' && now < atMs + durationMs,
    );
  }

  #recount(): void {
    const members = [...new Set(this.#living().map(({ holder }) => holder))].sort();
    if (members.join(' ') !== this.#members.join(' ')) {
      this.#members = members;
      this.#options.onChange?.(members);
    }
    if (members.join(' ') !== this.#published.join(' ')) {
      this.#changing ??= this.#change().finally(() => {
        this.#changing = undefined;
      });
    }
    this.#clearAway();
  }

  /** First stop what goes to others, then say so; what comes is taken up when the watch shows it. */
  async #change(): Promise<void> {
    while (this.#members.join(' ') !== this.#published.join(' ')) {
      const next = this.#members;
      await this.#release();
      this.#spoken = [...this.#spoken, next];
      this.#renewNow();
    }
  }

  async #release(): Promise<void> {
    await Promise.all([...this.#tenants].map((tenant) => tenant.release()));
  }

  /** Replicas that ended without a word leave their Leases behind. */
  #clearAway(): void {
    const now = passedMs(this.#clock);
    for (const [name, { atMs, durationMs, version }] of this.#seen) {
      if (name === this.#leaseName || now < atMs + 4 * Math.max(durationMs, 1_000)) continue;
      this.#seen.delete(name);
      void this.#remove(name, version);
    }
  }

  async #remove(name: string, resourceVersion: string | undefined): Promise<void> {
    const { client, namespace, onError } = this.#options;
    const preconditions =
      resourceVersion === undefined ? {} : { preconditions: { resourceVersion } };
    const signal = AbortSignal.timeout(5_000);
    try {
      await client.delete({ ...LEASE, namespace, name }, { signal, ...preconditions });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) onError?.(error);
    }
  }

  #lease(): KubeObject {
    const { namespace, group, identity } = this.#options;
    return {
      ...LEASE,
      metadata: {
        name: this.#leaseName,
        namespace,
        ...(this.#version === undefined ? {} : { resourceVersion: this.#version }),
        labels: { [shardLabel]: group },
        annotations: {
          [VIEW]: this.#published.join(' '),
          ...(this.#announced.length === 0 ? {} : { [ANNOUNCED]: this.#announced.join('\n') }),
        },
      },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(this.#durationMs / 1000),
        renewTime: microTime(this.#clock.now()),
      },
    };
  }
}

function split(text: string | undefined, by: string): readonly string[] {
  return text === undefined || text === '' ? [] : text.split(by);
}

/** A signal that ends with another, or when told. */
function abortable(parent: AbortSignal) {
  const own = new AbortController();
  const stop = () => own.abort(parent.reason);
  parent.addEventListener('abort', stop, { once: true });
  if (parent.aborted) stop();
  return {
    signal: own.signal,
    abort: () => own.abort(),
    [Symbol.dispose]: () => parent.removeEventListener('abort', stop),
  };
}
