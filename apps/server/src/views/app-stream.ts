import { type AppRef, appKey, type StreamEvent } from '@capstan/apps-contract';
import type { LiveChange, LiveState } from '@capstan/kube-client';
import { type Clock, messageOf } from '@capstan/lib-std';
import { appRefOf } from './app-ref.ts';
import type { AppViews } from './app-views.ts';

export interface AppStreamOptions {
  readonly views: AppViews;
  readonly live: LiveState;
  readonly clock: Clock;
  /** Whose detail is streamed too. */
  readonly app: AppRef | undefined;
  readonly signal: AbortSignal;
}

const GATHER_MS = 50;
const DETAIL_EVERY_MS = 200;

/**
 * The list of apps, then what changes in it; with `app`, that app's detail whenever something in the cluster may have
 * changed it. Changes are gathered for a moment, so that a burst is one event for each app and a slow reader gets the
 * newest state, never a backlog.
 */
export async function* streamApps(options: AppStreamOptions): AsyncGenerator<StreamEvent> {
  const { views, live, clock, app, signal } = options;
  const changed = new Set<string>();
  const refs = new Map<string, AppRef>();
  let isDetailDue = app !== undefined;
  let wake: () => void = () => undefined;
  const stop = live.subscribe((change) => {
    for (const ref of refsOf(change)) {
      refs.set(appKey(ref), ref);
      changed.add(appKey(ref));
    }
    isDetailDue ||= app !== undefined;
    if (changed.size > 0 || isDetailDue) wake();
  });
  const end = () => wake();
  signal.addEventListener('abort', end, { once: true });
  try {
    yield { type: 'apps', apps: views.list() };
    changed.clear();
    let detailText = '';
    while (!signal.aborted) {
      if (changed.size === 0 && !isDetailDue) {
        await new Promise<void>((resolve) => (wake = resolve));
      }
      await pause(clock, app === undefined ? GATHER_MS : DETAIL_EVERY_MS, signal);
      const keys = [...changed];
      changed.clear();
      for (const key of keys) yield eventFor(refs.get(key)!, views);
      refs.clear();
      if (isDetailDue && app !== undefined) {
        isDetailDue = false;
        const event = detailEvent(app, views);
        const text = event === undefined ? '' : JSON.stringify(event);
        if (event !== undefined && text !== detailText) yield event;
        detailText = text;
      }
    }
  } finally {
    stop();
    signal.removeEventListener('abort', end);
  }
}

function refsOf({ before, after }: LiveChange): readonly AppRef[] {
  const object = after ?? before;
  if (object === undefined) return [];
  const { kind, namespace, name } = object.key;
  const ref = appRefOf({ apiVersion: object.apiVersion, kind, metadata: { namespace, name } });
  return ref === undefined ? [] : [ref];
}

function eventFor(ref: AppRef, views: AppViews): StreamEvent {
  const app = views.summary(ref);
  return app === undefined ? { type: 'removed', ref } : { type: 'app', app };
}

function detailEvent(ref: AppRef, views: AppViews): StreamEvent | undefined {
  try {
    return { type: 'detail', detail: views.detail(ref) };
  } catch (error) {
    // It was deleted: the list says so.
    if (messageOf(error).startsWith('there is no')) return undefined;
    throw error;
  }
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(delayMs, resolve);
  const stop = () => resolve();
  signal.addEventListener('abort', stop, { once: true });
  return promise.finally(() => {
    cancel();
    signal.removeEventListener('abort', stop);
  });
}
