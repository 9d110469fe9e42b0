import type { Json } from '@capstan/kube-object';

type Fields = { readonly [key: string]: Json | undefined };

/**
 * The two kinds of patches of removed versions (Kustomization v1beta1 and v1beta2, post-renderers of HelmRelease v2beta1 and
 * v2beta2) as `patches`, in the order in which they were applied then: merges first, operations last.
 */
export function withOldPatches(given: Fields): Fields {
  const { patchesStrategicMerge, patchesJson6902, ...rest } = given;
  const merges = listOf(patchesStrategicMerge).map((merge) => ({ patch: JSON.stringify(merge) }));
  const operations = listOf(patchesJson6902).map((one) => {
    const { patch = [], target = {} } = one as Fields;
    return { patch: JSON.stringify(patch), target };
  });
  if (merges.length + operations.length === 0) return rest;
  return { ...rest, patches: [...merges, ...listOf(rest['patches']), ...operations] };
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
