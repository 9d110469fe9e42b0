import { type AppDetail, type AppSummary, appKey, type StreamEvent } from '@capstan/apps-contract';

/** All that the page knows from the stream. A new value at each change; what did not change keeps its identity. */
export interface AppStore {
  /** null until the first full picture arrived. */
  readonly apps: ReadonlyMap<string, AppSummary> | null;
  readonly details: ReadonlyMap<string, AppDetail>;
}

export const EMPTY_STORE: AppStore = { apps: null, details: new Map() };

export function applyEvent(store: AppStore, event: StreamEvent): AppStore {
  switch (event.type) {
    case 'apps':
      return { ...store, apps: new Map(event.apps.map((app) => [appKey(app), app])) };
    case 'app':
      return { ...store, apps: new Map(store.apps).set(appKey(event.app), event.app) };
    case 'removed': {
      const apps = new Map(store.apps);
      const details = new Map(store.details);
      apps.delete(appKey(event.ref));
      details.delete(appKey(event.ref));
      return { apps, details };
    }
    case 'detail':
      return {
        ...store,
        details: new Map(store.details).set(appKey(event.detail.app), event.detail),
      };
    default:
      return event satisfies never;
  }
}
