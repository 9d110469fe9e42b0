import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import type { Core } from '../core.ts';
import { partialMetadata } from '../partial-metadata.ts';
import type { ServedResource } from '../served-resource.ts';
import { printerFor } from './printers.ts';

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  /** 0 is always shown, higher ones with `-o wide`. */
  readonly priority?: number;
}

/** How one kind is shown: its columns, and the cells of one object in their order. */
export interface Printer {
  readonly columns: readonly Column[];
  cells(object: KubeObject, nowMs: number): readonly Json[];
}

const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** A metav1.Table of objects: what `kubectl get` shows. */
export function tableOf(
  core: Core,
  resource: ServedResource,
  objects: readonly KubeObject[],
  options: {
    readonly version: string;
    readonly include: string | null;
    readonly metadata: JsonObject;
    /** A watch names its columns only once. */
    readonly withoutColumns?: boolean;
  },
): JsonObject {
  const printer = printerFor(resource);
  const now = core.clock.now();
  const rows = objects.map((object) => ({
    cells: [...printer.cells(object, now)],
    object: rowObject(object, options),
  }));
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${options.version}`,
    metadata: options.metadata,
    columnDefinitions:
      options.withoutColumns === true
        ? null
        : printer.columns.map(({ name, type, format, description, priority }) => ({
            name,
            type,
            format: format ?? '',
            description: description ?? '',
            priority: priority ?? 0,
          })),
    rows,
  };
}

function rowObject(
  object: KubeObject,
  options: { readonly version: string; readonly include: string | null },
): Json {
  if (options.include === 'Object') return object;
  // Readers of a list that is streamed must see where it ends.
  const isEnd = object.metadata.annotations?.[INITIAL_EVENTS_END] === 'true';
  if (options.include === 'None' && !isEnd) return null;
  return partialMetadata(object, options.version);
}
