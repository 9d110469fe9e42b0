export {
  type CelCompiler,
  type CelExpression,
  type CelOutcome,
  type CelValue,
  createCelCompiler,
} from './cel/compile-cel.ts';
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
