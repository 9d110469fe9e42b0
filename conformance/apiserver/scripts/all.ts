import type { Script } from '@capstan/kube-apiserver/testing';
import { admissionScripts } from './admission.ts';
import { badApplyScript } from './bad-applies.ts';
import { definitionEndScript } from './definition-end.ts';
import { kindScripts } from './kinds.ts';
import { limitScripts } from './limits.ts';
import { protocolScripts } from './protocol.ts';
import { versionsScript } from './versions.ts';
import { workloadScripts } from './workloads.ts';

export function allScripts(): Script[] {
  return [
    ...protocolScripts(),
    ...kindScripts(),
    ...workloadScripts(),
    ...limitScripts(),
    ...admissionScripts(),
    badApplyScript(),
    definitionEndScript(),
    versionsScript(),
  ];
}
