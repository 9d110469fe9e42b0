import type { Dispatcher } from 'undici';

export type DispatchOptions = Dispatcher.DispatchOptions & {
  readonly signal: AbortSignal | undefined;
};

export interface DispatchedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Must be read to the end or given up by `return()`. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** So much of an answer may wait for its reader before the sender is told to wait. */
const waitingBytesMax = 1024 * 1024;

/**
 * Sends one request; resolves when status and headers are there. As undici's `request`, without a stream object for each
 * answer: most answers are one chunk, and thousands of them come in a second.
 */
export function dispatchRequest(
  dispatcher: Dispatcher,
  { signal, ...options }: DispatchOptions,
): Promise<DispatchedAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<DispatchedAnswer>();
  let controller: Dispatcher.DispatchController | undefined;
  let body: AnswerBody | undefined;
  const stop = () => {
    controller?.abort(asError(signal?.reason));
    body?.fail(signal?.reason);
    reject(signal?.reason);
  };
  const release = () => signal?.removeEventListener('abort', stop);
  signal?.throwIfAborted();
  signal?.addEventListener('abort', stop, { once: true });
  dispatcher.dispatch(options, {
    onRequestStart(started) {
      controller = started;
      if (signal?.aborted === true) started.abort(asError(signal.reason));
    },
    onResponseStart(current, status, headers) {
      if (status < 200) return;
      body = new AnswerBody(current, release);
      resolve({ status, headers, body });
    },
    onResponseData(_current, chunk) {
      body?.push(chunk);
    },
    onResponseEnd() {
      release();
      body?.end();
    },
    onResponseError(_current, error) {
      release();
      body?.fail(error);
      reject(error);
    },
  });
  return promise;
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

/** Chunks as they come; one reader. */
class AnswerBody implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #controller: Dispatcher.DispatchController;
  readonly #release: () => void;
  readonly #chunks: Uint8Array[] = [];
  #waitingBytes = 0;
  #isPaused = false;
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(controller: Dispatcher.DispatchController, release: () => void) {
    this.#controller = controller;
    this.#release = release;
  }

  push(chunk: Uint8Array): void {
    if (this.#end !== undefined) return;
    this.#chunks.push(chunk);
    this.#waitingBytes += chunk.byteLength;
    if (this.#waitingBytes > waitingBytesMax && !this.#isPaused) {
      this.#isPaused = true;
      this.#controller.pause();
    }
    this.#wake?.();
  }

  end(): void {
    this.#end ??= {};
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (this.#chunks.length === 0 && this.#end === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
      this.#wake = undefined;
    }
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#waitingBytes -= chunk.byteLength;
      if (this.#isPaused && this.#waitingBytes <= waitingBytesMax) {
        this.#isPaused = false;
        this.#controller.resume();
      }
      return { done: false, value: chunk };
    }
    if (this.#end !== undefined && 'error' in this.#end) throw this.#end.error;
    return { done: true, value: undefined };
  }

  /** Nobody reads on: the connection is given up, unless the answer has ended. */
  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#release();
    if (this.#end === undefined) {
      this.#end = {};
      this.#controller.abort(new Error('the answer was given up'));
    }
    this.#chunks.length = 0;
    return { done: true, value: undefined };
  }
}
