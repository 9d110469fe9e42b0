import {
  ApiError,
  formatJson,
  isAlreadyExists,
  isConflict,
  isNotFound,
  type KubeClient,
} from '@capstan/kube-client';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { type Clock, invariant, passedMs } from '@capstan/lib-std';
import { LeadershipLost } from './interruption.ts';
import { systemClock } from './system-clock.ts';
import { waitMs } from './wait.ts';

export interface LeaderElectionOptions {
  readonly client: Pick<KubeClient, 'find' | 'create' | 'update'>;
  readonly namespace: string;
  /** Of the Lease, e.g. `capstan-controllers`. */
  readonly name: string;
  /** Unique among the candidates, e.g. the Pod's name. */
  readonly identity: string;
  /** How long others wait after the last renewal that they saw. 15 s by default, as client-go. */
  readonly leaseDurationMs?: number;
  /** The leader gives up when it could not renew for this long. 10 s by default; below leaseDurationMs. */
  readonly renewDeadlineMs?: number;
  /** Between two tries. 2 s by default. */
  readonly retryPeriodMs?: number;
  readonly clock?: Clock;
  /** Whom the lease names, whenever that changes ('' for nobody). */
  readonly onLeader?: (identity: string) => void;
  /** A try failed (the server is out of reach, forbidden); it goes on. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Runs `lead` whenever this process holds the Lease, until `signal` aborts; interoperates with client-go's leader election
 * over coordination.k8s.io/v1 Leases. `lead` gets a signal that aborts with LeadershipLost when the lease is lost or cannot
 * be renewed; when `lead` ended, the process stands again. On shutdown the lease is released, so that the next one need not
 * wait. Clocks of the candidates may differ: expiry is counted from when this process saw a renewal.
 */
export async function runAsLeader(
  options: LeaderElectionOptions,
  lead: (signal: AbortSignal) => Promise<void>,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const lease = new HeldLease(options);
  const retryPeriodMs = options.retryPeriodMs ?? 2_000;
  while (!signal.aborted) {
    if (await lease.tryHold(signal)) await leadWhileHeld(lease, lead, signal);
    // As client-go, up to 1.2 times longer, so that candidates do not move in step.
    const pauseMs = retryPeriodMs * (1 + 0.2 * Math.random());
    await waitMs(pauseMs, { signal, clock: lease.clock }).catch(() => {});
  }
}

async function leadWhileHeld(
  lease: HeldLease,
  lead: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const term = new AbortController();
  const stop = () => term.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  let ended = false;
  const leading = lead(term.signal).finally(() => {
    ended = true;
    term.abort(new LeadershipLost(lease.label));
  });
  leading.catch(() => {});
  try {
    await lease.keepHolding(term.signal);
    if (!ended && !signal.aborted) term.abort(new LeadershipLost(lease.label));
    await leading.catch((error: unknown) => {
      if (!term.signal.aborted || error !== term.signal.reason) throw error;
    });
  } finally {
    signal.removeEventListener('abort', stop);
    await lease.release();
  }
}

class HeldLease {
  readonly clock: Clock;
  readonly label: string;
  readonly #options: LeaderElectionOptions;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  /** The Lease as last seen, and when this process saw it change. */
  #seen: KubeObject | undefined;
  #seenAtMs = 0;
  #leader: string | undefined;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.clock = options.clock ?? systemClock();
    this.label = `${options.namespace}/${options.name}`;
    this.#leaseDurationMs = options.leaseDurationMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryPeriodMs = options.retryPeriodMs ?? 2_000;
    invariant(options.identity !== '', 'a candidate needs an identity');
    invariant(
      this.#leaseDurationMs > this.#renewDeadlineMs,
      'leaseDuration must exceed renewDeadline',
    );
    invariant(
      this.#renewDeadlineMs > this.#retryPeriodMs * 1.2,
      'renewDeadline must exceed retryPeriod',
    );
  }

  /** One try: true when the lease now names this process. */
  async tryHold(signal: AbortSignal): Promise<boolean> {
    try {
      return await this.#tryOnce(signal);
    } catch (error) {
      if (!signal.aborted && !isConflict(error) && !isAlreadyExists(error)) {
        this.#options.onError?.(error);
      }
      return false;
    }
  }

