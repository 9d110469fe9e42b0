import {
  APPLICATION_SET_SCENARIOS,
  ARGOCD_SCENARIOS,
  ENDING_SCENARIOS,
  FLEET_SCENARIOS,
  GENERATOR_SCENARIOS,
} from '@capstan/apps-server/slice';
import { holdScenarios } from '../cluster/hold-scenarios.ts';

holdScenarios('the Argo CD door on a real control plane', [
  ...ARGOCD_SCENARIOS,
  ...APPLICATION_SET_SCENARIOS,
  ...GENERATOR_SCENARIOS,
  ...ENDING_SCENARIOS,
  ...FLEET_SCENARIOS,
]);
