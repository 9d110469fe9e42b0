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
export { clientSideApplyManagers, migrateClientSideApply } from './client-side-apply.ts';
export { type Comparison, compareTyped } from './compare.ts';
export { type Conflict, type ConflictCause, conflictCauses, formatConflicts } from './conflict.ts';
export { FieldSet, formatFieldsV1, parseFieldsV1 } from './field-set.ts';
export {
  createJsonMergePatch,
  jsonMergePatch,
  type ThreeWay,
  threeWayJsonPatch,
} from './json-merge-patch.ts';
export { applyJsonPatch, type JsonPatchLimits, serverJsonPatchLimits } from './json-patch.ts';
export { formatLastApplied, lastAppliedAnnotation } from './last-applied.ts';
export {
  decodeManagers,
  encodeManagers,
  type ManagerFields,
  type Managers,
  managerId,
} from './managers.ts';
export { PatchError } from './patch-error.ts';
export { type FieldPath, formatPath, type PathElement } from './path-element.ts';
export { extractItems, removeItems } from './remove-items.ts';
export { parentEntries, type ReplicasPaths, scaleEntries } from './scale.ts';
export { threeWayStrategicPatch, twoWayStrategicPatch } from './strategic-diff.ts';
export { strategicMergePatch } from './strategic-merge.ts';
export { toFieldSet } from './to-field-set.ts';
export { typeProblems } from './validate-type.ts';
