/** The CEL expressions of a HelmRelease: `dependsOn[].readyExpr` and `healthCheckExprs` (Flux RFC 0009). */
import type { HelmRelease } from '@capstan/flux-api';
import { findHealthCheck, readHealthChecks } from '@capstan/flux-controllers';
import type { KubeObject } from '@capstan/kube-object';
import { type CelCompiler, type CelValue, createCelCompiler } from '@capstan/lib-expressions';
import { CapstanError } from '@capstan/lib-std';
import type { HealthCheck } from './waits.ts';

export interface ReleaseExpressions {
  /** Throws CEL_INVALID for what is no expression, or does not give true or false. */
  readonly isReady: (expression: string, self: HelmRelease, dependency: HelmRelease) => boolean;
  /** Throws CEL_INVALID for checks that cannot be read. */
  readonly healthCheck: (
    checks: NonNullable<HelmRelease['spec']['healthCheckExprs']>,
  ) => HealthCheck;
}

export function releaseExpressions(compile: CelCompiler = createCelCompiler()): ReleaseExpressions {
  return {
    isReady: (expression, self, dependency) => {
      const read = compile(expression);
      const { name = '' } = dependency.metadata;
      if ('error' in read) {
        throw invalid(
          `failed to evaluate dependency ${name}: failed to parse the CEL expression '${expression}': ${read.error}`,
        );
      }
      const outcome = read.evaluate({ self: plain(self), dep: plain(dependency) });
      if (outcome.kind === 'value' && typeof outcome.value === 'boolean') return outcome.value;
      const problem = outcome.kind === 'error' ? outcome.message : 'the result is not a boolean';
      // A field that is not there yet may come: this is no mistake of the expression.
      throw new CapstanError(
        'CEL_EVALUATION',
        `failed to evaluate the CEL expression '${expression}': ${problem}`,
        { kind: 'wait' },
      );
    },
    healthCheck: (sources) => {
      const checks = readHealthChecks(sources, compile);
      return (live) => {
        const check = findHealthCheck(checks, live);
        return check && { status: check.judge(live).status, message: '' };
      };
    },
  };
}

function invalid(message: string): CapstanError {
  return new CapstanError('CEL_INVALID', message, { kind: 'stalled' });
}

function plain(object: KubeObject): CelValue {
  return JSON.parse(JSON.stringify(object)) as CelValue;
}
