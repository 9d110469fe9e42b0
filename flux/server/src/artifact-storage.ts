import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
} from 'node:fs/promises';
import { join } from 'node:path';
import { createContentDigest, type DigestAlgorithm, digestAlgorithmOf } from '@capstan/lib-oci';
import { CapstanError, type Clock } from '@capstan/lib-std';

export interface ArtifactStorageOptions {
  /** Where the files are; made when it is missing. */
  readonly folder: string;
  /** What stands before an artifact's path in its URL: `http://host` or `http://host/prefix`. */
  readonly baseUrl: string;
  readonly clock: Clock;
  /** Files older than this may go, except the newest ones; 60 s when absent. */
  readonly retentionMs?: number;
  /** How many files of one source stay whatever their age; 2 when absent. */
  readonly retentionRecords?: number;
  /** Of the digests that artifacts are told with; sha256 when absent. */
  readonly digestAlgorithm?: DigestAlgorithm;
}

/** Which source an artifact belongs to, and the name of its file. */
export interface ArtifactFile {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly fileName: string;
}

export interface FoundFile {
  readonly file: string;
  readonly size: number;
  readonly modifiedMs: number;
}

export interface StoredFile {
  readonly path: string;
  readonly url: string;
  readonly digest: string;
  readonly size: number;
}

const RETENTION_MS = 60_000;
const RETENTION_RECORDS = 2;
const ABANDONED_MS = 3_600_000;

/**
 * The artifacts of all sources in one folder, laid out as source-controller does. A file appears under its name whole or not
 * at all, so that two processes may write the same one; what its digest promises is checked by `verify`.
 */
export class ArtifactStorage {
  readonly #options: ArtifactStorageOptions;

  constructor(options: ArtifactStorageOptions) {
    this.#options = options;
  }

  /** Of the digests of new artifacts. */
  get digestAlgorithm(): DigestAlgorithm {
    return this.#options.digestAlgorithm ?? 'sha256';
  }

  /** Where an artifact is or will be. */
  locate(file: ArtifactFile): { readonly path: string; readonly url: string } {
    const path = [file.kind.toLowerCase(), file.namespace, file.name, file.fileName].join('/');
    requirePath(path);
    return { path, url: this.urlOf(path) };
  }

  urlOf(path: string): string {
    return `${this.#options.baseUrl.replace(/\/$/, '')}/${path}`;
  }

