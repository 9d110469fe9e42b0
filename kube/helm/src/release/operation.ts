import { randomUUID } from 'node:crypto';
import { CapstanError, type Clock, messageOf } from '@capstan/lib-std';
import { codeOf, type ReleasePorts } from './cluster-port.ts';
import { isPending, type Release } from './release.ts';
import type { RecordVersion, ReleaseStore } from './release-store.ts';

/**
 * Who does not renew for this long is taken to be gone. Renewed four times as often: three renewals may fail, and clocks may
 * be some seconds apart, as with the leases of Kubernetes' own controllers (15 s).
 */
export const LEASE_MS = 30_000;

/** Holders of this process whose operations are over, though the record may say otherwise: it could not be written. */
const ended = new Set<string>();

/** Whether the pending record's owner may be at work still: it gave a sign of life not long ago, and is not known to have ended. */
export function mayBeAlive(
  { renewedAt, holder }: { readonly renewedAt: number | undefined; readonly holder: string },
  nowMs: number,
): boolean {
  return renewedAt !== undefined && nowMs - renewedAt <= LEASE_MS && !ended.has(holder);
}

/** What every operation on a release takes. */
export interface OperationOptions {
  readonly signal?: AbortSignal;
  /** For each wait, as the original's --timeout; five minutes by default. */
  readonly timeoutMs?: number;
  /** Waits until the objects are ready; hooks are waited for in any case. */
  readonly wait?: boolean;
  readonly waitForJobs?: boolean;
  readonly disableHooks?: boolean;
  /** Where the records are kept, when not in the namespace of the release (helm's own place is that of its kubeconfig). */
  readonly storageNamespace?: string;
  /** `helm` by default, so that the original and we are one field manager. */
  readonly fieldManager?: string;
  /** Takes fields that others own (server-side apply only). */
  readonly forceConflicts?: boolean;
  /** Replaces objects instead of merging into them (client-side only). */
  readonly forceReplace?: boolean;
  /**
   * After how long a pending record without any sign of life (one of the original's) counts as left behind. Never, by
   * default: a live `helm` gives no sign of life either.
   */
  readonly recoverForeignAfterMs?: number;
}

/**
 * One operation under way: the revision as it stands, and the sign of life on its record while it lasts. The record is
 * written by `record`; losing it to another aborts `signal`.
 */
export class Operation {
  release: Release;
  readonly signal: AbortSignal;
  readonly holder: string;
  readonly #store: ReleaseStore;
  readonly #clock: Clock;
  readonly #observe: ReleasePorts['observe'];
  readonly #abort = new AbortController();
  #cancel: () => void = () => undefined;
  #renewing: Promise<void> = Promise.resolve();
  #stopped = false;
  #held = false;
  /** Of the record when it was last ours. */
  #version: RecordVersion;

  constructor(
    release: Release,
    of: {
      readonly ports: Pick<ReleasePorts, 'clock' | 'holder' | 'observe'>;
      readonly store: ReleaseStore;
      readonly signal?: AbortSignal | undefined;
    },
  ) {
    const { ports, store, signal } = of;
    this.release = release;
    this.holder = `${ports.holder ?? 'capstan'}/${randomUUID()}`;
    this.#store = store;
    this.#clock = ports.clock;
    this.#observe = ports.observe;
    this.signal =
      signal === undefined ? this.#abort.signal : AbortSignal.any([signal, this.#abort.signal]);
  }

  /**
   * Writes the first record and begins to renew it. A record whose answer was lost is there all the same: unless it is taken for
   * written, nobody could go on before its lease has run out.
   */
  async begin(): Promise<void> {
    const { release, holder } = this;
    this.#version = await this.#store.create(release, holder).catch(async (error: unknown) => {
      if (!isUncertain(error)) throw error;
      const version = await this.#store.renew(release, holder).catch(() => {
        ended.add(holder);
        throw error;
      });
      this.#observe?.(release);
      return version;
    });
    this.#held = true;
    this.#schedule();
  }

  set(change: Partial<Release>): void {
    this.release = { ...this.release, ...change };
  }

  /** Throws RELEASE_LOST when another has taken the revision over: it is no longer ours to write. */
  async record(): Promise<void> {
    await this.#write();
    if (!isPending(this.release)) ended.delete(this.holder);
  }

  async #write(): Promise<void> {
    await this.#renewing;
    const { release, holder } = this;
    if (!this.#held) return void (await this.#store.update(release, { holder }));
    try {
      this.#version = await this.#store.update(release, { holder, resourceVersion: this.#version });
    } catch (error) {
      if (codeOf(error) !== 'CONFLICT' && codeOf(error) !== 'NOT_FOUND') throw error;
      // Somebody wrote it: that may have been a label, or the end of our holding it.
      await this.#renewNow();
      this.#version = await this.#store.update(release, { holder });
    }
  }

  /** Ends the sign of life; nothing is written afterwards but by `record`. */
  async end(): Promise<void> {
    this.#stopped = true;
    ended.add(this.holder);
    this.#cancel();
    await this.#renewing;
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#cancel = this.#clock.after(LEASE_MS / 4, () => {
      this.#renewing = this.#renew().finally(() => this.#schedule());
    });
  }

  async #renew(): Promise<void> {
    try {
      await this.#renewNow();
    } catch (error) {
      // Any other failure may pass: the next renewal comes before the lease ends.
      if (codeOf(error) === 'RELEASE_LOST') this.#abort.abort(error);
    }
  }

  async #renewNow(): Promise<void> {
    this.#version = await this.#store.renew(this.release, this.holder);
  }
}

/** Whether a write may have come about though it failed: nobody answered, or the server itself was in trouble. */
function isUncertain(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return (
    codeOf(error) === 'RELEASE_STORE' && cause instanceof CapstanError && cause.kind === 'retry'
  );
}

/** The text of a failure, with the reason of an abort in its place. */
export function reasonOf(error: unknown): string {
  return error instanceof Error && error.name === 'AbortError'
    ? 'context canceled'
    : messageOf(error);
}
