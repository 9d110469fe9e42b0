export { normalizeBuiltIn, zeroObject } from './built-in.ts';
export {
  type Catalogue,
  type KubernetesMinor,
  kubernetesMinors,
  loadCatalogue,
} from './catalogue.ts';
export type { KindSchema } from './kind-schema.ts';
export {
  createMergeTypes,
  type MergeField,
  type MergeList,
  type MergeMap,
  type MergeType,
  type MergeTypes,
  type ScalarKind,
  untypedAtomic,
  untypedDeduced,
} from './merge-type.ts';
export type { GroupInfo, ResourceInfo, SubresourceInfo } from './resource.ts';
export type { GoEncoding, Schema, SchemaType, ValidationRule } from './schema.ts';
