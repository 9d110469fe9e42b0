import {
  closeSync,
  existsSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import type { Store, StoreEvent, WriteAhead } from './store.ts';

/** The few things that the log asks of a disk, so that tests can let each of them fail. */
export interface LogDisk {
  write(fd: number, text: string): void;
  sync(fd: number): Promise<void>;
}

export interface DurableLog extends WriteAhead {
  /** Resolves when everything appended before the call is on the disk; many callers share one sync. */
  flush(): Promise<void>;
  /** Writes a snapshot and forgets the log before it. Called by itself when the log has grown. */
  compact(): Promise<void>;
  close(): Promise<void>;
}

export interface DurableLogOptions {
  readonly disk?: LogDisk;
  /** A snapshot is due after so many bytes of log. */
  readonly snapshotEveryBytes?: number;
}

const SNAPSHOT_EVERY_BYTES = 64 * 1024 * 1024;
const SEGMENTS_MAX = 8;
const SEGMENT = /^log-(\d+)$/;
const SNAPSHOT = /^snapshot-(\d+)$/;

/**
 * Fills an empty store with what a directory keeps, and keeps every later change there: a line for each, written before
 * the change is made and synced before it is acknowledged. Survives kill -9 at any moment: an unfinished last line is cut
 * off, a damaged one before the end is an error, because acknowledged changes would be lost.
 */
export function openDurableLog(
  directory: string,
  store: Store,
  options: DurableLogOptions = {},
): DurableLog {
  mkdirSync(directory, { recursive: true });
  const lock = takeLock(directory);
  try {
    const { last, count } = restore(directory, store);
    const log = new FileLog(directory, store, last + 1, options, lock);
    store.attach(log);
    // Every start begins a segment: what many starts have left is put together.
    if (count >= SEGMENTS_MAX) void log.compact().catch(() => undefined);
    return log;
  } catch (error) {
    rmSync(lock, { force: true });
    throw error;
  }
}

type Line = readonly [
  version: number,
  removed: 0 | 1,
  bucket: string,
  key: string,
  object: KubeObject,
];

/** Reads snapshot and log; gives the number of the newest segment, and how many there are. */
function restore(directory: string, store: Store): { last: number; count: number } {
  const names = readdirSync(directory);
  const snapshots = numbered(names, SNAPSHOT);
  const segments = numbered(names, SEGMENT);
  const version = snapshots.at(-1) ?? 1;
  const objects: [string, string, KubeObject][] = [];
  if (snapshots.length > 0) {
    const { lines, complete } = readLines(join(directory, `snapshot-${version}`));
    if (!complete) throw damaged(join(directory, `snapshot-${version}`));
    for (const [, , bucket, key, object] of lines) objects.push([bucket, key, object]);
  }
  const events: Omit<StoreEvent, 'previous'>[] = [];
  for (const [index, number] of segments.entries()) {
    const path = join(directory, `log-${number}`);
    const { lines, complete, goodBytes } = readLines(path);
    if (!complete) {
      if (index < segments.length - 1) throw damaged(path);
      cutTail(path, goodBytes);
    }
    for (const [resourceVersion, removed, bucket, key, object] of lines) {
      events.push({ resourceVersion, removed: removed === 1, bucket, key, object });
    }
  }
  store.restore(objects, events, version);
  return { last: segments.at(-1) ?? 0, count: segments.length };
}

function numbered(names: readonly string[], pattern: RegExp): number[] {
  return names
    .map((name) => pattern.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

function damaged(path: string): CapstanError {
  return new CapstanError('SANDBOX_LOG_DAMAGED', `${path} is damaged before its end`, {
    hint: 'restore the directory from a copy, or remove it to begin with an empty cluster',
  });
}

interface Read {
  readonly lines: Line[];
  readonly complete: boolean;
  readonly goodBytes: number;
}

/** Lines up to the first that is cut off or fails its checksum. */
function readLines(path: string): Read {
  const bytes = readFileSync(path);
  const lines: Line[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) return { lines, complete: false, goodBytes: at };
    const line = parseLine(bytes.subarray(at, end));
    if (line === undefined) {
      // Only the very last line may be bad: a torn write. Anything after it would be lost.
      const isLast = bytes.indexOf(0x0a, end + 1) < 0;
      if (!isLast) throw damaged(path);
      return { lines, complete: false, goodBytes: at };
    }
    lines.push(line);
    at = end + 1;
  }
  return { lines, complete: true, goodBytes: at };
}

function parseLine(bytes: Uint8Array): Line | undefined {
  const text = Buffer.from(bytes).toString('utf8');
  const body = text.slice(9);
  if (text.slice(0, 8) !== checksum(body)) return undefined;
  return JSON.parse(body) as Line;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

function lineOf(line: Line): string {
  const text = JSON.stringify(line);
  return `${checksum(text)} ${text}\n`;
}

function cutTail(path: string, length: number): void {
  const fd = openSync(path, 'r+');
  ftruncateSync(fd, length);
  fsyncSync(fd);
  closeSync(fd);
}

/** Two processes on one directory would destroy it. A lock whose process is gone is taken over. */
function takeLock(directory: string): string {
  const path = join(directory, 'lock');
  for (;;) {
    try {
      writeFileSync(path, nameOf(process.pid) ?? String(process.pid), { flag: 'wx' });
      return path;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const holder = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const pid = Number.parseInt(holder, 10);
    if (pid !== process.pid && pid > 0 && nameOf(pid) === holder) {
      throw new CapstanError('SANDBOX_DATA_IN_USE', `${directory} is in use by process ${pid}`, {
        hint: 'stop that process, or choose another directory',
      });
    }
    rmSync(path, { force: true });
  }
}

/**
 * A running process by its number and, where the system tells it, the time of its start: after a restart of a machine or a
 * container another one may have the number. Undefined when none runs.
 */
function nameOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // It runs, as someone else.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return undefined;
  }
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
    return `${pid} ${fields?.[19]}`;
  } catch {
    return String(pid);
  }
}

const realDisk: LogDisk = {
  write(fd, text) {
    const bytes = Buffer.from(text);
    let at = 0;
    while (at < bytes.length) at += writeSync(fd, bytes, at);
  },
  sync: (fd) =>
    new Promise((resolve, reject) => {
      fdatasync(fd, (error) => (error === null ? resolve() : reject(error)));
    }),
};

class FileLog implements DurableLog {
  readonly #directory: string;
  readonly #store: Store;
  readonly #disk: LogDisk;
  readonly #lock: string;
  readonly #snapshotEveryBytes: number;
  #segment: number;
  #fd: number;
  #length = 0;
  /** How many changes were appended, and how many of them are known to be on the disk. */
  #appended = 0;
  #synced = 0;
  #syncing: Promise<void> | undefined;
  #broken: unknown;
  #compacting: Promise<void> | undefined;

  constructor(
    directory: string,
    store: Store,
    segment: number,
    options: DurableLogOptions,
    lock: string,
  ) {
    this.#directory = directory;
    this.#store = store;
    this.#disk = options.disk ?? realDisk;
    this.#lock = lock;
    this.#snapshotEveryBytes = options.snapshotEveryBytes ?? SNAPSHOT_EVERY_BYTES;
    this.#segment = segment;
    this.#fd = openSync(join(directory, `log-${segment}`), 'a');
    syncDirectory(directory);
  }

  append(event: StoreEvent): void {
    if (this.#broken !== undefined) throw this.#refusal();
    const { resourceVersion, removed, bucket, key, object } = event;
    const text = lineOf([resourceVersion, removed ? 1 : 0, bucket, key, object]);
    try {
      this.#disk.write(this.#fd, text);
    } catch (error) {
      this.#takeBack();
      throw new CapstanError('SANDBOX_DISK', 'the change could not be written to the disk', {
        cause: error,
        kind: 'retry',
        hint: 'make room on the disk of the data directory',
      });
    }
    this.#length += Buffer.byteLength(text);
    this.#appended++;
    if (this.#length > this.#snapshotEveryBytes && this.#compacting === undefined) {
      // A failed snapshot loses nothing: the log still has everything.
      void this.compact().catch(() => undefined);
    }
  }

  async flush(): Promise<void> {
    const wanted = this.#appended;
    while (this.#synced < wanted && this.#broken === undefined) {
      this.#syncing ??= this.#sync();
      await this.#syncing;
    }
    if (this.#broken !== undefined) throw this.#refusal();
  }

  compact(): Promise<void> {
    this.#compacting ??= this.#snapshot().finally(() => {
      this.#compacting = undefined;
    });
    return this.#compacting;
  }

  async close(): Promise<void> {
    await this.#compacting?.catch(() => undefined);
    await this.flush().catch(() => undefined);
    closeSync(this.#fd);
    rmSync(this.#lock, { force: true });
  }

  async #sync(): Promise<void> {
    const wanted = this.#appended;
    try {
      await this.#disk.sync(this.#fd);
      this.#synced = wanted;
    } catch (error) {
      // After a failed sync nobody knows what is on the disk: nothing more may be acknowledged.
      this.#broken = error;
    } finally {
      this.#syncing = undefined;
    }
  }

  /** A line that was written in part must not stand before the next one. */
  #takeBack(): void {
    try {
      ftruncateSync(this.#fd, this.#length);
    } catch (error) {
      this.#broken = error;
    }
  }

  #refusal(): CapstanError {
    return new CapstanError('SANDBOX_DISK', 'the data directory cannot be written any more', {
      cause: this.#broken,
      hint: 'restart the sandbox once the disk works',
    });
  }

  async #snapshot(): Promise<void> {
    // What comes while one sync runs waits for the next: a segment is left only when nothing of it is open.
    do await this.flush();
    while (this.#synced < this.#appended || this.#syncing !== undefined);
    const old = this.#fd;
    const fork = this.#store.fork();
    const version = fork.resourceVersion;
    this.#segment++;
    this.#fd = openSync(join(this.#directory, `log-${this.#segment}`), 'a');
    this.#length = 0;
    closeSync(old);
    // Before anything in the new segment is acknowledged: a file without its name would be lost with the power.
    syncDirectory(this.#directory);
    const path = join(this.#directory, `snapshot-${version}`);
    const fd = openSync(`${path}.new`, 'w');
    try {
      for (const bucket of fork.buckets()) {
        let chunk = '';
        for (const [key, object] of fork.view(bucket).entries()) {
          chunk += lineOf([version, 0, bucket, key, object]);
          if (chunk.length < 1_000_000) continue;
          this.#disk.write(fd, chunk);
          chunk = '';
          await new Promise((resolve) => setImmediate(resolve));
        }
        this.#disk.write(fd, chunk);
      }
      await this.#disk.sync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(`${path}.new`, path);
    syncDirectory(this.#directory);
    this.#forget(version);
  }

  #forget(version: number): void {
    const names = readdirSync(this.#directory);
    for (const number of numbered(names, SEGMENT)) {
      if (number < this.#segment) rmSync(join(this.#directory, `log-${number}`));
    }
    for (const number of numbered(names, SNAPSHOT)) {
      if (number < version) rmSync(join(this.#directory, `snapshot-${number}`));
    }
  }
}

function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  fsyncSync(fd);
  closeSync(fd);
}
