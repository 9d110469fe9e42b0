export { compareObject, diffState } from './diff-state.ts';
export { type FieldPath, formatPath, type PathStep, sameJson } from './field-path.ts';
export { applyIgnoreRules, ownIgnoreRules, respectIgnored } from './ignore-rules.ts';
export { createPathEvaluator } from './jq-paths.ts';
export { type FieldWriter, ownerOf, writersOf } from './managed-fields.ts';
export { isSecret, maskSecrets } from './mask-secrets.ts';
export { matchesGlob, matchesPattern, matchesSelector } from './patterns.ts';
export { sameQuantity } from './quantity.ts';
export type {
  CompareOptions,
  DesiredObject,
  DesiredState,
  Diff,
  DiffEntry,
  FieldDifference,
  IgnoreRule,
  KnownTypeField,
  LiveView,
  ObjectPattern,
  PathEvaluator,
  Verdict,
} from './types.ts';
