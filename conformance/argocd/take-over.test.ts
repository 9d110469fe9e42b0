import { TAKE_OVER_SCENARIOS } from '@capstan/apps-server/slice';
import { holdScenarios } from '../cluster/hold-scenarios.ts';

holdScenarios('what Argo CD left on a real control plane', TAKE_OVER_SCENARIOS);
