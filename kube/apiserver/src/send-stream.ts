import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import type { ChunkReader, ChunkStream } from './http-types.ts';

/**
 * Sends streams to many readers. What comes in one turn of the event loop goes out together, after all of it has come:
 * encrypting and sending cost by the piece. Chunks that readers share are framed once for all of them.
 */
export class StreamSender {
  readonly #frames = new WeakMap<Uint8Array, Uint8Array>();
  #turn: (() => void)[] = [];

  /** Resolves at the end of the stream, or when the reader has left. The headers must have been sent. */
  async send(stream: ChunkStream, response: ServerResponse): Promise<void> {
    const reader = stream.open();
    try {
      await new Promise<void>((resolve) => {
        const outlet = this.#outletOf(response);
        const go = (): void => {
          if (response.destroyed) resolve();
          else if (!this.#pass(reader, outlet)) outlet.to.once('drain', go);
          else if (reader.ended) resolve();
          else reader.wait(() => this.#inTurn(go));
        };
        response.once('close', resolve);
        go();
      });
    } finally {
      reader.close();
    }
    response.end();
  }

  /** False when the reader is slower than the stream, and some of it is left. */
  #pass(reader: ChunkReader, { to, frames }: Outlet): boolean {
    for (let chunk = reader.take(); chunk !== undefined; chunk = reader.take()) {
      if (!to.write(frames ? this.#frame(chunk) : chunk)) return false;
    }
    return true;
  }

  /**
   * The connection itself, where the chunks of HTTP/1.1 can be written as they are: a response would frame each of them
   * anew for every reader, which costs more than to encrypt and send it.
   */
  #outletOf(response: ServerResponse): Outlet {
    const { socket, chunkedEncoding } = response;
    if (socket === null || !chunkedEncoding) return { to: response, frames: false };
    return { to: socket, frames: true };
  }

  #frame(chunk: string | Uint8Array): Uint8Array {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    const known = this.#frames.get(bytes);
    if (known !== undefined) return known;
    const frame = Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, CRLF]);
    this.#frames.set(bytes, frame);
    return frame;
  }

  /** Once for all whose news came in this turn. */
  #inTurn(go: () => void): void {
    this.#turn.push(go);
    if (this.#turn.length > 1) return;
    setImmediate(() => {
      const all = this.#turn;
      this.#turn = [];
      for (const one of all) one();
    });
  }
}

interface Outlet {
  readonly to: Writable;
  readonly frames: boolean;
}

const CRLF = Buffer.from('\r\n');
