export type { CelIssue, Expr as CelExpr } from './cel/ast.ts';
export { ENCODERS, LISTS, OPTIONALS, SETS } from './cel/collections.ts';
export {
  type CelCompiler,
  type CelExpression,
  type CelOutcome,
  type CelValue,
  createCelCompiler,
} from './cel/compile-cel.ts';
export {
  add as addRanges,
  type CallEstimate,
  type CostNode,
  type CostSizes,
  fixed as fixedRange,
  multiply as multiplyRanges,
  type Range as CostRange,
  scale as scaleRange,
  UNBOUNDED as COST_UNBOUNDED,
} from './cel/cost-types.ts';
export { actualSize, type Evaluated } from './cel/evaluate.ts';
export type { CelFunction, CelLibrary } from './cel/functions.ts';
export {
  type CelEnvironment,
  type CelFailure,
  type CelProgram,
  createCelEnvironment,
} from './cel/program.ts';
export { pattern as celPattern } from './cel/standard.ts';
export { STRINGS, STRINGS_REVERSE } from './cel/strings.ts';
export {
  formatDuration as formatCelDuration,
  formatTimestamp as formatCelTimestamp,
  parseDuration as parseCelDuration,
  parseTimestamp as parseCelTimestamp,
} from './cel/times.ts';
export {
  type CelType,
  DYN as DYN_TYPE,
  formatType as formatCelType,
  listOf as listType,
  mapOf as mapType,
  named as namedType,
  optionalOf as optionalType,
  typeName as celTypeName,
} from './cel/types.ts';
export {
  ArrayList,
  CelError,
  CelExtension,
  CelList,
  CelMap,
  type CelValue as CelRuntimeValue,
  compare as compareCel,
  Duration as CelDuration,
  EntryMap,
  isEqual as isEqualCel,
  noSuchOverload,
  Optional as CelOptional,
  Timestamp as CelTimestamp,
  TypeValue as CelTypeValue,
  Uint as CelUint,
} from './cel/values.ts';
export {
  createJqCompiler,
  type JqCompiler,
  type JqLimits,
  type JqOutcome,
  type JqQuery,
} from './jq/run-jq.ts';
export type { JqPath, JqValue } from './jq/values.ts';
export {
  createLuaParser,
  type LuaOptions,
  type LuaOutcome,
  type LuaScript,
  parseLuaScript,
  runLua,
} from './lua/run-lua.ts';
