import { applyFieldSpec } from '../field-spec-filter.ts';
import { type KNode, scalar, setScalar } from '../node.ts';
import { type Gvk, isSelectedBy } from '../res-id.ts';
import type { FieldSpec } from '../transformer-config.ts';
import type { Transformer } from './transformer.ts';

const SKIPPED: readonly Gvk[] = [
  { group: '', version: '', kind: 'CustomResourceDefinition' },
  { group: 'apiregistration.k8s.io', version: '', kind: 'APIService' },
  { group: '', version: '', kind: 'Namespace' },
];

/** Puts a prefix or suffix to the names at the specs, and keeps the former name of what it renames. */
export function nameAffix(
  where: 'prefix' | 'suffix',
  affix: string,
  specs: readonly FieldSpec[],
  file: number,
): Transformer {
  const set = (node: KNode) =>
    setScalar(node, scalar(where === 'prefix' ? affix + node.value : node.value + affix, file));
  const action = { set, create: { kind: 'scalar', tag: '!!str', file } as const };
  return {
    transform: (resources) => {
      for (const resource of resources.list) {
        const id = resource.orgId;
        if (SKIPPED.some((gvk) => isSelectedBy(id, gvk))) continue;
        for (const spec of specs) {
          if (!isSelectedBy(id, spec)) continue;
          if (spec.path === 'metadata/name') {
            if (where === 'prefix') resource.addPrefix(affix);
            else resource.addSuffix(affix);
            if (affix !== '') resource.storePreviousId();
          }
          applyFieldSpec(resource, spec, action);
        }
      }
      resources.idsChanged();
    },
  };
}
