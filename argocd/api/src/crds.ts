import type { KubeObject } from '@capstan/kube-object';
import crds from './generated/crds.json' with { type: 'json' };

/** CustomResourceDefinitions of Application, AppProject and ApplicationSet, under upstream's names and versions. */
export const argocdCrds: readonly KubeObject[] = crds;
