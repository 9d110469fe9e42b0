import { fillSecret, type Sourced } from './data-map.ts';
import { failure } from './failure.ts';
import { clearField, fieldOf, isMissingOrNull, scalarText } from './node.ts';
import { idText, type ResId } from './res-id.ts';
import type { Resource } from './resource.ts';

/** A copy of a Secret whose `stringData` has become part of `data`. */
export function secretWithoutStringData(secret: Resource, id: ResId): Resource {
  const copy = secret.copy();
  const root = copy.node!;
  const stringData = fieldOf(root, 'stringData');
  if (stringData !== undefined && !isMissingOrNull(stringData)) {
    const values = new Map<string, Sourced<string>>();
    for (let i = 0; i + 1 < stringData.content.length; i += 2) {
      const key = scalarText(stringData.content[i]);
      const node = stringData.content[i + 1]!;
      if (node.kind !== 'scalar') {
        throw failure(
          `failed to normalize stringData for ${idText(id)}: read stringData: stringData value for key "${key}" must be a scalar`,
        );
      }
      values.set(key, { value: scalarText(node), file: node.file, line: node.line });
    }
    fillSecret(root, values);
  }
  clearField(root, 'stringData');
  return copy;
}
