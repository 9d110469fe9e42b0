export type {
  Health,
  HealthClause,
  HealthRule,
  HealthRules,
  HealthStatus,
  HealthTest,
} from './types.ts';
