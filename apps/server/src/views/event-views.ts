import type { EventView } from '@capstan/apps-contract';
import type { KubeClient } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { numberAt, textAt } from './fields.ts';

const EVENTS_MAX = 200;

/** The Events about one object, newest first. Asked of the server: Events are not watched. */
export async function readEvents(
  client: KubeClient,
  about: { readonly kind: string; readonly namespace: string; readonly name: string },
  options: { readonly signal: AbortSignal },
): Promise<readonly EventView[]> {
  const { kind, namespace, name } = about;
  const page = await client.list(
    { apiVersion: 'v1', kind: 'Event' },
    {
      // Events about objects without a namespace stand in `default`.
      namespace: namespace === '' ? 'default' : namespace,
      fieldSelector: `involvedObject.kind=${kind},involvedObject.name=${name}`,
      signal: options.signal,
    },
  );
  return page.items
    .map(toView)
    .sort((a, b) => (a.at < b.at ? 1 : -1))
    .slice(0, EVENTS_MAX);
}

function toView(event: KubeObject): EventView {
  const involved = `${textAt(event, 'involvedObject', 'kind')} ${textAt(event, 'involvedObject', 'name')}`;
  return {
    type: textAt(event, 'type'),
    reason: textAt(event, 'reason'),
    message: textAt(event, 'message'),
    object: involved,
    count: Math.max(1, numberAt(event, 'count'), numberAt(event, 'series', 'count')),
    at:
      textAt(event, 'lastTimestamp') ||
      textAt(event, 'series', 'lastObservedTime') ||
      textAt(event, 'eventTime') ||
      (event.metadata.creationTimestamp ?? ''),
  };
}
