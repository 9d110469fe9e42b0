/** One request as it reaches the server, over a socket or not. Shaped like kube/client's TransportRequest. */
export interface ApiRequest {
  readonly method: string;
  /** With query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

export interface ApiResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A whole body, or the chunks of a stream as they come. */
  readonly body: string | Uint8Array | AsyncIterable<string | Uint8Array> | ChunkStream;
}

/** Chunks that come over time, for one reader; who has many readers takes them without a promise for each. */
export interface ChunkStream extends AsyncIterable<string | Uint8Array> {
  open(): ChunkReader;
}

export interface ChunkReader {
  /** What has come by now. Readers of the same stream may get the same bytes, which they must not change. */
  take(): string | Uint8Array | undefined;
  /** Calls back once: when there is something to take, or at the end. Only after `take` gave nothing. */
  wait(wake: () => void): void;
  readonly ended: boolean;
  close(): void;
}

/** A request as kube/client makes it: a header may be given several times. */
export interface TransportRequest extends Omit<ApiRequest, 'headers'> {
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
}

/** Repeated headers joined by commas, as Node's HTTP server hands them over. */
export function joinHeaders(request: TransportRequest): ApiRequest {
  const entries = Object.entries(request.headers).map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : value.join(', '),
  ]);
  return { ...request, headers: Object.fromEntries(entries) };
}

/** The shape that kube/client wants from an in-process server. */
export interface StreamedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
}

const encoder = new TextEncoder();

export function toBytes(chunk: string | Uint8Array): Uint8Array {
  return typeof chunk === 'string' ? encoder.encode(chunk) : chunk;
}

export function toStreamed(response: ApiResponse): StreamedResponse {
  return { status: response.status, headers: response.headers, body: streamBody(response.body) };
}

async function* streamBody(body: ApiResponse['body']): AsyncGenerator<Uint8Array> {
  if (typeof body === 'string' || body instanceof Uint8Array) {
    if (body.length > 0) yield toBytes(body);
    return;
  }
  for await (const chunk of body) yield toBytes(chunk);
}
