/** The CEL expressions of a HelmRelease: `dependsOn[].readyExpr` and `healthCheckExprs` (Flux RFC 0009). */
import type { HelmRelease } from '@capstan/flux-api';
import { findHealthCheck, judgeReadiness, readHealthChecks } from '@capstan/flux-controllers';
import { type CelCompiler, createCelCompiler } from '@capstan/lib-expressions';
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
      const readiness = judgeReadiness(expression, { self, dep: dependency }, compile);
      if (readiness.kind !== 'unclear') return readiness.kind === 'ready';
      throw new CapstanError('CEL_EVALUATION', readiness.problem, { kind: 'wait' });
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
