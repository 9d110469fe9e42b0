import type { ApiResponse, ChunkReader, ChunkStream } from './http-types.ts';

/** Resolves when all changes so far are safe. */
export type Persist = () => Promise<void>;

/** Whatever a client has seen, in an answer or in a watch, is still there after a crash. */
export async function afterPersisting(
  response: ApiResponse,
  persist: Persist | undefined,
): Promise<ApiResponse> {
  if (persist === undefined) return response;
  await persist();
  const { body } = response;
  if (typeof body === 'string' || body instanceof Uint8Array) return response;
  if ('open' in body) return { ...response, body: new PersistedChunks(body, persist) };
  return { ...response, body: persistedEach(body, persist) };
}

async function* persistedEach<T>(chunks: AsyncIterable<T>, persist: Persist): AsyncGenerator<T> {
  for await (const chunk of chunks) {
    await persist();
    yield chunk;
  }
}

/** A stream that gives what has come once it is safe. Its readers get the same chunks, and are called in one turn, as without. */
class PersistedChunks implements ChunkStream {
  readonly #stream: ChunkStream;
  readonly #persist: Persist;

  constructor(stream: ChunkStream, persist: Persist) {
    this.#stream = stream;
    this.#persist = persist;
  }

  open(): ChunkReader {
    return new PersistedReader(this.#stream.open(), this.#persist);
  }

  [Symbol.asyncIterator](): AsyncGenerator<string | Uint8Array> {
    return persistedEach(this.#stream, this.#persist);
  }
}

type Chunk = string | Uint8Array;

/** Takes one chunk, and gives it when all that it may tell of is safe; slow readers leave the rest where it is. */
class PersistedReader implements ChunkReader {
  readonly #reader: ChunkReader;
  readonly #persist: Persist;
  #safe: Chunk | undefined;
  #ended = false;

  constructor(reader: ChunkReader, persist: Persist) {
    this.#reader = reader;
    this.#persist = persist;
  }

  take(): Chunk | undefined {
    const chunk = this.#safe;
    this.#safe = undefined;
    return chunk;
  }

  wait(wake: () => void): void {
    const chunk = this.#reader.take();
    const end = (): void => {
      this.#ended = true;
      wake();
    };
    if (chunk === undefined) {
      if (this.#reader.ended) end();
      else this.#reader.wait(() => this.wait(wake));
      return;
    }
    const give = (): void => {
      this.#safe = chunk;
      wake();
    };
    // What is not safe is never shown: the stream ends, and its reader begins anew when the disk works again.
    this.#persist().then(give, end);
  }

  get ended(): boolean {
    return this.#ended;
  }

  close(): void {
    this.#reader.close();
  }
}
