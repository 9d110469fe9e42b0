export { deepEqual } from './compare.ts';
export { type CompiledTemplate, ExecError, type MissingKey } from './execution.ts';
export { sprint, sprintf, sprintln, valueText } from './fmt.ts';
export { DEFAULT_LIMITS, LimitError, type Limits, PartCount } from './limits.ts';
export {
  isEmptyMap,
  listOf,
  mapDelete,
  mapGet,
  mapHas,
  mapIndex,
  mapKeys,
  mapLength,
  mapSet,
  type StringMap,
  sortedEntries,
  sortedKeys,
  stringMapOf,
} from './map.ts';
export { formatFloat } from './number.ts';
export { quote, unquote } from './quote.ts';
export {
  anything,
  boundItems,
  boundText,
  count,
  dictionary,
  type Functions,
  fixed,
  flag,
  float,
  type Param,
  text,
  variadic,
} from './sprig/define.ts';
export { goJson, indentJson, jsonFields } from './sprig/json.ts';
export { JsonSyntaxError, parseJson } from './sprig/json-parse.ts';
export { regexTest } from './sprig/regex.ts';
export { type SprigOptions, sprigFunctions } from './sprig/sprig.ts';
export {
  type ExecuteOptions,
  type LanguageOptions,
  renderText,
  TemplateLanguage,
  TemplateSet,
} from './template-set.ts';
export { byteLength, fromBytes, toBytes } from './text.ts';
export {
  DURATION,
  duration,
  formatDuration,
  parseDuration,
  roundDuration,
  truncateDuration,
} from './time/duration.ts';
export { formatInstant, Instant } from './time/instant.ts';
export { parseInstant } from './time/parse.ts';
export { instantIn, isTime, TIME, timeValue } from './time/time-value.ts';
export { loadZone, UTC, type Zone } from './time/zone.ts';
export { isTrue } from './truth.ts';
export {
  ANY,
  arrayOf,
  BOOL,
  BYTES,
  type CallContext,
  COMPLEX64,
  COMPLEX128,
  DICT,
  ERROR,
  errorValue,
  FLOAT32,
  FLOAT64,
  GoComplex,
  type GoDict,
  GoError,
  type GoField,
  GoFunc,
  type GoImplementation,
  GoInt,
  GoKeyedMap,
  type GoList,
  GoMap,
  type GoMethod,
  GoNil,
  GoObject,
  GoPointer,
  GoScalar,
  GoSequence,
  type GoSignature,
  GoStruct,
  type GoType,
  type GoValue,
  INT,
  INT8,
  INT16,
  INT32,
  INT64,
  INTS,
  INVALID,
  int,
  int64,
  isIntKind,
  isPlainDict,
  isUintKind,
  type Kind,
  LIST,
  LISTS,
  mapKey,
  mapOf,
  messageOfError,
  normalInt,
  pointerTo,
  REFLECT,
  STRING,
  STRING_MAP,
  STRINGS,
  sliceOf,
  sliceType,
  strings,
  typedSlice,
  typeOf,
  UINT,
  UINT8,
  UINT16,
  UINT32,
  UINT64,
  UINTPTR,
  zeroOf,
} from './value.ts';
