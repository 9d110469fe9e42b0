import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CapstanError } from '@capstan/lib-std';

/** What runs now, for scripts: written when all is up, gone after a clean stop. */
export interface RunningInfo {
  readonly page: string;
  readonly api: string;
  readonly git: string;
  readonly kubeconfig: string;
  readonly pid: number;
}

/** What a later start wants to know of this one. */
export interface KeptState {
  readonly git: string;
}

const MARKER = 'capstan-data';
const INFO = 'capstan.json';
const KEPT = 'kept.json';

/** The one folder of all state. */
export class DataFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Opens or makes the folder; with `reset` it is emptied first, if it is ours. Refuses one in use by a live process. */
  static open(given: string, { reset }: { readonly reset: boolean }): DataFolder {
    const folder = new DataFolder(resolve(given));
    const running = folder.#readJson<RunningInfo>(INFO);
    if (running !== undefined && isAlive(running.pid)) {
      throw new CapstanError(
        'ALREADY_RUNNING',
        `Capstan runs already on ${folder.path} (process ${running.pid})`,
        {
          hint: `its page is ${running.page}; stop it first, or give another folder by --data DIR`,
        },
      );
    }
    if (reset && existsSync(folder.path)) folder.#remove();
    mkdirSync(folder.path, { recursive: true, mode: 0o700 });
    writeFileSync(
      folder.file(MARKER),
      'State of a Capstan quick start; may be deleted while it does not run.\n',
    );
    rmSync(folder.file(INFO), { force: true });
    return folder;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  readKept(): KeptState | undefined {
    return this.#readJson<KeptState>(KEPT);
  }

  writeKept(kept: KeptState): void {
    this.#writeJson(KEPT, kept);
  }

  writeInfo(info: RunningInfo): void {
    this.#writeJson(INFO, info);
  }

  removeInfo(): void {
    rmSync(this.file(INFO), { force: true });
  }

  #remove(): void {
    if (!existsSync(this.file(MARKER))) {
      throw new CapstanError(
        'RESET_REFUSED',
        `${this.path} was not made by Capstan: it is not deleted`,
        {
          hint: 'delete it by hand, or give another folder by --data DIR',
        },
      );
    }
    rmSync(this.path, { recursive: true, force: true });
  }

  #readJson<T>(name: string): T | undefined {
    try {
      return JSON.parse(readFileSync(this.file(name), 'utf8')) as T;
    } catch {
      return undefined;
    }
  }

  /** Whole or not at all: scripts wait for these files. */
  #writeJson(name: string, value: object): void {
    const fresh = this.file(`${name}.new`);
    writeFileSync(fresh, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
    renameSync(fresh, this.file(name));
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
