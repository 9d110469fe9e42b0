import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import {
  type ChartOffer,
  type FieldQuestion,
  type RenderCache,
  type RenderResult,
  type RenderSpec,
  rendersCharts,
} from '@capstan/engine-render';
import type { Snapshot } from '@capstan/engine-source';
import type { RemotePolicy } from '@capstan/kube-kustomize';
import {
  type FileTree,
  joinPath,
  type RenderTrace,
  recordTrace,
  resolvePath,
} from '@capstan/lib-files';
import { BoundedCache, CapstanError } from '@capstan/lib-std';
import { type Exceeded, limitTime } from './limit-time.ts';
import type { AccessTo, RemoteContents } from './remote-contents.ts';
import { serveTree } from './remote-tree.ts';
import type { RenderStore } from './render-store.ts';
import { weighRender } from './weigh-render.ts';

export interface RenderPoolOptions {
  readonly renders: RenderCache;
  readonly now: () => number;
  /** Threads; 1 when absent. */
  readonly threads?: number;
  /** One render may compute so long; 30 s when absent. */
  readonly timeoutMs?: number;
  /** Heap of a thread; 512 MiB when absent. */
  readonly memoryMb?: number;
  /** Renders that wait; more are told to come again. 10,000 when absent. */
  readonly queueMax?: number;
  /** What kustomizations take from elsewhere; absent: they get nothing. */
  readonly remotes?: RemoteContents;
  /** Results of earlier runs of this process. */
  readonly store?: RenderStore;
  /** The thread's program. */
  readonly program?: URL;
}

export interface RenderCall {
  /** What is known is not looked at. */
  readonly fresh?: boolean;
  readonly accessTo?: AccessTo;
  /** Answered in the result's `sources`. */
  readonly question?: FieldQuestion;
  /** To charts, by the destination. */
  readonly offered?: ChartOffer;
}

export interface WorkerData {
  readonly port: MessagePort;
  readonly flag: SharedArrayBuffer;
}

export interface RenderJob {
  readonly snapshot: Omit<Snapshot, 'files'>;
  readonly spec: RenderSpec;
  readonly offered: ChartOffer | undefined;
  readonly nowMs: number;
  readonly question?: FieldQuestion;
}

export type RenderReply =
  | { readonly result: RenderResult }
  | { readonly error: { readonly code: string; readonly message: string } };

interface Waiting {
  readonly snapshot: Snapshot;
  readonly spec: RenderSpec;
  readonly question: FieldQuestion | undefined;
  readonly offered: ChartOffer | undefined;
  readonly resolve: (result: RenderResult) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly flag: Int32Array;
  /** Renders that it has finished. */
  finished: number;
}

const TIMEOUT_MS = 30_000;
const MEMORY_MB = 512;
const YOUNG_MB = 24;
const QUEUE_MAX = 10_000;
const FAILURES_MAX = 1_000;
const FOLDERS_MAX = 200;
/** Each holds its files in memory: more of them than this are written though renders go on. */
const UNKEPT_MAX = 64;
const PAUSE_MS = 2_000;
const ROUNDS_MAX = 16;

/**
 * Renders. A few plain manifests and small kustomizations are rendered at once. Charts and Jsonnet are programs, and many files take
 * longer than everything else may wait: they go to threads with bounds on time, memory and waiting. One that hangs or crashes is an error of its own app, and
 * is not tried again before its files or its spec change; one that crashes a thread which served others before gets a thread of its
 * own first.
 */
