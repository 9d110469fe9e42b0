import { failure } from './failure.ts';
import type { SortOptions } from './kustomization.ts';
import {
  compareText,
  gvkSortText,
  gvkText,
  kindRanks,
  LEGACY_ORDER,
  type ResId,
  sameGvk,
} from './res-id.ts';
import type { ResourceSet } from './resource-set.ts';

/** Puts the resources in order: as they came, or the legacy order of kinds with namespaces first and webhooks last. */
export function sortResources(resources: ResourceSet, options: SortOptions): void {
  const order = options.order || '';
  if (order !== 'fifo' && order !== 'legacy') {
    throw failure("the field 'sortOptions.order' must be one of [fifo, legacy]");
  }
  if (order === 'fifo') {
    if (options.legacySortOptions === undefined) return;
    throw failure(
      "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'",
    );
  }
  const lists = options.legacySortOptions;
  const ranks = lists
    ? kindRanks(lists.orderFirst ?? [], lists.orderLast ?? [])
    : kindRanks(LEGACY_ORDER.first, LEGACY_ORDER.last);
  const keyed = resources.list.map((resource) => {
    const id = resource.curId;
    return {
      resource,
      id,
      rank: ranks.get(id.kind) ?? 0,
      kind: gvkSortText(id),
      text: idSortText(id),
    };
  });
  keyed.sort((a, b) => {
    if (sameGvk(a.id, b.id)) return compareText(a.text, b.text);
    if (a.rank !== b.rank) return a.rank - b.rank;
    // A core Namespace comes after the others of its name, since they may be needed to make it.
    const isNamespace = a.id.kind === 'Namespace' && (a.id.group === '' || b.id.group === '');
    return isNamespace ? compareText(b.kind, a.kind) : compareText(a.kind, b.kind);
  });
  resources.replaceAll([]);
  for (const { resource } of keyed) resources.append(resource);
}

function idSortText(id: ResId): string {
  return `${gvkText(id)}|${id.namespace || '~X'}|${id.name || '~N'}`;
}