  /** Returns when the lease is lost, could not be renewed in time, or the signal aborts. */
  async keepHolding(signal: AbortSignal): Promise<void> {
    let renewedAtMs = passedMs(this.clock);
    while (!signal.aborted) {
      await waitMs(this.#retryPeriodMs, { signal, clock: this.clock }).catch(() => {});
      if (signal.aborted) return;
      const leftMs = renewedAtMs + this.#renewDeadlineMs - passedMs(this.clock);
      if (leftMs <= 0) return;
      const startedMs = passedMs(this.clock);
      const limit = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(leftMs))]);
      if (await this.tryHold(limit)) renewedAtMs = startedMs;
      else if (this.#leader !== undefined && this.#leader !== this.#options.identity) return;
    }
  }

  /** Best effort: whoever cannot be reached will wait for the lease to expire. */
  async release(): Promise<void> {
    const held = this.#seen;
    if (held === undefined || holderOf(held) !== this.#options.identity) return;
    const signal = AbortSignal.timeout(this.#renewDeadlineMs);
    try {
      await this.#giveBack(held, signal).catch(async (error: unknown) => {
        if (!isConflict(error)) throw error;
        // A renewal that was broken off may have been written all the same.
        const { apiVersion, kind, metadata } = held;
        const { namespace = '', name = '' } = metadata;
        const current = await this.#options.client.find(
          { apiVersion, kind, namespace, name },
          { signal },
        );
        if (current !== undefined && holderOf(current) === this.#options.identity) {
          await this.#giveBack(current, signal);
        }
      });
    } catch (error) {
      this.#seen = undefined;
      if (!(error instanceof ApiError)) this.#options.onError?.(error);
    }
  }

  async #giveBack(held: KubeObject, signal: AbortSignal): Promise<void> {
    const now = microTime(this.clock.now());
    const spec = {
      ...specOf(held),
      holderIdentity: '',
      leaseDurationSeconds: 1,
      renewTime: now,
      acquireTime: now,
    };
    this.#see(await this.#options.client.update({ ...held, spec }, { signal }));
  }

  async #tryOnce(signal: AbortSignal): Promise<boolean> {
    const { client, namespace, name, identity } = this.#options;
    const now = passedMs(this.clock);
    if (this.#seen !== undefined && holderOf(this.#seen) === identity) {
      // The usual renewal: one write and no read. A conflict means that somebody else wrote.
      const renewed = await this.#write(this.#seen, signal).catch((error: unknown) => {
        if (isConflict(error) || isNotFound(error)) return undefined;
        throw error;
      });
      if (renewed) return true;
    }
    const ref = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name };
    const current = await client.find(ref, { signal });
    if (current === undefined) return this.#create(signal);
    this.#see(current);
    const holder = holderOf(current);
    const isFree = holder === '' || now >= this.#seenAtMs + durationMsOf(current);
    if (holder !== identity && !isFree) return false;
    return this.#write(current, signal);
  }

  async #create(signal: AbortSignal): Promise<boolean> {
    const { client, namespace, name, identity } = this.#options;
    const now = microTime(this.clock.now());
    this.#see(
      await client.create(
        {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { name, namespace },
          spec: {
            holderIdentity: identity,
            leaseDurationSeconds: Math.ceil(this.#leaseDurationMs / 1000),
            acquireTime: now,
            renewTime: now,
            leaseTransitions: 0,
          },
        },
        { signal },
      ),
    );
    return true;
  }

  async #write(current: KubeObject, signal: AbortSignal): Promise<boolean> {
    const { client, identity } = this.#options;
    const old = specOf(current);
    const now = microTime(this.clock.now());
    const isOurs = holderOf(current) === identity;
    const transitions = Number(old['leaseTransitions'] ?? 0);
    const spec = {
      ...old,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#leaseDurationMs / 1000),
      acquireTime: isOurs ? (old['acquireTime'] ?? now) : now,
      renewTime: now,
      leaseTransitions: isOurs ? transitions : transitions + 1,
    };
    this.#see(await client.update({ ...current, spec }, { signal }));
    return true;
  }

  /** Only another record counts as a renewal: who labels the Lease does not hold it. */
  #see(lease: KubeObject): void {
    const isRenewed =
      this.#seen === undefined || formatJson(specOf(this.#seen)) !== formatJson(specOf(lease));
    if (isRenewed) this.#seenAtMs = passedMs(this.clock);
    this.#seen = lease;
    const holder = holderOf(lease);
    if (holder === this.#leader) return;
    this.#leader = holder;
    this.#options.onLeader?.(holder);
  }
}

function specOf(lease: KubeObject): JsonObject {
  const spec = lease['spec'];
  return typeof spec === 'object' && spec !== null && !Array.isArray(spec)
    ? (spec as JsonObject)
    : {};
}

export function holderOf(lease: KubeObject): string {
  const holder = specOf(lease)['holderIdentity'];
  return typeof holder === 'string' ? holder : '';
}

export function durationMsOf(lease: KubeObject): number {
  return Number(specOf(lease)['leaseDurationSeconds'] ?? 0) * 1000;
}

/** metav1.MicroTime. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace(/Z$/, '000Z');
}
