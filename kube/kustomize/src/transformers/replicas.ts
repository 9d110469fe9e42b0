import { failure } from '../failure.ts';
import { applyFieldSpec } from '../field-spec-filter.ts';
import type { ReplicaEntry } from '../kustomization.ts';
import { type KNode, makeNode, setScalar } from '../node.ts';
import { gvkText, isSelectedBy } from '../res-id.ts';
import type { FieldSpec } from '../transformer-config.ts';
import type { Transformer } from './transformer.ts';

/** Sets the number of replicas of what has, or had, the name. */
export function replicaTransformer(
  entry: ReplicaEntry,
  specs: readonly FieldSpec[],
  file: number,
): Transformer {
  const name = entry.name ?? '';
  const action = {
    create: { kind: 'scalar', tag: '!!int', file } as const,
    set: (node: KNode) =>
      setScalar(node, makeNode('scalar', '!!int', String(entry.count ?? 0), file)),
  };
  return {
    transform: (resources) => {
      let found = false;
      for (const spec of specs) {
        const matching = resources.matchingAnyId(
          name,
          (id) => id.name === name && isSelectedBy(id, spec),
        );
        found ||= matching.length > 0;
        for (const resource of matching) applyFieldSpec(resource, spec, action);
      }
      if (found) return;
      throw failure(
        `resource with name ${name} does not match a config with the following GVK [${specs.map(gvkText).join(' ')}]`,
      );
    },
  };
}
