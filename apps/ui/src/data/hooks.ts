import { createContext, use, useEffect, useState, useSyncExternalStore } from 'react';
import type { LiveStore, StreamClient } from './stream.ts';

export const StreamContext = createContext<StreamClient | null>(null);

function useStream(): StreamClient {
  const stream = use(StreamContext);
  if (stream === null) throw new Error('StreamContext is missing above this component');
  return stream;
}

/** The live picture of all apps. */
export function useLive(): LiveStore {
  const stream = useStream();
  return useSyncExternalStore(stream.subscribe, stream.snapshot);
}

/** Streams one app's detail while the component is shown. */
export function useWatchedApp(key: string): void {
  const stream = useStream();
  useEffect(() => {
    stream.watchApp(key);
    return () => stream.watchApp(null);
  }, [stream, key]);
}

/** The time, every ten seconds: ages on the page move on. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 10_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** Calls `onKey` for keys pressed outside of text fields. */
export function useKeys(onKey: (event: KeyboardEvent) => void): void {
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement | null;
      const typing = target?.closest('input, textarea, select, [contenteditable="true"]') != null;
      if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
      onKey(event);
    };
    window.addEventListener('keydown', listener);
    return () => window.removeEventListener('keydown', listener);
  }, [onKey]);
}
