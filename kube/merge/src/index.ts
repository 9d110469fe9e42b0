export {
  type ApplyRequest,
  type ApplyResult,
  applyServerSide,
  keepTimestamps,
  trackUpdate,
  type UpdateRequest,
  type VersionConverter,
} from './apply.ts';
export { formatProblems, type TypeProblem } from './atoms.ts';
export { type Comparison, compareTyped } from './compare.ts';
export { type Conflict, type ConflictCause, conflictCauses, formatConflicts } from './conflict.ts';
export { FieldSet, formatFieldsV1, parseFieldsV1 } from './field-set.ts';
export { formatLastApplied, lastAppliedAnnotation } from './last-applied.ts';
export {
  decodeManagers,
  encodeManagers,
  type ManagerFields,
  type Managers,
  managerId,
} from './managers.ts';
export { type FieldPath, formatPath, type PathElement } from './path-element.ts';
export { extractItems, removeItems } from './remove-items.ts';
export { toFieldSet } from './to-field-set.ts';
export { typeProblems } from './validate-type.ts';
