import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileTree } from '@capstan/lib-files';
import {
  basicAuthorization,
  createHttpGet,
  type HttpGet,
  originOf,
  readBytes,
} from '@capstan/lib-oci';
import { BoundedCache, CapstanError } from '@capstan/lib-std';
import { credentialsOf } from './git-sources.ts';
import { findPointers, type LfsPointer } from './lfs-files.ts';
import type { GitSourceSpec, SourceAuth } from './source-spec.ts';

const MEDIA_TYPE = 'application/vnd.git-lfs+json';
const OBJECT_BYTES_MAX = 256 * 1024 * 1024;
const TOTAL_BYTES_MAX = 1024 * 1024 * 1024;
const OBJECTS_MAX = 10_000;
const BATCH = 100;
const TREES_MAX = 100;
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;

/**
 * The contents of files that Git LFS keeps, fetched by its batch API with the repository's own credentials, and kept by
 * their digest in one folder for each repository and access: knowing the digest of another's file opens nothing.
 */
export class LfsStore {
  readonly #folder: string;
  readonly #now: () => number;
  readonly #pointers = new BoundedCache<string, ReadonlyMap<string, LfsPointer>>(TREES_MAX);

  constructor(folder: string, now: () => number) {
    this.#folder = folder;
    this.#now = now;
  }

