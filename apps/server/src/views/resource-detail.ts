import type { AppRef, FieldDifference, ResourceDetail, ResourceRef } from '@capstan/apps-contract';
import type { ObjectInsight } from '@capstan/engine-delivery';
import { type FieldDifference as Difference, maskSecrets } from '@capstan/engine-diff';
import { isNotFound, type KubeClient } from '@capstan/kube-client';
import { type Json, type KubeObject, keyString, type ObjectKey } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { toYaml } from '@capstan/lib-yaml';
import type { AppViews } from './app-views.ts';
import { readEvents } from './event-views.ts';

export interface ResourceDetailPorts {
  readonly client: KubeClient;
  /** Annotations whose values are not shown, by the administrator's word; absent: none beyond our own. */
  readonly sensitiveAnnotations?: (() => readonly string[]) | undefined;
  readonly views: AppViews;
  readonly inspect: (ref: AppRef, key: ObjectKey) => Promise<ObjectInsight | undefined>;
}

/**
 * One object of an app: live and desired as YAML, where they differ, its events. Only objects of the app's own tree are
 * shown, and values of Secrets never.
 */
export async function readResourceDetail(
  app: AppRef,
  ref: ResourceRef,
  ports: ResourceDetailPorts,
  options: { readonly signal: AbortSignal },
): Promise<ResourceDetail> {
  const { group, version, kind, namespace, name } = ref;
  const id = keyString({ group, kind, namespace, name });
  const node = ports.views.detail(app).resources.find((resource) => resource.id === id);
  if (node === undefined) {
    throw new CapstanError('NOT_FOUND', `${kind} ${name} is not part of this app`, {
      hint: 'look at the tree of the app',
    });
  }
  const live = await ports.client
    .find({ group, kind, namespace, name, ...(version === '' ? {} : { version }) }, options)
    .catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  const insight =
    node.parent === null ? await ports.inspect(app, { group, kind, namespace, name }) : undefined;
  const [shownLive, shownDesired] = maskSecrets([live, insight?.desired] as const, {
    sensitiveAnnotations: ports.sensitiveAnnotations?.() ?? [],
  });
  return {
    ref,
    live: shownLive === undefined ? null : formatObject(shownLive),
    desired: shownDesired === undefined ? null : formatObject(shownDesired),
    differences: (insight?.differences ?? []).map(toDifferenceView),
    events: await readEvents(ports.client, ref, options),
  };
}

/** YAML for people: without managedFields, which nobody reads. */
function formatObject(object: KubeObject): string {
  const { managedFields: _, ...metadata } = object.metadata;
  return toYaml({ ...object, metadata } as Json as Parameters<typeof toYaml>[0]);
}

export function toDifferenceView(difference: Difference): FieldDifference {
  return {
    field: difference.path,
    desired: formatValue(difference.desired),
    live: formatValue(difference.live),
    manager: difference.manager ?? '',
  };
}

function formatValue(value: Json | undefined): string {
  if (value === undefined) return '';
  return typeof value === 'string'
    ? value
    : toYaml(value as Parameters<typeof toYaml>[0]).trimEnd();
}
