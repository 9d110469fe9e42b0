export { normalizeBuiltIn, zeroObject } from './built-in.ts';
export {
  type Catalogue,
  type KubernetesMinor,
  kubernetesMinors,
  loadCatalogue,
  readKubernetesMinor,
} from './catalogue.ts';
export { structuralProblems } from './check-structural.ts';
export {
  type CustomResourceVersion,
  type PrinterColumn,
  readCustomResource,
  type ScaleSubresource,
} from './custom-resource.ts';
export { type DecodeReport, decodeBuiltIn } from './decode-built-in.ts';
export { applyDefaults, dropNulls } from './default.ts';
export { isIpv4, isIpv6, matchesFormat } from './formats.ts';
export { type IpAddress, parseIpAddress } from './ip-address.ts';
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
export {
  type DescriptionOf,
  type OpenApiFlavour,
  openApiDefinition,
  openApiSchema,
} from './openapi.ts';
export { parseSchema } from './parse-schema.ts';
export { type Pruned, pruneCustomResource } from './prune.ts';
export { requestUriProblem } from './request-uri.ts';
export type { GroupInfo, ResourceInfo, SubresourceInfo } from './resource.ts';
export {
  type CompiledRule,
  hasRules,
  objectCostMax,
  type RuleCompiler,
  type RuleOutcome,
  ruleCostMax,
  validateRules,
} from './rules.ts';
export type { GoEncoding, Schema, SchemaType, ValidationRule } from './schema.ts';
export { validateListTypes } from './validate-lists.ts';
export { validateCustomResource, validateValue } from './validate-value.ts';