export class RenderPool {
  readonly #options: RenderPoolOptions;
  readonly #failures = new BoundedCache<string, RenderResult>(FAILURES_MAX);
  readonly #queue: Waiting[] = [];
  readonly #idle: Thread[] = [];
  readonly #threads = new Set<Thread>();
  /** What is still to be written to disk. */
  readonly #unkept: (() => Promise<void>)[] = [];
  #pause: NodeJS.Timeout | undefined;
  #keeping: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: RenderPoolOptions) {
    this.#options = options;
  }

  /** What a render finds that it needs from elsewhere is fetched for it. */
  async render(
    snapshot: Snapshot,
    spec: RenderSpec,
    { fresh = false, accessTo, question, offered }: RenderCall = {},
  ): Promise<RenderResult> {
    const { remotes } = this.#options;
    const policy = remotePolicyOf(spec);
    const once = (files: Snapshot) =>
      question === undefined
        ? this.#renderOnce(files, spec, { fresh, offered })
        : this.#ask(files, spec, { question, offered });
    let whole = snapshot;
    let result = await once(whole);
    for (let round = 0; result.pending !== undefined && round < ROUNDS_MAX; round++) {
      if (remotes === undefined) return result;
      whole = await remotes.mount(whole, result.pending, { policy, fresh, accessTo });
      result = await once(whole);
    }
    return result;
  }

  /** Nobody keeps what was asked once. */
  async #ask(
    snapshot: Snapshot,
    spec: RenderSpec,
    asked: { readonly question: FieldQuestion; readonly offered: ChartOffer | undefined },
  ): Promise<RenderResult> {
    return isApart(snapshot.files, spec)
      ? await this.#renderApart(snapshot, spec, asked)
      : this.#options.renders.ask(snapshot, spec, asked.question);
  }

  async #renderOnce(
    snapshot: Snapshot,
    spec: RenderSpec,
    { fresh, offered }: { readonly fresh: boolean; readonly offered: ChartOffer | undefined },
  ): Promise<RenderResult> {
    const { renders, store } = this.#options;
    const environment = environmentOf(snapshot, spec, offered);
    const held =
      renders.find(snapshot, spec, environment) ??
      this.#failures.get(failureKey(snapshot, spec, environment));
    if (held !== undefined && !fresh) return held;
    const stored = fresh ? undefined : await store?.find(snapshot, spec, environment);
    if (stored !== undefined) {
      renders.keep(snapshot, spec, stored, environment);
      return stored;
    }
    const result = isApart(snapshot.files, spec)
      ? await this.#renderApart(snapshot, spec, { offered })
      : renders.render(snapshot, spec);
    if (store !== undefined && result.pending === undefined)
      this.#keepLater(() => store.keep(snapshot, spec, { environment, result }));
    return result;
  }

  /** The disk can wait until renders pause: who waits for one has something to apply. */
  #keepLater(keep: () => Promise<void>): void {
    this.#unkept.push(keep);
    clearTimeout(this.#pause);
    if (this.#unkept.length >= UNKEPT_MAX) void this.#keepAll();
    else this.#pause = setTimeout(() => void this.#keepAll(), PAUSE_MS).unref();
  }

  #keepAll(): Promise<void> {
    this.#keeping ??= this.#keepEach().finally(() => {
      this.#keeping = undefined;
    });
    return this.#keeping;
  }

  async #keepEach(): Promise<void> {
    for (let next = this.#unkept.shift(); next !== undefined; next = this.#unkept.shift())
      await next();
  }

  async #renderApart(
    snapshot: Snapshot,
    spec: RenderSpec,
    {
      question,
      offered,
    }: { readonly question?: FieldQuestion; readonly offered: ChartOffer | undefined },
  ): Promise<RenderResult> {
    const { queueMax = QUEUE_MAX } = this.#options;
    if (this.#queue.length >= queueMax) {
      throw new CapstanError('RENDER_BUSY', `${queueMax} renders wait already`, { kind: 'retry' });
    }
    const { promise, resolve, reject } = Promise.withResolvers<RenderResult>();
    this.#queue.push({ snapshot, spec, question, offered, resolve, reject });
    this.#next();
    return await promise;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const stopped = new CapstanError('RENDER_STOPPED', 'rendering stops', { kind: 'retry' });
    for (const { reject } of this.#queue.splice(0)) reject(stopped);
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()));
    clearTimeout(this.#pause);
    await this.#keepAll();
  }

  #next(): void {
    const { threads = 1 } = this.#options;
    while (this.#queue.length > 0 && !this.#isClosed) {
      const thread = this.#idle.pop() ?? (this.#threads.size < threads ? this.#start() : undefined);
      if (thread === undefined) return;
      const waiting = this.#queue.shift();
      if (waiting !== undefined) void this.#run(thread, waiting);
    }
  }

  #start(): Thread {
    const { program = new URL('./render-worker.ts', import.meta.url), memoryMb = MEMORY_MB } =
      this.#options;
    const { port1, port2 } = new MessageChannel();
    const flag = new SharedArrayBuffer(4);
    const worker = new Worker(program, {
      workerData: { port: port2, flag } satisfies WorkerData,
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: YOUNG_MB },
    });
    // Neither keeps the process alive.
    worker.unref();
    port1.unref();
    const thread = { worker, port: port1, flag: new Int32Array(flag), finished: 0 };
    this.#threads.add(thread);
    return thread;
  }

  async #run(thread: Thread, waiting: Waiting): Promise<void> {
    const { snapshot, spec, question, offered, resolve, reject } = waiting;
    const { renders, now } = this.#options;
    const environment = environmentOf(snapshot, spec, offered);
    // What a thread asked for before it failed: without a change there it would fail again, and one there is worth another try.
    const { tree, trace } = recordTrace(snapshot.files);
    const stop = serveTree(tree, thread.port, thread.flag);
    const { source, revision, digest } = snapshot;
    const job: RenderJob = {
      snapshot: { source, revision, digest },
      spec,
      offered,
      nowMs: now(),
      ...(question === undefined ? {} : { question }),
    };
    try {
      const reply = await this.#send(thread, job);
      thread.finished++;
      this.#idle.push(thread);
      if ('error' in reply) reject(new CapstanError(reply.error.code, reply.error.message));
      else {
        if (question === undefined) renders.keep(snapshot, spec, reply.result, environment);
        resolve(reply.result);
      }
    } catch (error) {
      this.#threads.delete(thread);
      void thread.worker.terminate();
      if (error instanceof CapstanError && error.kind === 'retry') reject(error);
      // It may have fallen over what earlier renders left there: a thread of its own tells.
      else if (thread.finished > 0 && !isTimeout(error)) this.#queue.unshift(waiting);
      else {
        const failed = failedResult(spec, error, trace);
        if (!this.#isClosed) this.#failures.set(failureKey(snapshot, spec, environment), failed);
        resolve(failed);
      }
    } finally {
      stop();
      this.#next();
    }
  }

  /** Rejects when the thread does not come to an end, or comes to its own. */
  #send({ worker }: Thread, job: RenderJob): Promise<RenderReply> {
    const { timeoutMs = TIMEOUT_MS } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<RenderReply>();
    const stopCounting = limitTime(worker, timeoutMs, (why) => reject(tookTooLong(why, job)));
    const crashed = (error: unknown) => reject(error);
    const ended = (code: number) => reject(new Error(`the thread ended with ${code}`));
    worker.once('message', resolve).once('error', crashed).once('exit', ended);
    worker.postMessage(job);
    return promise.finally(() => {
      stopCounting();
      worker.off('message', resolve).off('error', crashed).off('exit', ended);
    });
  }
}

