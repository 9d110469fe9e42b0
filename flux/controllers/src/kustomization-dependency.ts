import { type DependencyReader, type DependencyRef, readDependsOn } from '@capstan/engine-delivery';
import { KUSTOMIZE_GROUP, type Kustomization, parseKustomization } from '@capstan/flux-api';
import { findCondition } from './conditions.ts';

/** How a Kustomization stands for those that depend on it, of whatever kind: its generation is observed, and it is Ready. */
export const kustomizationDependency: DependencyReader = {
  group: KUSTOMIZE_GROUP,
  kind: 'Kustomization',
  read(object) {
    const parsed = parseKustomization(object);
    if (parsed.kind !== 'ok') return { dependsOn: [], unready: 'is invalid', revisions: [] };
    return { dependsOn: dependsOn(parsed.value), unready: lackOf(parsed.value), revisions: [] };
  },
};

function dependsOn(kustomization: Kustomization): readonly DependencyRef[] {
  const own = kustomization.metadata.namespace ?? '';
  const told = (kustomization.spec.dependsOn ?? []).map(({ name, namespace }) => ({
    group: KUSTOMIZE_GROUP,
    kind: 'Kustomization',
    namespace: namespace || own,
    name,
  }));
  try {
    return [...told, ...readDependsOn(kustomization)];
  } catch {
    return told;
  }
}

function lackOf({ metadata, status }: Kustomization): string | undefined {
  if (metadata.generation !== status.observedGeneration) return 'has not been looked at yet';
  const ready = findCondition(status.conditions, 'Ready');
  if (ready?.status === 'True') return undefined;
  return ready === undefined ? 'is not ready' : `is not ready (${ready.reason})`;
}
