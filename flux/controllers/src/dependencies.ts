import type { Kustomization } from '@capstan/flux-api';
import type { CelCompiler, CelValue } from '@capstan/lib-expressions';
import { CapstanError } from '@capstan/lib-std';
import { findCondition } from './conditions.ts';
import type { NamedKey } from './control-state.ts';
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
    if (found === undefined) return `dependency ${place} not found`;
    if (readyExpr !== undefined && readyExpr !== '') {
      // The expression stands for the check of conditions and revisions unless told otherwise, as in Flux.
      const why = judgeByExpression(compileCel(readyExpr), readyExpr, {
        self: kustomization,
        dep: found,
      });
      if (why !== undefined) return `dependency ${place} ${why}`;
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

/** undefined when the expression is true. Throws CEL_INVALID for what is no expression. */
function judgeByExpression(
  expression: ReturnType<CelCompiler>,
  readyExpr: string,
  { self, dep }: { readonly self: Kustomization; readonly dep: Kustomization },
): string | undefined {
  if ('error' in expression) {
    throw new CapstanError(
      'CEL_INVALID',
      `failed to evaluate dependency ${dep.metadata.name}: failed to parse the CEL expression '${readyExpr}': ${expression.error}`,
    );
  }
  const unknown = unknownVariable(readyExpr);
  if (unknown !== undefined) {
    throw new CapstanError(
      'CEL_INVALID',
      `failed to evaluate dependency ${dep.metadata.name}: failed to parse the CEL expression '${readyExpr}': undeclared reference to '${unknown}'`,
    );
  }
  const outcome = expression.evaluate({ self: plain(self), dep: plain(dep) });
  if (outcome.kind === 'error')
    return `could not be judged: failed to evaluate the CEL expression '${readyExpr}': ${outcome.message}`;
  return outcome.value === true ? undefined : 'is not ready according to readyExpr eval';
}

/** A name at the root of a field path that is neither `self` nor `dep`, nor bound by the expression itself. */
function unknownVariable(expression: string): string | undefined {
  const code = expression.replaceAll(/r?"(?:[^"\\]|\\.)*"|r?'(?:[^'\\]|\\.)*'/g, "''");
  const bound = [...code.matchAll(/\.\w+\(\s*(\w+)\s*,/g)].map(([, name]) => name);
  const roots = [...code.matchAll(/(?<![\w.])([A-Za-z_]\w*)\s*[.[]/g)].map(([, name]) => name);
  return roots.find((name) => name !== 'self' && name !== 'dep' && !bound.includes(name));
}

function plain(object: Kustomization): CelValue {
  return JSON.parse(JSON.stringify(object));
}

function sameSource(a: Kustomization, b: Kustomization): boolean {
  const tell = ({ spec, metadata }: Kustomization) => {
    const { kind, name, namespace } = spec.sourceRef;
    return `${kind}/${namespace ?? metadata.namespace}/${name}`;
  };
  return tell(a) === tell(b);
}
