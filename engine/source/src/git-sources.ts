import { createHmac, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type GitCredentials,
  Mirror,
  ObjectCache,
  parseRemoteUrl,
  repositoryKey,
} from '@capstan/lib-git';
import { BoundedCache } from '@capstan/lib-std';
import { createGithubAppLogin } from './github-app.ts';
import { pickVersion, pickVersions } from './pick-version.ts';
import type { GitSourceSpec, SourceAuth } from './source-spec.ts';

export interface GitSourcesOptions {
  /** Cache folder; may be deleted at any time. */
  readonly folder: string;
  /** Remotes may be folders of this machine. */
  readonly allowFile?: boolean;
  /** Bound of the file contents kept in memory, for all repositories together. */
  readonly cacheBytesMax?: number;
  /** For credentials that expire. */
  readonly now?: () => number;
}

const USED = 'capstan-used';
const KEYS_MAX = 1_000;
const UNUSED_MS = 14 * 24 * 3_600_000;

export interface OpenMirror {
  /** Address and access in one: fit for a Map key, tells nothing of the credentials. */
  readonly key: string;
  /** Spelling-independent name of the repository, for webhooks. */
  readonly repository: string;
  readonly mirror: Mirror;
}

/**
 * One mirror for each repository and access: what was fetched with one Secret is never shown to a source that does not
 * hold the same credentials.
 */
export class GitSources {
  readonly #options: GitSourcesOptions;
  readonly #mirrors = new Map<string, OpenMirror>();
  /** Keys that were worked out, by what they stand for. */
  readonly #keys = new BoundedCache<string, string>(KEYS_MAX);
  readonly #cache: ObjectCache;
  #salt: Buffer | undefined;

  readonly #now: () => number;

  constructor(options: GitSourcesOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#cache = new ObjectCache(options.cacheBytesMax);
  }

  get allowFile(): boolean {
    return this.#options.allowFile === true;
  }

  open(spec: GitSourceSpec): OpenMirror {
    const { folder, allowFile = false } = this.#options;
    const remote = parseRemoteUrl(spec.url, { allowFile });
    const key = this.#keyOf(spec, remote.url);
    let open = this.#mirrors.get(key);
    if (open === undefined) {
      const mirror = new Mirror({
        allowFile,
        cache: this.#cache,
        folder: join(folder, 'git', `${key}.git`),
        url: spec.url,
        pickVersion,
        pickVersions,
        ...(spec.auth === undefined
          ? {}
          : { credentials: credentialsOf(spec.auth, spec.url, this.#now) }),
        ...(spec.timeoutMs === undefined ? {} : { timeoutMs: spec.timeoutMs }),
        ...(spec.depth === undefined ? {} : { depth: spec.depth }),
        ...(isPartial(spec) ? { partial: true } : {}),
      });
      open = { key, repository: repositoryKey(remote.url), mirror };
      this.#mirrors.set(key, open);
    }
    return open;
  }

  /** Every open mirror of the repository at `url`, however it is spelled. */
  matching(url: string): readonly OpenMirror[] {
    const repository = repositoryKey(url);
    return [...this.#mirrors.values()].filter((open) => open.repository === repository);
  }

  /** Deletes mirrors that nobody opened for two weeks: the cache does not grow for ever. Answers how many. */
  async removeUnused(nowMs: number): Promise<number> {
    const folder = join(this.#options.folder, 'git');
    const names = await readdir(folder).catch(() => []);
    let removed = 0;
    for (const name of names) {
      const path = join(folder, name);
      const used = await stat(join(path, USED)).catch(() => stat(path).catch(() => undefined));
      if (used === undefined || nowMs - used.mtimeMs < UNUSED_MS) continue;
      if (this.#mirrors.has(name.replace(/\.git$/, ''))) continue;
      await rm(path, { recursive: true, force: true });
      removed++;
    }
    return removed;
  }

  /** Says on disk that a mirror is in use. A failure costs a later fetch at most. */
  async markUsed({ mirror }: OpenMirror): Promise<void> {
    await writeFile(join(mirror.objects.gitDir, USED), '').catch(() => undefined);
  }

  close(): void {
    for (const { mirror } of this.#mirrors.values()) mirror.close();
    this.#mirrors.clear();
  }

  #keyOf(spec: GitSourceSpec, url: string): string {
    const access = Object.entries(spec.auth ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    // What is shallow is a copy of its own: others may need the whole history.
    const depth = spec.depth === undefined ? [] : [spec.depth];
    const shape = isPartial(spec) ? ['partial'] : depth;
    const text = JSON.stringify([spec.url, access, ...shape]);
    const known = this.#keys.get(text);
    if (known !== undefined) return known;
    const digest = createHmac('sha256', this.#readSalt()).update(text).digest('hex');
    const readable = repositoryKey(url)
      .replace(/[^a-z0-9.]+/g, '-')
      .slice(-60);
    const key = `${readable}-${digest.slice(0, 24)}`;
    this.#keys.set(text, key);
    return key;
  }

  /** Folder names are keyed with a secret of this cache, so that a name tells nothing of a weak password. */
  #readSalt(): Buffer {
    if (this.#salt !== undefined) return this.#salt;
    const path = join(this.#options.folder, 'salt');
    mkdirSync(this.#options.folder, { recursive: true, mode: 0o700 });
    try {
      writeFileSync(path, randomBytes(32), { mode: 0o600, flag: 'wx' });
    } catch {
      // It is there: another start, or another process, made it.
    }
    this.#salt = readFileSync(path);
    return this.#salt;
  }
}

/**
 * Whether the files of a repository are fetched as they are needed: where it is told beforehand which these are, and nothing
 * beside them is read.
 */
export function isPartial({ sparse = [], submodules, lfs, depth }: GitSourceSpec): boolean {
  return sparse.length > 0 && submodules !== true && lfs !== true && depth === undefined;
}

/** What git is given: credentials of the moment, of a GitHub App or another login, or what the Secret holds. */
export function credentialsOf(
  { githubApp, login, ...auth }: SourceAuth,
  url: string,
  now: () => number,
): GitCredentials | (() => Promise<GitCredentials>) {
  if (githubApp !== undefined) return createGithubAppLogin(githubApp, auth, now);
  if (login === undefined) return auth;
  let held: GitCredentials = auth;
  // The same object for as long as they are the same: connections are kept by it.
  return async () => {
    const next = { ...auth, ...(await login.ask(url)) };
    if (JSON.stringify(next) !== JSON.stringify(held)) held = next;
    return held;
  };
}
