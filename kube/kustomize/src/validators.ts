import { failure } from './failure.ts';
import { idKey, idText } from './res-id.ts';
import type { ResourceSet } from './resource-set.ts';
import { resourceJson } from './resource-text.ts';

const VALIDATED_BY = 'validated-by';

/** Runs a validator, which may refuse the resources but not change them; it may leave the label `validated-by`. */
export function validateWith(resources: ResourceSet, run: (resources: ResourceSet) => void): void {
  const before = new Map(
    resources.list.map((resource) => [idKey(resource.curId), resourceJson(resource)]),
  );
  run(resources);
  if (resources.size !== before.size) {
    throw changed('lists have different number of entries');
  }
  for (const resource of resources.list) {
    const copy = resource.copy();
    const labels = copy.labels;
    const wasMarked = labels.delete(VALIDATED_BY);
    if (wasMarked) copy.labels = labels;
    const known = before.get(idKey(resource.curId));
    if (known === undefined) {
      throw changed(`id in self missing from other; id: ${idText(resource.curId)}`);
    }
    // Labels beside the mark are written anew when it is taken off; to the original that is a change.
    if (known !== resourceJson(copy) || (wasMarked && labels.size > 0)) {
      throw changed(`nodes unequal: \n -- ${known},\n -- ${resourceJson(copy)}\n\n--\n`);
    }
  }
}

function changed(why: string): unknown {
  return failure(`validator shouldn't modify the resource map: ${why}`);
}
