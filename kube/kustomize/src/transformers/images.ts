import { failure } from '../failure.ts';
import { applyFieldSpec } from '../field-spec-filter.ts';
import { changedImage, imageMatcher } from '../image.ts';
import type { ImageEntry } from '../kustomization.ts';
import { fieldOf, type KNode, requireKind, scalar, setScalar } from '../node.ts';
import type { FieldSpec } from '../transformer-config.ts';
import type { Transformer } from './transformer.ts';

/** Changes images: in every list called containers or initContainers, and at the specs. */
export function imageTransformer(
  entry: ImageEntry,
  specs: readonly FieldSpec[],
  file: number,
): Transformer {
  return {
    transform: (resources, context) => {
      const matches = imageMatcher(context.cache, entry.name ?? '');
      const set = (node: KNode) => {
        requireKind(node, 'scalar');
        if (matches(node.value)) setScalar(node, scalar(changedImage(node.value, entry), file));
      };
      for (const resource of resources.list) {
        const { node, kind } = resource;
        if (node === undefined) continue;
        if (isWithoutMetadata(node)) throw failure('missing Resource metadata');
        if (kind !== 'CustomResourceDefinition') setInContainers(node, set);
      }
      for (const resource of resources.list) {
        if (resource.kind === 'CustomResourceDefinition') continue;
        for (const spec of specs) applyFieldSpec(resource, spec, { set });
      }
    },
  };
}

function isWithoutMetadata(node: KNode): boolean {
  return ['apiVersion', 'kind', 'metadata'].every((name) => fieldOf(node, name) === undefined);
}

function setInContainers(node: KNode, set: (image: KNode) => void): void {
  const { content } = node;
  if (node.kind === 'sequence') {
    for (const item of content) setInContainers(item, set);
    return;
  }
  if (node.kind !== 'mapping') return;
  for (let i = 0; i + 1 < content.length; i += 2) {
    const value = content[i + 1]!;
    if (value.kind === 'scalar') continue;
    setInContainers(value, set);
    const key = content[i]!.value;
    if ((key !== 'containers' && key !== 'initContainers') || value.kind !== 'sequence') continue;
    for (const container of value.content) {
      requireKind(container, 'mapping');
      const image = fieldOf(container, 'image');
      if (image !== undefined && image.tag !== '!!null') set(image);
    }
  }
}
