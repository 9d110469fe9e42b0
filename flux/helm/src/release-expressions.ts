/** The CEL expressions of a HelmRelease: `dependsOn[].readyExpr` and `healthCheckExprs` (Flux RFC 0009). */
import type { HelmRelease } from '@capstan/flux-api';
import { type KubeObject, parseApiVersion } from '@capstan/kube-object';
import {
  type CelCompiler,
  type CelExpression,
  type CelValue,
  createCelCompiler,
} from '@capstan/lib-expressions';
import { CapstanError } from '@capstan/lib-std';
import type { HealthCheck } from './waits.ts';

export interface ReleaseExpressions {
  /** Throws CEL_EXPRESSION for what is no expression, or does not give true or false. */
  readonly isReady: (expression: string, self: HelmRelease, dependency: HelmRelease) => boolean;
  /** Throws CEL_EXPRESSION for checks that cannot be read. */
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
    healthCheck: (checks) => readChecks(checks, compile),
  };
}

interface Check {
  readonly inProgress: CelExpression | undefined;
  readonly failed: CelExpression | undefined;
  readonly current: CelExpression;
}

function readChecks(
  checks: NonNullable<HelmRelease['spec']['healthCheckExprs']>,
  compile: CelCompiler,
): HealthCheck {
  const byKind = new Map<string, Check>();
  for (const [index, check] of checks.entries()) {
    const { group } = parseApiVersion(text(check['apiVersion']));
    const id = `${group}/${text(check['kind'])}`;
    if (byKind.has(id)) {
      throw invalid(`duplicate custom health check for GroupKind ${id} at healthchecks[${index}]`);
    }
    const read = (field: string): CelExpression | undefined => {
      const source = text(check[field]);
      if (source === '') return undefined;
      const made = compile(source);
      if (!('error' in made)) return made;
      const label = `${field[0]?.toUpperCase()}${field.slice(1)}`;
      throw invalid(
        `failed to create custom status evaluator for healthchecks[${index}]: failed to parse the expression ${label}: failed to parse the CEL expression '${source}': ${made.error}`,
      );
    };
    const current = read('current');
    if (current === undefined) {
      throw invalid(
        `failed to create custom status evaluator for healthchecks[${index}]: expression Current not specified`,
      );
    }
    byKind.set(id, { inProgress: read('inProgress'), failed: read('failed'), current });
  }
  return (live) => {
    const { group } = parseApiVersion(live.apiVersion);
    const check = byKind.get(`${group}/${live.kind}`) ?? byKind.get(`${group}/`);
    return check && { status: judge(check, live), message: '' };
  };
}

/** In the order of the RFC: what is in progress, what failed, what is current. */
function judge({ inProgress, failed, current }: Check, live: KubeObject): string {
  const status = live['status'];
  const observed: unknown =
    typeof status === 'object' && status !== null
      ? Reflect.get(status, 'observedGeneration')
      : undefined;
  if (typeof observed === 'number' && observed !== live.metadata.generation) return 'InProgress';
  const variables = plain(live) as { readonly [name: string]: CelValue };
  const steps = [
    ['InProgress', inProgress],
    ['Failed', failed],
    ['Current', current],
  ] as const;
  for (const [result, expression] of steps) {
    const outcome = expression?.evaluate(variables);
    if (outcome?.kind === 'error') return 'Unknown';
    if (outcome?.value === true) return result;
  }
  return 'InProgress';
}

function invalid(message: string): CapstanError {
  return new CapstanError('CEL_EXPRESSION', message, { kind: 'stalled' });
}

function plain(object: KubeObject): CelValue {
  return JSON.parse(JSON.stringify(object)) as CelValue;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