  /** The tree with contents in place of pointers; the tree itself when there are none. */
  async fill(tree: FileTree, spec: GitSourceSpec, key: string): Promise<FileTree> {
    const pointers = this.#pointersOf(tree);
    if (pointers.size === 0) return tree;
    const wanted = new Map([...pointers.values()].map((one) => [one.oid, one]));
    refuseTooMuch(wanted, spec.url);
    const folder = join(this.#folder, key);
    const missing: LfsPointer[] = [];
    for (const pointer of wanted.values()) {
      if (!(await hasObject(folder, pointer))) missing.push(pointer);
    }
    if (missing.length > 0) await download(missing, await this.#access(spec), folder);
    return filledTree(tree, pointers, folder);
  }

  #pointersOf(tree: FileTree): ReadonlyMap<string, LfsPointer> {
    const id = tree.stat('')?.id ?? '';
    const known = this.#pointers.get(id);
    if (known !== undefined) return known;
    const found = findPointers(tree);
    if (id !== '') this.#pointers.set(id, found);
    return found;
  }

  /** Credentials of the moment in place of what gives them. */
  async #access(spec: GitSourceSpec): Promise<Access> {
    const { url, auth = {} } = spec;
    const credentials = credentialsOf(auth, url, this.#now);
    return { url, auth: typeof credentials === 'function' ? await credentials() : credentials };
  }
}

interface Access {
  readonly url: string;
  readonly auth: Omit<SourceAuth, 'githubApp' | 'login'>;
}

function refuseTooMuch(wanted: ReadonlyMap<string, LfsPointer>, url: string): void {
  const sizes = [...wanted.values()].map(({ sizeBytes }) => sizeBytes);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const isFine =
    sizes.length <= OBJECTS_MAX &&
    total <= TOTAL_BYTES_MAX &&
    sizes.every((size) => size <= OBJECT_BYTES_MAX);
  if (isFine) return;
  throw new CapstanError(
    'LFS_TOO_LARGE',
    `${url} keeps ${sizes.length} files of ${total} bytes by LFS`,
    {
      kind: 'stalled',
      hint: `at most ${OBJECTS_MAX} files, ${OBJECT_BYTES_MAX} bytes each and ${TOTAL_BYTES_MAX} in all are fetched; turn LFS off for this repository, or keep large files elsewhere`,
    },
  );
}

function pathOf(folder: string, oid: string): string {
  return join(folder, oid.slice(0, 2), oid);
}

async function hasObject(folder: string, { oid, sizeBytes }: LfsPointer): Promise<boolean> {
  const found = await stat(pathOf(folder, oid)).catch(() => undefined);
  return found?.size === sizeBytes;
}

async function download(
  missing: readonly LfsPointer[],
  access: Access,
  folder: string,
): Promise<void> {
  const endpoint = endpointOf(access.url);
  const client = createHttpGet(access.auth);
  try {
    for (let at = 0; at < missing.length; at += BATCH) {
      const some = missing.slice(at, at + BATCH);
      const actions = await askBatch(client.get, endpoint, some, access);
      for (const pointer of some) {
        const bytes = await fetchObject(client.get, pointer, {
          access,
          action: actions.get(pointer.oid),
        });
        await keep(bytes, pathOf(folder, pointer.oid));
      }
    }
  } finally {
    await client.close();
  }
}

/** Beside the repository, as the protocol has it; over SSH there is no address that could be asked. */
function endpointOf(url: string): string {
  if (!/^https?:\/\//i.test(url)) {
    throw new CapstanError(
      'LFS_UNSUPPORTED',
      `files that LFS keeps cannot be fetched from ${url}`,
      {
        kind: 'stalled',
        hint: 'name the repository by its https address, or turn LFS off for it',
      },
    );
  }
  const plain = url.replace(/\/+$/, '');
  return `${plain.endsWith('.git') ? plain : `${plain}.git`}/info/lfs`;
}

interface Download {
  readonly href: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function askBatch(
  get: HttpGet,
  endpoint: string,
  pointers: readonly LfsPointer[],
  access: Access,
): Promise<ReadonlyMap<string, Download>> {
  const authorization = authorizationOf(access);
  const answer = await readBytes(get, `${endpoint}/objects/batch`, {
    method: 'POST',
    headers: { accept: MEDIA_TYPE, 'content-type': MEDIA_TYPE },
    body: JSON.stringify({
      operation: 'download',
      transfers: ['basic'],
      hash_algo: 'sha256',
      objects: pointers.map(({ oid, sizeBytes }) => ({ oid, size: sizeBytes })),
    }),
    bytesMax: ANSWER_BYTES_MAX,
    ...(authorization === undefined ? {} : { authorization }),
  });
  if (answer.status !== 200) throw failed(access.url, `the server answers ${answer.status}`);
  return readBatch(JSON.parse(new TextDecoder().decode(answer.bytes)), access.url);
}

function readBatch(answer: unknown, url: string): ReadonlyMap<string, Download> {
  const found = new Map<string, Download>();
  const objects = member(answer, 'objects');
  for (const object of Array.isArray(objects) ? objects : []) {
    const oid = member(object, 'oid');
    const action = member(member(object, 'actions'), 'download');
    const href = member(action, 'href');
    if (typeof oid !== 'string') continue;
    if (typeof href !== 'string') {
      const why = member(member(object, 'error'), 'message');
      throw failed(url, `object ${oid.slice(0, 12)}: ${String(why ?? 'there is no download')}`);
    }
    const told = member(action, 'header') ?? {};
    const headers = Object.entries(told as object).filter(([, value]) => typeof value === 'string');
    found.set(oid, { href, headers: Object.fromEntries(headers) });
  }
  return found;
}

async function fetchObject(
  get: HttpGet,
  { oid, sizeBytes }: LfsPointer,
  { access, action }: { readonly access: Access; readonly action: Download | undefined },
): Promise<Uint8Array> {
  if (action === undefined) throw failed(access.url, `object ${oid.slice(0, 12)} was not told of`);
  const { href, headers } = action;
  const hasOwn = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  // Credentials go to the repository's own host only; stores elsewhere bring their own.
  const isSame = originOf(href) === originOf(access.url);
  const authorization = hasOwn || !isSame ? undefined : authorizationOf(access);
  const { status, bytes } = await readBytes(get, href, {
    headers,
    bytesMax: sizeBytes,
    ...(authorization === undefined ? {} : { authorization }),
  });
  if (status !== 200)
    throw failed(access.url, `object ${oid.slice(0, 12)}: the store answers ${status}`);
  if (createHash('sha256').update(bytes).digest('hex') === oid) return bytes;
  throw failed(access.url, `object ${oid.slice(0, 12)} has another content than its digest says`);
}

function authorizationOf({ auth }: Access): string | undefined {
  if (auth.bearerToken !== undefined) return `Bearer ${auth.bearerToken}`;
  if (auth.password === undefined) return undefined;
  return basicAuthorization({ username: auth.username ?? 'git', password: auth.password });
}

/** Written beside and moved into place: two processes may fetch the same. */
async function keep(bytes: Uint8Array, path: string): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(temporary, bytes, { mode: 0o600 });
  await rename(temporary, path);
}

/** A content that was deleted meanwhile is a reason to come again: the next snapshot fetches it. */
function filledTree(
  tree: FileTree,
  pointers: ReadonlyMap<string, LfsPointer>,
  folder: string,
): FileTree {
  return {
    stat: (path) => tree.stat(path),
    readDirectory: (path) => tree.readDirectory(path),
    readLink: (path) => tree.readLink(path),
    readFile: (path) => {
      const pointer = pointers.get(path);
      if (pointer === undefined) return tree.readFile(path);
      try {
        return readFileSync(pathOf(folder, pointer.oid));
      } catch (error) {
        throw new CapstanError('LFS_GONE', `the cached content of ${path} is gone`, {
          kind: 'retry',
          hint: 'it is fetched again',
          cause: error,
        });
      }
    },
  };
}

function failed(url: string, why: string): CapstanError {
  return new CapstanError('LFS_FAILED', `cannot fetch what LFS keeps of ${url}: ${why}`, {
    kind: 'retry',
    hint: 'check that the repository has its LFS objects and that its credentials may read them',
  });
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as { readonly [key: string]: unknown })[name]
    : undefined;
}
