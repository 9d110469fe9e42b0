export {
  APPLICATION_SCENARIOS,
  MISTAKE_SCENARIO,
  type Scenario,
  untilSynced,
} from './application-scenarios.ts';
export { APPLICATION_SET_SCENARIOS } from './application-set-scenarios.ts';
export { ARGOCD_SCENARIOS } from './argocd-scenarios.ts';
export { CHART_SCENARIOS } from './chart-scenarios.ts';
export { DEPENDENCY_SCENARIOS } from './dependency-scenarios.ts';
export { ENDING_SCENARIOS } from './ending-scenarios.ts';
export { FLEET_SCENARIOS } from './fleet-scenarios.ts';
export { FLUX_FLEET_SCENARIOS } from './flux-fleet-scenarios.ts';
export { GENERATOR_SCENARIOS } from './generator-scenarios.ts';
export { KUSTOMIZATION_SCENARIOS } from './kustomization-scenarios.ts';
export { PROBE_SCENARIOS } from './probe-scenarios.ts';
export { SYNC_SCENARIOS } from './sync-scenarios.ts';
export { TAKE_OVER_SCENARIOS } from './take-over-scenarios.ts';
export { WHY_SCENARIOS } from './why-scenarios.ts';
export {
  APPLICATION,
  application,
  configMap,
  createWorld,
  deployment,
  type Repository,
  until,
  type World,
  type WorldOptions,
} from './world.ts';
