import { KUSTOMIZE_GROUP, type Kustomization } from '@capstan/flux-api';
import type { CelCompiler } from '@capstan/lib-expressions';
import { findCondition } from './conditions.ts';
import type { NamedKey } from './control-state.ts';
import { judgeReadiness } from './ready-expression.ts';
import type { FluxSettings } from './settings.ts';
import { checkReference, type Tenancy } from './tenancy.ts';

export interface DependencyPorts {
  readonly find: (key: NamedKey) => Kustomization | undefined;
  readonly tenancy: Tenancy;
  readonly compileCel: CelCompiler;
  readonly settings?: FluxSettings;
}

/**
 * Why a Kustomization has to wait for another one, in the words of the original; undefined when all it depends on is in
 * place. With the same source, the dependency must have applied the same revision.
 */
export function findUnready(
  kustomization: Kustomization,
  revision: string,
  { find, tenancy, compileCel, settings = {} }: DependencyPorts,
): string | undefined {
  const own = kustomization.metadata.namespace ?? '';
  for (const { name, namespace = own, readyExpr } of kustomization.spec.dependsOn ?? []) {
    const key = { namespace: namespace === '' ? own : namespace, name };
    checkReference({ kind: 'Kustomization', ...key }, own, tenancy);
    const place = `'${key.namespace}/${name}'`;
    const found = find(key);
    if (found === undefined)
      return `dependency ${place} not found: kustomizations.${KUSTOMIZE_GROUP} "${name}" not found`;
    if (readyExpr !== undefined && readyExpr !== '') {
      // The expression stands for the check of conditions and revisions unless told otherwise, as in Flux.
      const objects = { self: kustomization, dep: found };
      const readiness = judgeReadiness(readyExpr, objects, compileCel);
      if (readiness.kind === 'unclear') return readiness.problem;
      if (readiness.kind === 'not-ready')
        return `dependency ${place} is not ready according to readyExpr eval`;
      if (settings.additiveDependencyCheck !== true) continue;
    }
    const { status, metadata } = found;
    const isObserved = metadata.generation === status.observedGeneration;
    if (!isObserved || findCondition(status.conditions, 'Ready')?.status !== 'True') {
      return `dependency ${place} is not ready`;
    }
    if (sameSource(kustomization, found) && status.lastAppliedRevision !== revision) {
      return `dependency ${place} revision is not up to date`;
    }
  }
  return undefined;
}

function sameSource(a: Kustomization, b: Kustomization): boolean {
  const tell = ({ spec, metadata }: Kustomization) => {
    const { kind, name, namespace } = spec.sourceRef;
    return `${kind}/${namespace ?? metadata.namespace}/${name}`;
  };
  return tell(a) === tell(b);
}