/** A render that computes without end does so again; one that had to wait may do better a moment later. */
function tookTooLong(why: Exceeded, { spec }: RenderJob): CapstanError {
  return why === 'computed too long'
    ? new CapstanError('RENDER_TIMEOUT', 'it does not come to an end in time')
    : new CapstanError('RENDER_STARVED', `${spec.path}: this machine had no time to render it`, {
        hint: 'it is tried again; give the control plane more CPU',
        kind: 'retry',
      });
}

/** From where the spec lets content come that is not in the snapshot. */
function remotePolicyOf(spec: RenderSpec): RemotePolicy | undefined {
  if (spec.kind === 'helm') return spec.remoteValues;
  if (spec.kind === 'directory') return undefined;
  return spec.remote ?? (spec.kind === 'detect' ? spec.helm?.remoteValues : undefined);
}

/** What a result depends on beside files and spec. */
function environmentOf(
  { files }: Snapshot,
  spec: RenderSpec,
  offered: ChartOffer | undefined,
): string {
  return offered !== undefined && rendersCharts(files, spec) ? offered.id : '';
}

/** Equal content, spec and environment fail alike: no use in trying again. */
function failureKey({ source, digest }: Snapshot, spec: RenderSpec, environment: string): string {
  return JSON.stringify([source, digest, spec, environment]);
}

function isTimeout(error: unknown): boolean {
  return error instanceof CapstanError && error.code === 'RENDER_TIMEOUT';
}

function failedResult(spec: RenderSpec, error: unknown, trace: RenderTrace): RenderResult {
  const isLate = isTimeout(error);
  const isMemory =
    error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
  const why = isLate
    ? 'it does not come to an end in time'
    : isMemory
      ? 'it needs more memory than it may have'
      : 'the renderer crashed';
  return {
    kind: spec.kind === 'helm' || spec.kind === 'kustomize' ? spec.kind : 'directory',
    objects: [],
    digest: '',
    diagnostics: [
      {
        severity: 'error',
        code: isLate ? 'RENDER_TIMEOUT' : isMemory ? 'RENDER_MEMORY' : 'RENDER_CRASHED',
        message: `the manifests cannot be rendered: ${why}`,
        hint: 'look for loops over large ranges and for templates that call themselves; it is tried again when its files change',
        location: { file: spec.path === '' ? '.' : spec.path },
      },
    ],
    trace,
  };
}

/** Files that may be rendered while everything else waits: some tens of milliseconds on a small machine. */
const LIGHT_FILES_MAX = 40;

function isApart(tree: FileTree, spec: RenderSpec): boolean {
  return isProgram(tree, spec) || isHeavy(tree, spec);
}

function isHeavy(tree: FileTree, spec: RenderSpec): boolean {
  return weighRender(tree, spec, LIGHT_FILES_MAX + 1) > LIGHT_FILES_MAX;
}

/** Whether rendering runs what a repository wrote: templates of charts, or Jsonnet. */
function isProgram(tree: FileTree, spec: RenderSpec): boolean {
  if (rendersCharts(tree, spec)) return true;
  if (spec.kind === 'helm' || spec.kind === 'kustomize') return false;
  const folder = resolvePath('', spec.path);
  return folder !== undefined && holdsJsonnet(tree, folder, spec.recurse === true);
}

function holdsJsonnet(tree: FileTree, folder: string, recurse: boolean): boolean {
  const pending = [folder];
  for (let looked = 0; pending.length > 0; looked++) {
    // Too many to look at: the thread is the safe place.
    if (looked >= FOLDERS_MAX) return true;
    const at = pending.pop() ?? '';
    for (const { name, kind } of tree.readDirectory(at) ?? []) {
      if (kind !== 'directory' && name.endsWith('sonnet')) return true;
      if (kind === 'directory' && recurse) pending.push(joinPath(at, name));
    }
  }
  return false;
}
