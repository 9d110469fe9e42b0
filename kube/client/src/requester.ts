import type { Json, JsonObject } from '@capstan/kube-object';
import { backoffDelayMs, CapstanError, messageOf } from '@capstan/lib-std';
import { type LinkedAbort, linkAbort, sleep } from './abort.ts';
import { ApiError, type ApiStatus, statusFrom } from './api-error.ts';
import { concealIn } from './conceal.ts';
import { formatJson, parseJson } from './json.ts';
import type { Answer } from './kube-client.ts';
import type { Limiter } from './limiter.ts';
import { NetworkError } from './network-error.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';

/** One call of the API: what to send, and how to speak of it in an error ("get Deployment apps/web"). */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly what: string;
  readonly body?: Json;
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly onAnswer?: ((answer: Answer) => void) | undefined;
  readonly yieldsForMs?: number | undefined;
  /** Texts that an error must not repeat. */
  readonly conceal?: readonly string[];
  /** False: 429 is an answer, not a request to wait (evictions). */
  readonly waitsWhenBusy?: boolean;
  /** Sending it twice does what once does, so that a broken connection may be tried again. By default: GET. */
  readonly isIdempotent?: boolean;
}

export interface RequesterOptions {
  readonly transport: Transport;
  readonly limiter: Limiter;
  readonly timeoutMs: number;
  readonly headers: TransportRequest['headers'];
  readonly observe?: RequestObserver;
}

/** Told of each request that was sent: for metrics. `status` is 0 when no answer came; `seconds` until the headers. */
export type RequestObserver = (request: {
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
}) => void;

const bodyBytesMax = 400 * 1024 * 1024;
const unavailableTriesMax = 12;
const networkTriesMax = 3;
const backoff = { baseMs: 100, factor: 2, maxMs: 5_000, jitter: 0.5 };

/** Sends calls: limits, waits when the server is busy, tries again what may be, and makes errors of bad answers. */
export class Requester {
  readonly #options: RequesterOptions;

  constructor(options: RequesterOptions) {
    this.#options = options;
  }

  get transport(): Transport {
    return this.#options.transport;
  }

  /** The same, with more headers on each request. */
  withHeaders(headers: TransportRequest['headers']): Requester {
    return new Requester({ ...this.#options, headers: { ...this.#options.headers, ...headers } });
  }

  headersFor(headers: TransportRequest['headers']): TransportRequest['headers'] {
    return { ...headers, ...this.#options.headers };
  }

  /** The answer's body as JSON; throws ApiError for a status of 400 and above. */
  async json(call: Call): Promise<JsonObject> {
    using deadline = linkAbort(call.signal, call.timeoutMs ?? this.#options.timeoutMs);
    const { response, text } = await this.#try(call, deadline, readText);
    call.onAnswer?.({ status: response.status, warnings: warningsOf(response.headers) });
    return parseObject(text, call);
  }

  /** The answer as a stream. The time limit holds for its beginning only. */
  async stream(call: Call): Promise<AsyncIterable<Uint8Array>> {
    const limits = linkAbort(call.signal, call.timeoutMs ?? this.#options.timeoutMs);
    const life = linkAbort(call.signal);
    const cut = () => life.abort(limits.signal.reason);
    limits.signal.addEventListener('abort', cut, { once: true });
    try {
      const deadline: LinkedAbort = {
        signal: life.signal,
        abort: life.abort,
        hold: limits.hold,
        get timedOut() {
          return limits.timedOut;
        },
        [Symbol.dispose]() {},
      };
      const { response } = await this.#try(call, deadline, async () => '');
      call.onAnswer?.({ status: response.status, warnings: warningsOf(response.headers) });
      return closing(response.body, life);
    } catch (error) {
      life[Symbol.dispose]();
      throw error;
    } finally {
      limits.signal.removeEventListener('abort', cut);
      limits[Symbol.dispose]();
    }
  }

  async #try(
    call: Call,
    deadline: LinkedAbort,
    read: (body: AsyncIterable<Uint8Array>) => Promise<string>,
  ): Promise<{ response: TransportResponse; text: string }> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once(call, deadline, read);
      } catch (error) {
        if (deadline.timedOut) throw timeoutError(call, error);
        deadline.signal.throwIfAborted();
        const waitMs = this.#waitBeforeRetry(call, error, attempt);
        if (waitMs === undefined) throw error;
        await sleep(waitMs, deadline.signal).catch((reason: unknown) => {
          throw deadline.timedOut ? timeoutError(call, error) : reason;
        });
      }
    }
  }

  async #once(
    call: Call,
    deadline: LinkedAbort,
    read: (body: AsyncIterable<Uint8Array>) => Promise<string>,
  ): Promise<{ response: TransportResponse; text: string }> {
    const { limiter } = this.#options;
    const { signal } = deadline;
    // Standing in our own queue is not the server's slowness.
    const resume = deadline.hold();
    const leave = await limiter.enter(signal, call.yieldsForMs).finally(resume);
    try {
      await limiter.untilOpen(signal);
      const response = await this.#send(call, signal);
      if (response.status !== 429) limiter.speedUp();
      if (response.status < 400) return { response, text: await read(response.body) };
      throw await errorFrom(response, call);
    } finally {
      leave();
    }
  }