  /** Writes an artifact from its pieces. */
  async store(
    file: ArtifactFile,
    pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<StoredFile> {
    const { path, url } = this.locate(file);
    const target = join(this.#options.folder, path);
    await mkdir(join(target, '..'), { recursive: true, mode: 0o700 });
    const fresh = `${target}.${randomBytes(6).toString('hex')}.new`;
    const hash = createContentDigest(this.digestAlgorithm);
    let size = 0;
    try {
      const handle = await open(fresh, 'wx', 0o600);
      try {
        for await (const piece of pieces) {
          hash.update(piece);
          size += piece.length;
          await handle.write(piece);
        }
      } finally {
        await handle.close();
      }
      await rename(fresh, target);
    } catch (error) {
      await rm(fresh, { force: true });
      throw error;
    }
    return { path, url, digest: hash.digest(), size };
  }

  /** The bytes at a URL of this storage; undefined when it is none of its own, or nothing is there. */
  async read(url: string): Promise<Uint8Array | undefined> {
    const start = `${this.#options.baseUrl.replace(/\/$/, '')}/`;
    if (!url.startsWith(start)) return undefined;
    const path = url.slice(start.length);
    if (!isPath(path)) return undefined;
    return await readFile(join(this.#options.folder, path)).catch(() => undefined);
  }

  /** Where the file of an artifact is; undefined when it is not there, or is no plain file. */
  async find(path: string): Promise<FoundFile | undefined> {
    if (!isPath(path)) return undefined;
    let file = join(this.#options.folder, path);
    let stats = await lstat(file).catch(() => undefined);
    if (stats?.isSymbolicLink() === true) {
      // Only `latest.tar.gz` and `index.yaml` are such, and they lead to their neighbours.
      const target = await readlink(file).catch(() => '');
      if (!isPath(target) || target.includes('/')) return undefined;
      file = join(file, '..', target);
      stats = await lstat(file).catch(() => undefined);
    }
    if (stats?.isFile() !== true) return undefined;
    return { file, size: stats.size, modifiedMs: stats.mtimeMs };
  }

  /** Whether the file is there and is what its digest says. A file of another content is removed. */
  async verify(artifact: {
    readonly path: string;
    readonly digest: string;
  }): Promise<'sound' | 'missing' | 'damaged'> {
    const found = await this.find(artifact.path);
    if (found === undefined) return 'missing';
    const hash = createContentDigest(digestAlgorithmOf(artifact.digest));
    for await (const chunk of createReadStream(found.file)) hash.update(chunk);
    if (hash.digest() === artifact.digest) return 'sound';
    await rm(found.file, { force: true });
    return 'damaged';
  }

  /** Makes `latest.tar.gz`, or another name, beside an artifact lead to it, as older consumers expect; answers its URL. */
  async linkLatest(file: ArtifactFile, linkName = 'latest.tar.gz'): Promise<string> {
    const { path, url } = this.locate({ ...file, fileName: linkName });
    const link = join(this.#options.folder, path);
    const fresh = `${link}.${randomBytes(6).toString('hex')}.new`;
    await symlink(file.fileName, fresh);
    await rename(fresh, link);
    return url;
  }

  /** Removes what is too old or too much of one source; `current` always stays. Answers how many files went. */
  async collectGarbage(current: Pick<StoredFile, 'path'>): Promise<number> {
    const { clock, folder } = this.#options;
    const { retentionMs = RETENTION_MS, retentionRecords = RETENTION_RECORDS } = this.#options;
    if (!isPath(current.path)) return 0;
    const home = join(folder, current.path, '..');
    const kept = current.path.slice(current.path.lastIndexOf('/') + 1);
    const now = clock.now();
    const files: { readonly name: string; readonly ageMs: number }[] = [];
    for (const name of await readdir(home).catch(() => [])) {
      const stats = await lstat(join(home, name)).catch(() => undefined);
      if (stats?.isFile() === true) files.push({ name, ageMs: now - stats.mtimeMs });
    }
    const whole = files.filter(({ name }) => !name.endsWith('.new'));
    const abandoned = files.filter(
      ({ name, ageMs }) => name.endsWith('.new') && ageMs > ABANDONED_MS,
    );
    const garbage = chooseGarbage(whole, { kept, retentionMs, retentionRecords });
    for (const { name } of [...garbage, ...abandoned]) await rm(join(home, name), { force: true });
    return garbage.length;
  }

  /** Removes all artifacts of one source. */
  async removeAll(source: Omit<ArtifactFile, 'fileName'>): Promise<void> {
    const { path } = this.locate({ ...source, fileName: 'x' });
    await rm(join(this.#options.folder, path, '..'), { recursive: true, force: true });
  }
}

interface AgedFile {
  readonly name: string;
  readonly ageMs: number;
}

/**
 * What goes: all that is too old, then the oldest until few enough are left, but never the current one. As the original counts:
 * once something was too old, what goes beside it counts twice.
 */
function chooseGarbage(
  files: readonly AgedFile[],
  {
    kept,
    retentionMs,
    retentionRecords,
  }: {
    readonly kept: string;
    readonly retentionMs: number;
    readonly retentionRecords: number;
  },
): readonly AgedFile[] {
  const others = files.filter(({ name }) => name !== kept);
  const expired = others.filter(({ ageMs }) => ageMs > retentionMs);
  const young = others.filter(({ ageMs }) => ageMs <= retentionMs);
  const chosen: AgedFile[] = [];
  for (const file of young.toSorted((a, b) => b.ageMs - a.ageMs)) {
    const gone = expired.length === 0 ? chosen.length : expired.length + 2 * chosen.length;
    if (files.length - gone > retentionRecords) chosen.push(file);
  }
  return [...expired, ...chosen];
}

/** Names that stay below the folder; nothing else is a path here. */
function isPath(path: string): boolean {
  return (
    path.length <= 2048 &&
    path.split('/').every((part) => /^[A-Za-z0-9][A-Za-z0-9._:@+-]*$/.test(part) && part !== '..')
  );
}

function requirePath(path: string): void {
  if (isPath(path)) return;
  throw new CapstanError(
    'ARTIFACT_PATH',
    `${JSON.stringify(path.slice(0, 200))} is no place for an artifact`,
  );
}
