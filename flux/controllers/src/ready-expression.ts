/** `dependsOn[].readyExpr` of Kustomizations and of HelmReleases (Flux RFC 0009). */
import type { KubeObject } from '@capstan/kube-object';
import type { CelCompiler, CelValue } from '@capstan/lib-expressions';
import { CapstanError } from '@capstan/lib-std';

export type Readiness =
  | { readonly kind: 'ready' | 'not-ready' }
  /** It cannot be evaluated yet: a field that is not there may come. */
  | { readonly kind: 'unclear'; readonly problem: string };

/** What an expression says of `dep`, on which `self` depends. Throws CEL_INVALID for what is no expression. */
export function judgeReadiness(
  expression: string,
  { self, dep }: { readonly self: KubeObject; readonly dep: KubeObject },
  compile: CelCompiler,
): Readiness {
  const read = compile(expression);
  const unknown = 'error' in read ? undefined : unknownVariable(expression);
  const why =
    'error' in read
      ? read.error
      : unknown === undefined
        ? undefined
        : `undeclared reference to '${unknown}'`;
  if ('error' in read || why !== undefined) {
    throw new CapstanError(
      'CEL_INVALID',
      `failed to evaluate dependency ${dep.metadata.name ?? ''}: failed to parse the CEL expression '${expression}': ${why}`,
      { kind: 'stalled' },
    );
  }
  const outcome = read.evaluate({ self: plain(self), dep: plain(dep) });
  const failed = (problem: string): Readiness => ({
    kind: 'unclear',
    problem: `failed to evaluate the CEL expression '${expression}': ${problem}`,
  });
  if (outcome.kind === 'error') return failed(outcome.message);
  if (typeof outcome.value !== 'boolean') return failed('the result is not a boolean');
  return { kind: outcome.value ? 'ready' : 'not-ready' };
}

/** A name at the root of a field path that is neither `self` nor `dep`, nor bound by the expression itself. */
function unknownVariable(expression: string): string | undefined {
  const code = expression.replaceAll(/r?"(?:[^"\\]|\\.)*"|r?'(?:[^'\\]|\\.)*'/g, "''");
  const bound = [...code.matchAll(/\.\w+\(\s*(\w+)\s*,/g)].map(([, name]) => name);
  const roots = [...code.matchAll(/(?<![\w.])([A-Za-z_]\w*)\s*[.[]/g)].map(([, name]) => name);
  return roots.find((name) => name !== 'self' && name !== 'dep' && !bound.includes(name));
}

function plain(object: KubeObject): CelValue {
  return JSON.parse(JSON.stringify(object)) as CelValue;
}
