import type { FieldError, Json, JsonObject, KubeObject } from '@capstan/kube-object';
import {
  cloneJson,
  type DraftObject,
  draftObjects,
  equalJson,
  isDraftObject,
  listAt,
  objectAt,
  textAt,
} from '../json.ts';
import type { StrategyPart } from '../served-resource.ts';
import { forbiddenAt, invalidAt } from '../validation/checks.ts';
import { qosClass } from './pod-defaults.ts';

/** `pods/NAME/ephemeralcontainers`: containers for debugging are added, everything else stays. */
export const ephemeralContainers: StrategyPart = {
  keep(draft, old) {
    const added = isDraftObject(draft['spec']) ? draft['spec']['ephemeralContainers'] : undefined;
    const spec = cloneJson(objectAt(old, 'spec'));
    if (added === undefined) delete spec['ephemeralContainers'];
    else spec['ephemeralContainers'] = added;
    draft['spec'] = spec;
    draft['metadata'] = cloneJson(old.metadata as JsonObject);
  },
  validateUpdate(pod, old) {
    const at = 'spec.ephemeralContainers';
    const now = listAt(pod, 'spec', 'ephemeralContainers');
    return listAt(old, 'spec', 'ephemeralContainers').flatMap((container) => {
      const name = textAt(container, 'name');
      const found = now.find((item) => textAt(item, 'name') === name);
      if (found === undefined) {
        return [forbiddenAt(at, `existing ephemeral containers "${name}" may not be removed\n`)];
      }
      if (equalJson(found, container)) return [];
      return [forbiddenAt(at, `existing ephemeral containers "${name}" may not be changed\n`)];
    });
  },
};

/** `pods/NAME/resize`: the resources of containers change, and how they are changed. */
export const resize: StrategyPart = {
  keep(draft, old) {
    const given = isDraftObject(draft['spec']) ? draft['spec'] : {};
    const spec = cloneJson(objectAt(old, 'spec'));
    for (const field of ['containers', 'initContainers']) {
      const before = draftObjects(spec, field);
      const after = draftObjects(given, field);
      const isSame =
        before.length === after.length &&
        before.every((container, i) => container['name'] === after[i]?.['name']);
      // What adds, removes or renames containers is left as it is, to be refused.
      if (!isSame) {
        spec[field] = after;
        continue;
      }
      for (const [i, container] of before.entries()) take(container, after[i] ?? {});
    }
    draft['spec'] = spec;
  },
  validateUpdate(pod, old) {
    const errors: FieldError[] = [];
    const before = qosClass(cloneJson(objectAt(old, 'spec')));
    if (qosClass(cloneJson(objectAt(pod, 'spec'))) !== before) {
      const detail = 'Pod QOS Class may not change as a result of resizing';
      errors.push(invalidAt('spec', before, detail));
    }
    const moved = movedContainers(pod, old);
    return [...errors, ...(moved.length > 0 ? moved : removedResources(pod, old))];
  },
};

function take(container: DraftObject, from: DraftObject): void {
  for (const key of ['resources', 'resizePolicy']) {
    const value = from[key];
    if (value === undefined) delete container[key];
    else container[key] = value;
  }
}

function movedContainers(pod: KubeObject, old: KubeObject): FieldError[] {
  return ['containers', 'initContainers'].flatMap((field) => {
    const before = listAt(old, 'spec', field);
    const after = listAt(pod, 'spec', field);
    if (before.length !== after.length) {
      return [forbiddenAt(`spec.${field}`, 'containers may not be added or removed on resize')];
    }
    const moved = before.findIndex((item, i) => textAt(item, 'name') !== textAt(after[i], 'name'));
    if (moved < 0) return [];
    const detail = 'containers may not be renamed or reordered on resize';
    return [forbiddenAt(`spec.${field}[${moved}].name`, detail)];
  });
}

function removedResources(pod: KubeObject, old: KubeObject): FieldError[] {
  return listAt(old, 'spec', 'containers').flatMap((container: Json, i) => {
    const now = listAt(pod, 'spec', 'containers')[i];
    return ['requests', 'limits'].flatMap((kind) => {
      const left = objectAt(now, 'resources', kind);
      const gone = Object.keys(objectAt(container, 'resources', kind)).some(
        (name) => left[name] === undefined,
      );
      const at = `spec.containers[${i}].resources.${kind}`;
      return gone ? [forbiddenAt(at, `resource ${kind} cannot be removed`)] : [];
    });
  });
}
