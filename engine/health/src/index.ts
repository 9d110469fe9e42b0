export {
  assessHealth,
  HEALTH_ORDER,
  hasHealthRule,
  isWorse,
  rollUpHealth,
} from './assess-health.ts';
export { POPULAR_RULES } from './popular-rules.ts';
export type {
  Health,
  HealthClause,
  HealthRule,
  HealthRules,
  HealthStatus,
  HealthTest,
} from './types.ts';
export type { JudgeOptions } from './workload-health.ts';
