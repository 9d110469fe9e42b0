import { applyFieldSpec } from '../field-spec-filter.ts';
import { makeNode, setField } from '../node.ts';
import { compareText } from '../res-id.ts';
import type { FieldSpec } from '../transformer-config.ts';
import type { Transformer } from './transformer.ts';

/**
 * Sets entries of maps, at every field of the specs: labels and annotations alike. All fields of one resource share
 * the node of a value, as in the original: a later change in place is seen by all of them.
 */
export function mapEntries(
  entries: Readonly<Record<string, string>>,
  specs: readonly FieldSpec[],
  file: number,
): Transformer {
  const keys = Object.keys(entries).sort(compareText);
  return {
    transform: (resources) => {
      for (const resource of resources.list) {
        for (const key of keys) {
          const value = makeNode('scalar', '!!str', entries[key]!, file);
          const action = {
            create: { kind: 'mapping', tag: '!!map', file } as const,
            set: (node: Parameters<typeof setField>[0]) => {
              setField(node, key, value);
            },
          };
          for (const spec of specs) applyFieldSpec(resource, spec, action);
        }
      }
    },
  };
}
