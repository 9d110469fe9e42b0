export type {
  CompareOptions,
  DesiredObject,
  DesiredState,
  Diff,
  DiffEntry,
  FieldDifference,
  FieldType,
  IgnoreRule,
  LiveView,
  ObjectPattern,
  PathEvaluator,
  Verdict,
} from './types.ts';
