export {
  type Condition,
  conditionsOf,
  findCondition,
  isConditionTrue,
  removeCondition,
  setCondition,
} from './conditions.ts';
export {
  formatDurationMs,
  formatDurationNanos,
  parseDurationMs,
  parseDurationNanos,
} from './duration.ts';
export {
  childPath,
  type FieldError,
  type FieldErrorReason,
  formatFieldError,
  formatFieldErrorBody,
  formatFieldErrors,
  indexPath,
  supportedValues,
} from './field-error.ts';
export {
  type FieldRequirement,
  type FieldSelector,
  formatFieldSelector,
  matchesFields,
  parseFieldSelector,
} from './field-selector.ts';
export { computeStatus, type ObjectStatus, type StatusResult } from './kstatus.ts';
export {
  formatLabelSelector,
  type LabelSelector,
  type Labels,
  labelSelectorOf,
  matchesLabels,
  parseLabelSelector,
  type SelectorOperator,
  type SelectorRequirement,
} from './label-selector.ts';
export {
  configKeyProblems,
  dns1035LabelProblems,
  dnsLabelProblems,
  labelKeyProblems,
  labelValueProblems,
  pathSegmentProblems,
  portNameProblems,
  subdomainProblems,
  wildcardSubdomainProblems,
} from './names.ts';
export type {
  Json,
  JsonObject,
  KubeObject,
  ManagedFieldsEntry,
  ObjectMeta,
  OwnerReference,
} from './object.ts';
export {
  formatApiVersion,
  formatKey,
  type GroupVersionKind,
  groupVersionKindOf,
  keyOf,
  keyString,
  type ObjectKey,
  parseApiVersion,
} from './object-key.ts';
export {
  controllerOf,
  isOwnedBy,
  isSameOwner,
  ownerReferenceTo,
} from './owner-references.ts';
export {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  type QuantityFormat,
  quantityFormatError,
  quantityToNumber,
} from './quantity.ts';
