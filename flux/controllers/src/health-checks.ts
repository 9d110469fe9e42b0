/** `spec.healthCheckExprs` of Kustomizations and of HelmReleases (Flux RFC 0009). */
import { type KubeObject, parseApiVersion } from '@capstan/kube-object';
import {
  type CelCompiler,
  type CelExpression,
  type CelValue,
  createCelCompiler,
} from '@capstan/lib-expressions';
import { CapstanError } from '@capstan/lib-std';

/** CEL expressions for one kind of custom resource, as anyone may have written them. */
export interface HealthCheckSource {
  readonly apiVersion?: unknown;
  /** Absent or empty: every kind of the group. */
  readonly kind?: unknown;
  readonly inProgress?: unknown;
  readonly failed?: unknown;
  readonly current?: unknown;
}

export type HealthCheckVerdict =
  | { readonly status: 'InProgress' | 'Failed' | 'Current' }
  /** An expression cannot be evaluated; its fields may come yet. */
  | { readonly status: 'Unknown'; readonly problem: string };

export interface HealthCheck {
  readonly group: string;
  /** Empty: every kind of the group that has no check of its own. */
  readonly kind: string;
  readonly judge: (live: KubeObject) => HealthCheckVerdict;
}

type Step = readonly [status: 'InProgress' | 'Failed' | 'Current', text: string, CelExpression];

const FIELDS = [
  ['inProgress', 'InProgress'],
  ['failed', 'Failed'],
  ['current', 'Current'],
] as const;

/** Those of one kind are before those of a whole group. Throws CEL_INVALID for checks that cannot be read. */
export function readHealthChecks(
  sources: readonly HealthCheckSource[],
  compile: CelCompiler = createCelCompiler(),
): readonly HealthCheck[] {
  const checks: HealthCheck[] = [];
  for (const [at, source] of sources.entries()) {
    // The version is no part of what is judged.
    const { group } = parseApiVersion(text(source.apiVersion));
    const kind = text(source.kind);
    if (checks.some((other) => other.group === group && other.kind === kind)) {
      const name = group === '' ? kind : `${kind}.${group}`;
      throw invalid(`duplicate custom health check for GroupKind ${name} at healthchecks[${at}]`);
    }
    const steps = readSteps(source, at, compile);
    checks.push({ group, kind, judge: (live) => judge(steps, live) });
  }
  return checks.sort((a, b) => Number(a.kind === '') - Number(b.kind === ''));
}

export function findHealthCheck(
  checks: readonly HealthCheck[],
  { apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>,
): HealthCheck | undefined {
  if (checks.length === 0) return undefined;
  const { group } = parseApiVersion(apiVersion);
  return checks.find((one) => one.group === group && (one.kind === kind || one.kind === ''));
}

function readSteps(source: HealthCheckSource, at: number, compile: CelCompiler): readonly Step[] {
  const refuse = (why: string) =>
    invalid(`failed to create custom status evaluator for healthchecks[${at}]: ${why}`);
  if (text(source.current) === '') throw refuse('expression Current not specified');
  return FIELDS.flatMap(([field, status]): readonly Step[] => {
    const written = text(source[field]);
    if (written === '') return [];
    const made = compile(written);
    if ('error' in made) {
      throw refuse(
        `failed to parse the expression ${status}: failed to parse the CEL expression '${written}': ${made.error}`,
      );
    }
    return [[status, written, made]];
  });
}

/** In the order of the RFC: the generation, what is in progress, what failed, what is current. */
function judge(steps: readonly Step[], live: KubeObject): HealthCheckVerdict {
  const { generation } = live.metadata ?? {};
  const { status } = live as { readonly status?: { readonly observedGeneration?: unknown } | null };
  const observed = status?.observedGeneration;
  // Some definitions have text there: then the expressions alone decide.
  if (Number.isInteger(observed) && Number.isInteger(generation) && observed !== generation) {
    return { status: 'InProgress' };
  }
  for (const [result, written, expression] of steps) {
    const outcome = expression.evaluate(live as { readonly [name: string]: CelValue });
    if (outcome.kind === 'error') {
      const problem = `failed to evaluate the CEL expression '${written}': ${outcome.message}`;
      return { status: 'Unknown', problem };
    }
    if (typeof outcome.value !== 'boolean') {
      const problem = `failed to evaluate CEL expression as boolean: '${written}'`;
      return { status: 'Unknown', problem };
    }
    if (outcome.value) return { status: result };
  }
  return { status: 'InProgress' };
}

function invalid(message: string): CapstanError {
  return new CapstanError('CEL_INVALID', message, { kind: 'stalled' });
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
