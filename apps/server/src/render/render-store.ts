import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { RenderResult, RenderSpec } from '@capstan/engine-render';
import type { Snapshot } from '@capstan/engine-source';
import { traceHolds } from '@capstan/lib-files';

const VERSION = 2;
const FILES_MAX = 20_000;
const UNUSED_MS = 14 * 24 * 3_600_000;
const DIGEST_BYTES = 32;

/**
 * The last result of each spec on disk, given again for as long as all that it read is the same: a restart renders nothing
 * again but what was changed meanwhile. Whatever could hold a secret is not written: results with a Secret among them, and
 * those whose spec brings values along. May be deleted at any time; a damaged file is a miss; two processes may share the
 * folder.
 */
export class RenderStore {
  readonly #folder: string;
  /** What was there at the first question, and what was written since: a first start need not ask the disk for each render. */
  #names: Promise<Set<string>> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** `environment` is what else the result depends on: what the cluster offers to charts. */
  async find(
    snapshot: Snapshot,
    spec: RenderSpec,
    environment: string,
  ): Promise<RenderResult | undefined> {
    if (bringsValues(spec)) return undefined;
    const path = this.#pathOf(snapshot, spec, environment);
    if (!(await this.#known()).has(basename(path))) return undefined;
    try {
      const bytes = await readFile(path);
      const content = bytes.subarray(DIGEST_BYTES);
      if (!digestOf(content).equals(bytes.subarray(0, DIGEST_BYTES))) return undefined;
      const result = deserialize(content) as RenderResult;
      return traceHolds(result.trace, snapshot.files) ? result : undefined;
    } catch {
      return undefined;
    }
  }

  /** A failure costs a render after the next start. */
  async keep(
    snapshot: Snapshot,
    spec: RenderSpec,
    { environment, result }: { readonly environment: string; readonly result: RenderResult },
  ): Promise<void> {
    if (bringsValues(spec) || !isFitForDisk(result)) return;
    const path = this.#pathOf(snapshot, spec, environment);
    const content = serialize(result);
    const fresh = `${path}.${randomBytes(6).toString('hex')}.new`;
    try {
      await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
      await writeFile(fresh, Buffer.concat([digestOf(content), content]), { mode: 0o600 });
      await rename(fresh, path);
      (await this.#names)?.add(basename(path));
    } catch {
      await rm(fresh, { force: true });
    }
  }

  #known(): Promise<Set<string>> {
    this.#names ??= readdir(this.#folder, { recursive: true }).then(
      (paths) => new Set(paths.map((path) => basename(path))),
      () => new Set<string>(),
    );
    return this.#names;
  }

  /** Removes what nobody wrote for two weeks, and the oldest of too many. Answers how many went. */
  async removeUnused(nowMs: number): Promise<number> {
    const found: { readonly path: string; readonly atMs: number }[] = [];
    for (const folder of await readdir(this.#folder).catch(() => [])) {
      for (const name of await readdir(join(this.#folder, folder)).catch(() => [])) {
        const path = join(this.#folder, folder, name);
        const stats = await stat(path).catch(() => undefined);
        if (stats !== undefined) found.push({ path, atMs: stats.mtimeMs });
      }
    }
    const newest = found.toSorted((a, b) => b.atMs - a.atMs);
    const unused = newest.filter(({ atMs }, at) => at >= FILES_MAX || nowMs - atMs > UNUSED_MS);
    for (const { path } of unused) await rm(path, { force: true });
    return unused.length;
  }

  #pathOf({ source }: Snapshot, spec: RenderSpec, environment: string): string {
    const text = JSON.stringify([VERSION, source, spec, environment]);
    const name = createHash('sha256').update(text).digest('hex');
    return join(this.#folder, name.slice(0, 2), name);
  }
}

function bringsValues(spec: RenderSpec): boolean {
  return spec.substitute !== undefined || JSON.stringify(spec).includes('"values"');
}

function isFitForDisk({ objects, diagnostics }: RenderResult): boolean {
  const isSound = diagnostics.every(({ severity }) => severity !== 'error');
  return isSound && objects.every(({ object }) => object.kind !== 'Secret');
}

function digestOf(content: Uint8Array): Buffer {
  return createHash('sha256').update(content).digest();
}
