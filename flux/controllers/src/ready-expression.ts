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
  const read = compile(expression, { structs: ['self', 'dep'] });
  if ('error' in read) {
    throw invalid(dep, `failed to parse the CEL expression '${expression}': ${read.error}`);
  }
  // A field of an object may be anything: `dep.status.ready == true` is a condition, `dep.status.ready` is none.
  if (read.type !== 'bool') {
    throw invalid(dep, `CEL expression output type mismatch: expected bool, got ${read.type}`);
  }
  const outcome = read.evaluate({ self: plain(self), dep: plain(dep) });
  if (outcome.kind === 'error') {
    const problem = `failed to evaluate the CEL expression '${expression}': ${outcome.message}`;
    return { kind: 'unclear', problem };
  }
  return { kind: outcome.value === true ? 'ready' : 'not-ready' };
}

function invalid({ metadata }: KubeObject, why: string): CapstanError {
  const message = `failed to evaluate dependency ${metadata.name ?? ''}: ${why}`;
  return new CapstanError('CEL_INVALID', message, { kind: 'stalled' });
}

function plain(object: KubeObject): CelValue {
  return JSON.parse(JSON.stringify(object)) as CelValue;
}