  async #send(call: Call, signal: AbortSignal): Promise<TransportResponse> {
    const { transport, observe } = this.#options;
    const { method, path } = call;
    const startedMs = performance.now();
    let status = 0;
    try {
      const response = await transport.request({
        method,
        path,
        headers: this.headersFor(headersOf(call)),
        ...(call.body === undefined ? {} : { body: formatJson(call.body) }),
        signal,
      });
      status = response.status;
      return response;
    } finally {
      observe?.({ method, status, seconds: (performance.now() - startedMs) / 1000 });
    }
  }

  #waitBeforeRetry(call: Call, error: unknown, attempt: number): number | undefined {
    const delayMs = backoffDelayMs(backoff, attempt, Math.random());
    if (error instanceof NetworkError) {
      const mayResend = error.neverSent || (call.isIdempotent ?? call.method === 'GET');
      return error.kind === 'retry' && mayResend && attempt < networkTriesMax ? delayMs : undefined;
    }
    if (!(error instanceof ApiError) || call.waitsWhenBusy === false) return undefined;
    const { code, retryAfterSeconds } = error.status;
    const isBusy = code === 429;
    const isBriefly =
      code >= 500 && retryAfterSeconds !== undefined && attempt < unavailableTriesMax;
    if (!isBusy && !isBriefly) return undefined;
    // A new kind's storage is ready within milliseconds, whatever the server says, and concerns nobody else.
    if (error.status.message.includes('storage is (re)initializing')) return delayMs;
    const waitMs = Math.max(delayMs, (retryAfterSeconds ?? 0) * 1000);
    if (isBusy) this.#options.limiter.slowDown(waitMs);
    return waitMs;
  }
}

/** The error of an answer whose status is no success. Reads the body, within a bound. */
export async function errorFrom(
  response: TransportResponse,
  call: Pick<Call, 'what' | 'conceal'>,
): Promise<ApiError> {
  const text = await readText(response.body, 1024 * 1024).catch(messageOf);
  const status = withRetryAfter(statusFrom(response.status, tryParse(text)), response);
  return new ApiError(call.what, concealIn(status, call.conceal ?? []));
}

function withRetryAfter(status: ApiStatus, response: TransportResponse): ApiStatus {
  const seconds = Number(response.headers['retry-after']);
  if (!(seconds >= 0) || response.headers['retry-after'] === '') return status;
  return { ...status, retryAfterSeconds: Math.min(seconds, 300) };
}

export async function readText(
  body: AsyncIterable<Uint8Array>,
  bytesMax: number = bodyBytesMax,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > bytesMax) {
      throw new CapstanError('RESPONSE_TOO_LARGE', `the answer is larger than ${bytesMax} bytes`, {
        hint: 'read it in pages (pageSize) or only its metadata',
      });
    }
    chunks.push(chunk);
  }
  const [first] = chunks;
  if (chunks.length === 1 && first !== undefined) return new TextDecoder().decode(first);
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function headersOf(call: Call): TransportRequest['headers'] {
  const accept = { accept: call.accept ?? 'application/json' };
  if (call.body === undefined) return accept;
  return { ...accept, 'content-type': call.contentType ?? 'application/json' };
}

function parseObject(text: string, call: Call): JsonObject {
  const value = tryParse(text);
  if (value !== undefined) return value;
  throw new CapstanError(
    'UNREADABLE_ANSWER',
    `cannot ${call.what}: the answer is not a JSON object: ${text.slice(0, 100)}`,
    { kind: 'retry', hint: 'something between here and the API server may answer in its place' },
  );
}

function tryParse(text: string): JsonObject | undefined {
  try {
    const value = parseJson(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `299 - "text"`, several joined by commas (RFC 7234, section 5.5). */
export function warningsOf(headers: Readonly<Record<string, string>>): string[] {
  const matches = (headers['warning'] ?? '').matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g);
  return [...matches].map(([, text = '']) => text.replace(/\\(.)/g, '$1'));
}

function timeoutError(call: Call, cause: unknown): CapstanError {
  const last = cause instanceof CapstanError ? `; the last answer was: ${cause.message}` : '';
  return new CapstanError('TIMEOUT', `cannot ${call.what}: no answer in time${last}`, {
    kind: 'retry',
    cause,
  });
}

async function* closing(
  body: AsyncIterable<Uint8Array>,
  life: LinkedAbort,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body;
  } finally {
    life.abort(new DOMException('the stream was given up', 'AbortError'));
    life[Symbol.dispose]();
  }
}
