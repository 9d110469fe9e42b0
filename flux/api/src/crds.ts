import type { KubeObject } from '@capstan/kube-object';
import crds from './generated/crds.json' with { type: 'json' };

/**
 * The label by which `flux check` and `flux uninstall` find the definitions, and the one by which `flux install` learns that
 * another program keeps them, and asks before it takes over.
 */
const LABELS = { 'app.kubernetes.io/part-of': 'flux', 'app.kubernetes.io/managed-by': 'capstan' };

/** CustomResourceDefinitions of Flux's kinds, today's versions stored, removed ones served as well. */
export const fluxCrds: readonly KubeObject[] = crds.map((definition) => ({
  ...definition,
  metadata: { ...definition.metadata, labels: LABELS },
}));
