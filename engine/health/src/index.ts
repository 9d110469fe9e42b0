export {
  assessHealth,
  HEALTH_ORDER,
  isWorse,
  rollUpHealth,
} from './assess-health.ts';
export { popularRules } from './popular-rules.ts';
export { type LuaHealth, luaRule } from './script-rules.ts';
export type {
  ClauseRule,
  Health,
  HealthClause,
  HealthRule,
  HealthRules,
  HealthStatus,
  HealthTest,
  JudgeOptions,
  ScriptRule,
  Verdict,
} from './types.ts';
