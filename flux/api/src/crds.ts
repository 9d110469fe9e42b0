import type { KubeObject } from '@capstan/kube-object';
import crds from './generated/crds.json' with { type: 'json' };

/** CustomResourceDefinitions of Flux's kinds, today's versions stored, removed ones served as well. */
export const fluxCrds: readonly KubeObject[] = crds;
