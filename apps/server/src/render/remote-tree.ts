import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { type FileTree, joinPath, type TreeEntry } from '@capstan/lib-files';
import { CapstanError, messageOf } from '@capstan/lib-std';

/**
 * A tree of the main thread as a worker sees it: the worker asks, sleeps, and goes on with the answer, so that a renderer finds it
 * synchronous as any tree. The flag wakes the worker.
 */
type Question = readonly [verb: 'stat' | 'readFile' | 'readDirectory' | 'readLink', path: string];

interface Answer {
  readonly value?: unknown;
  /** With a listing: the small files in it, which are asked for next as a rule. */
  readonly files?: ReadonlyMap<string, Uint8Array>;
  readonly error?: { readonly code: string; readonly message: string };
}

const NO_ANSWER: Answer = { error: { code: 'TREE_FAILED', message: 'no answer came' } };
const PREFETCH_BYTES_MAX = 512 * 1024;
const ANSWER_MS = 60_000;

/** In the main thread: answers a worker's questions about `tree` until the returned function is called. */
export function serveTree(tree: FileTree, port: MessagePort, flag: Int32Array): () => void {
  const listen = ([verb, path]: Question) => {
    let answer: Answer;
    try {
      answer = answerFor(tree, verb, path);
    } catch (error) {
      const code = error instanceof CapstanError ? error.code : 'TREE_FAILED';
      answer = { error: { code, message: messageOf(error) } };
    }
    port.postMessage(answer);
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
  };
  port.on('message', listen);
  return () => port.off('message', listen);
}

function answerFor(tree: FileTree, verb: Question[0], path: string): Answer {
  if (verb === 'stat') return { value: plainEntry(tree.stat(path)) };
  if (verb !== 'readDirectory') return { value: tree[verb](path) };
  const entries = tree.readDirectory(path);
  const files = new Map<string, Uint8Array>();
  let bytes = 0;
  for (const { name, kind } of entries ?? []) {
    if (kind !== 'file' || bytes > PREFETCH_BYTES_MAX) continue;
    const content = tree.readFile(joinPath(path, name));
    if (content === undefined) continue;
    bytes += content.length;
    files.set(joinPath(path, name), content);
  }
  return { value: entries?.map((entry) => plainEntry(entry)), files };
}

/** Content ids may be computed when they are looked at, which a copy cannot. */
function plainEntry(entry: TreeEntry | undefined): TreeEntry | undefined {
  if (entry === undefined) return undefined;
  const { name, kind, id, executable = false } = entry;
  return { name, kind, id, executable };
}

/** In the worker. What was asked once is kept for this tree. */
export function remoteTree(port: MessagePort, flag: Int32Array): FileTree {
  const known = new Map<string, unknown>();
  const ask = (verb: Question[0], path: string): unknown => {
    const key = `${verb} ${path}`;
    if (known.has(key)) return known.get(key);
    port.postMessage([verb, path] satisfies Question);
    if (Atomics.wait(flag, 0, 0, ANSWER_MS) === 'timed-out') {
      throw new CapstanError('TREE_FAILED', 'the files of the source are not answered for');
    }
    Atomics.store(flag, 0, 0);
    const { value, files, error }: Answer = receiveMessageOnPort(port)?.message ?? NO_ANSWER;
    if (error !== undefined) throw new CapstanError(error.code, error.message);
    known.set(key, value);
    for (const [at, content] of files ?? []) known.set(`readFile ${at}`, content);
    if (verb === 'readDirectory') {
      for (const entry of (value ?? []) as readonly TreeEntry[]) {
        known.set(`stat ${joinPath(path, entry.name)}`, entry);
      }
    }
    return value;
  };
  return {
    stat: (path) => ask('stat', path) as TreeEntry | undefined,
    readFile: (path) => ask('readFile', path) as Uint8Array | undefined,
    readDirectory: (path) => ask('readDirectory', path) as readonly TreeEntry[] | undefined,
    readLink: (path) => ask('readLink', path) as string | undefined,
  };
}
