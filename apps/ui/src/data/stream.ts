import type { StreamEvent } from '@capstan/apps-contract';
import { type AppStore, applyEvent, EMPTY_STORE } from '../model/app-store.ts';

export interface LiveStore {
  readonly store: AppStore;
  /** The connection to the server stands. */
  readonly connected: boolean;
}

/** The server's stream as a store that React can subscribe to. Reconnects by itself (EventSource does). */
export interface StreamClient {
  subscribe(listener: () => void): () => void;
  snapshot(): LiveStore;
  /** Asks for one app's detail too, until the next call. */
  watchApp(key: string | null): void;
  close(): void;
}

export function openStream(): StreamClient {
  let state: LiveStore = { store: EMPTY_STORE, connected: true };
  let source: EventSource | undefined;
  let watched: string | null = null;
  const listeners = new Set<() => void>();
  const publish = (next: LiveStore): void => {
    state = next;
    for (const listener of listeners) listener();
  };
  const connect = (): void => {
    source?.close();
    source = new EventSource(
      watched === null ? '/api/stream' : `/api/stream?app=${encodeURIComponent(watched)}`,
    );
    source.onopen = () => publish({ ...state, connected: true });
    source.onerror = () => publish({ ...state, connected: false });
    source.onmessage = (message) =>
      publish({
        connected: true,
        store: applyEvent(state.store, JSON.parse(message.data) as StreamEvent),
      });
  };
  connect();
  return {
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    snapshot: () => state,
    watchApp: (key) => {
      if (key === watched) return;
      watched = key;
      connect();
    },
    close: () => source?.close(),
  };
}
