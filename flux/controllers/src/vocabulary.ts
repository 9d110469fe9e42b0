import type { SyncSwitch, SyncVocabulary } from '@capstan/engine-sync';
import { KUSTOMIZE_GROUP } from '@capstan/flux-api';

const switches = (name: string, value: string, means: SyncSwitch['means']): readonly SyncSwitch[] =>
  (['annotation', 'label'] as const).map((metadata) => ({
    metadata,
    name: `${KUSTOMIZE_GROUP}/${name}`,
    value,
    means,
  }));

/** What Flux's annotations and labels on single objects mean (documentation: "Kustomization", "Controlling the apply behavior"). */
export const FLUX_VOCABULARY: SyncVocabulary = {
  wave: [],
  hooks: [],
  options: [],
  switches: [
    ...switches('prune', 'disabled', 'keep'),
    ...switches('reconcile', 'disabled', 'ignoreObject'),
    ...switches('ssa', 'Ignore', 'ignoreObject'),
    ...switches('ssa', 'IfNotPresent', 'createOnly'),
    ...switches('ssa', 'Merge', 'mergeOnly'),
    ...switches('force', 'enabled', 'recreate'),
  ],
};
