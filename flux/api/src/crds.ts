import type { KubeObject } from '@capstan/kube-object';
import crds from './generated/crds.json' with { type: 'json' };

/**
 * CustomResourceDefinitions of Flux's kinds, today's versions stored, removed ones served as well. The label is the one by
 * which `flux check` and `flux uninstall` find them.
 */
export const fluxCrds: readonly KubeObject[] = crds.map((definition) => ({
  ...definition,
  metadata: { ...definition.metadata, labels: { 'app.kubernetes.io/part-of': 'flux' } },
}));
