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
