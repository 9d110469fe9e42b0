import { type Dispatcher, WebSocket } from 'undici';
import { NetworkError } from './network-error.ts';
import type { MessageSocket } from './transport.ts';

export interface WebSocketOptions {
  readonly protocols: readonly string[];
  readonly headers: Record<string, string | string[]>;
  readonly dispatcher: Dispatcher;
  readonly server: string;
  readonly signal?: AbortSignal;
}

/** The server refused to switch protocols; the same request without an upgrade tells why. */
export class UpgradeRefused extends Error {}

/** Opens a WebSocket; rejects with UpgradeRefused when the server answers anything but 101, or is not reached. */
export async function openWebSocket(url: URL, options: WebSocketOptions): Promise<MessageSocket> {
  options.signal?.throwIfAborted();
  const socket = new WebSocket(url, {
    protocols: [...options.protocols],
    headers: headerPairs(options.headers),
    dispatcher: options.dispatcher,
  });
  socket.binaryType = 'arraybuffer';
  const queue = new MessageQueue(options.server);
  const opened = Promise.withResolvers<void>();
  socket.onopen = () => opened.resolve();
  socket.onmessage = ({ data }) => queue.push(toBytes(data));
  socket.onerror = ({ error }) => {
    opened.reject(new UpgradeRefused(error instanceof Error ? error.message : 'refused'));
    queue.fail(error);
  };
  socket.onclose = ({ code, reason }) => {
    opened.reject(new UpgradeRefused(`closed with code ${code}`));
    if (code === 1000 || code === 1005) queue.end();
    else queue.fail(new Error(`the connection was closed with code ${code} ${reason}`.trimEnd()));
  };
  const stop = () => {
    queue.abort(options.signal?.reason);
    opened.reject(options.signal?.reason);
    socket.close();
  };
  options.signal?.addEventListener('abort', stop, { once: true });
  socket.addEventListener('close', () => options.signal?.removeEventListener('abort', stop));
  await opened.promise;
  return {
    protocol: socket.protocol,
    messages: queue,
    send: (message) => sendWithBound(socket, message, options),
    close: () => socket.close(),
  };
}

const bufferedBytesMax = 4 * 1024 * 1024;

async function sendWithBound(
  socket: WebSocket,
  message: Uint8Array,
  options: WebSocketOptions,
): Promise<void> {
  while (socket.bufferedAmount > bufferedBytesMax && socket.readyState === socket.OPEN) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  options.signal?.throwIfAborted();
  if (socket.readyState !== socket.OPEN) {
    throw new NetworkError(options.server, new Error('the connection is closed'));
  }
  socket.send(message);
}

/** Messages that came and were not read yet. The protocol has no flow control, so the bound ends the connection. */
class MessageQueue implements AsyncIterable<Uint8Array> {
  readonly #server: string;
  readonly #messages: Uint8Array[] = [];
  #bytes = 0;
  #state: { readonly kind: 'open' | 'ended' } | { readonly kind: 'failed'; error: unknown } = {
    kind: 'open',
  };
  #wake: () => void = () => {};

  constructor(server: string) {
    this.#server = server;
  }

  push(message: Uint8Array): void {
    this.#bytes += message.byteLength;
    if (this.#bytes > 64 * 1024 * 1024) {
      this.fail(new Error('more than 64 MiB of output were waiting to be read'));
      return;
    }
    this.#messages.push(message);
    this.#wake();
  }

  end(): void {
    if (this.#state.kind === 'open') this.#state = { kind: 'ended' };
    this.#wake();
  }

  fail(error: unknown): void {
    this.abort(new NetworkError(this.#server, error));
  }

  abort(error: unknown): void {
    if (this.#state.kind === 'open') this.#state = { kind: 'failed', error };
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) {
        this.#bytes -= message.byteLength;
        yield message;
      } else if (this.#state.kind === 'failed') {
        throw this.#state.error;
      } else if (this.#state.kind === 'ended') {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

function toBytes(data: unknown): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return new TextEncoder().encode(String(data));
}

function headerPairs(headers: Record<string, string | string[]>): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((one): [string, string] => [name, one]),
  );
}
