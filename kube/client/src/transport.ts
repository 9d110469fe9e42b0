/** One HTTP exchange, without any choice of how it travels: a socket, or a function call into a server of this process. */
export interface TransportRequest {
  readonly method: string;
  /** Path with query, e.g. `/api/v1/pods?limit=500`; always begins with '/'. */
  readonly path: string;
  /** Names in lower case; a list is sent as one header line each (Impersonate-Group needs that). */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

export interface TransportResponse {
  readonly status: number;
  /** Names in lower case; repeated headers joined by ', ' (RFC 9110, section 5.2). */
  readonly headers: Readonly<Record<string, string>>;
  /** Must be read to the end or given up by `return()`, else a connection stays busy. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** The two directions of a WebSocket connection after the upgrade: messages in, messages out. */
export interface MessageSocket {
  /** The sub-protocol that the server chose. */
  readonly protocol: string;
  /** Ends when the peer closes; throws when the connection breaks. */
  readonly messages: AsyncIterable<Uint8Array>;
  send(message: Uint8Array): Promise<void>;
  close(): void;
}

/**
 * How requests reach one API server as one identity. `request` resolves as soon as status and headers are there and
 * rejects when there is no answer at all; an HTTP status is never an exception at this level.
 */
export interface Transport {
  /** For messages: the server's address, or a word for an in-process server. */
  readonly server: string;
  request(request: TransportRequest): Promise<TransportResponse>;
  /** Opens a WebSocket; absent where the server cannot be reached by one. */
  upgrade?(
    request: TransportRequest & { readonly protocols: readonly string[] },
  ): Promise<MessageSocket>;
  close(): Promise<void>;
}
