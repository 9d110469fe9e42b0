import { Duplex } from 'node:stream';
import { HeaderBlocks } from './spdy-headers.ts';

const SYN_STREAM = 1;
const SYN_REPLY = 2;
const RST_STREAM = 3;
const PING = 6;
const GO_AWAY = 7;
const FIN = 1;
const CANCEL = 5;
const HEAD_BYTES = 8;
const FRAME_BYTES_MAX = 1024 * 1024;
const DATA_BYTES_MAX = 32 * 1024;

/** One stream that the client opened. */
export interface SpdyStream {
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly data: Duplex;
}

/**
 * The server's side of SPDY/3.1 (draft-mbelshe-httpbis-spdy-00 as moby/spdystream speaks it): what kubectl falls back to for
 * exec and attach, and what port-forward is carried in. Streams are opened by the client only and are told to `accept`
 * in their order; there is no flow control, a slow reader holds up the whole connection. Ends with the connection.
 */
export async function serveSpdy(
  connection: Duplex,
  accept: (stream: SpdyStream) => void,
): Promise<void> {
  const session = new Session(connection, accept);
  try {
    for await (const chunk of connection) await session.take(chunk as Buffer);
  } catch {
    // A connection that breaks, or that speaks something else, ends like one that is closed.
  } finally {
    session.close();
    connection.destroy();
  }
}

class Session {
  readonly #connection: Duplex;
  readonly #accept: (stream: SpdyStream) => void;
  readonly #headers = new HeaderBlocks();
  readonly #streams = new Map<number, Incoming>();
  #rest: Buffer = Buffer.alloc(0);

  constructor(connection: Duplex, accept: (stream: SpdyStream) => void) {
    this.#connection = connection;
    this.#accept = accept;
  }

  async take(chunk: Buffer): Promise<void> {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= HEAD_BYTES) {
      const length = this.#rest.readUIntBE(5, 3);
      if (length > FRAME_BYTES_MAX) throw new RangeError('a frame is too long');
      if (this.#rest.length < HEAD_BYTES + length) return;
      const head = this.#rest.subarray(0, HEAD_BYTES);
      const body = this.#rest.subarray(HEAD_BYTES, HEAD_BYTES + length);
      this.#rest = this.#rest.subarray(HEAD_BYTES + length);
      await this.#frame(head, body);
    }
  }

  close(): void {
    for (const stream of this.#streams.values()) stream.destroy();
    this.#headers.close();
  }

  async #frame(head: Buffer, body: Buffer): Promise<void> {
    const word = head.readUInt32BE(0);
    const isLast = (head[4]! & FIN) !== 0;
    if (word < 0x8000_0000) {
      const stream = this.#streams.get(word);
      if (stream === undefined) return;
      if (body.length > 0) await stream.receive(body);
      if (isLast) await stream.receive(null);
      return;
    }
    switch (word & 0xffff) {
      case SYN_STREAM:
        return this.#open(body, isLast);
      case RST_STREAM: {
        const id = body.readUInt32BE(0);
        this.#streams.get(id)?.destroy();
        this.#streams.delete(id);
        return;
      }
      case PING:
        await this.#send(control(PING, 0, body));
        return;
      case GO_AWAY:
        this.#connection.end();
        return;
      default:
      // Settings, window updates and further headers change nothing here.
    }
  }

  async #open(body: Buffer, isLast: boolean): Promise<void> {
    const id = body.readUInt32BE(0) & 0x7fff_ffff;
    const headers = await this.#headers.read(body.subarray(10));
    const reply = Buffer.concat([uint32(id), await this.#headers.empty()]);
    const stream = new Incoming({
      send: (chunk) => this.#data(id, 0, chunk),
      end: () => this.#data(id, FIN, Buffer.alloc(0)),
      reset: () => {
        if (!this.#streams.delete(id) || this.#connection.destroyed) return;
        const frame = control(RST_STREAM, 0, Buffer.concat([uint32(id), uint32(CANCEL)]));
        // The connection may end while this is on its way, and then nobody waits for it.
        this.#send(frame).catch(() => undefined);
      },
    });
    this.#streams.set(id, stream);
    await this.#send(control(SYN_REPLY, 0, reply));
    this.#accept({ headers, data: stream });
    if (isLast) await stream.receive(null);
  }

  async #data(id: number, flags: number, chunk: Uint8Array): Promise<void> {
    let at = 0;
    do {
      const part = chunk.subarray(at, at + DATA_BYTES_MAX);
      at += part.length;
      await this.#send(Buffer.concat([uint32(id), flagsAndLength(flags, part.length), part]));
    } while (at < chunk.length);
  }

  #send(frame: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#connection.write(frame, (error) => (error ? reject(error) : resolve()));
    });
  }
}

interface Outgoing {
  send(chunk: Uint8Array): Promise<void>;
  end(): Promise<void>;
  reset(): void;
}

class Incoming extends Duplex {
  readonly #outgoing: Outgoing;
  #wanted: (() => void) | undefined;

  constructor(outgoing: Outgoing) {
    super({ allowHalfOpen: true });
    this.#outgoing = outgoing;
    // Whoever holds the stream sees its errors by reading; without a reader they are of no interest.
    this.on('error', () => undefined);
  }

  /** Resolves when more may come. */
  receive(chunk: Buffer | null): Promise<void> {
    if (this.destroyed || this.push(chunk) || chunk === null) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wanted = resolve;
    });
  }

  override _read(): void {
    this.#wanted?.();
    this.#wanted = undefined;
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#outgoing.send(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error) => void): void {
    this.#outgoing.end().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#wanted?.();
    if (!this.writableFinished || !this.readableEnded) this.#outgoing.reset();
    done(error);
  }
}

function control(type: number, flags: number, body: Uint8Array): Buffer {
  const kind = uint32(0x8003_0000 + type);
  return Buffer.concat([kind, flagsAndLength(flags, body.length), body]);
}

function flagsAndLength(flags: number, length: number): Buffer {
  return uint32(((flags << 24) | length) >>> 0);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
