import { assessHealth, type HealthRules } from '@capstan/engine-health';
import type { StepObservation, SyncStep } from '@capstan/engine-sync';
import type { Json, KubeObject } from '@capstan/kube-object';

/** Whether a running step has reached its goal, by the live object. Pure. */
export function observeStep(
  step: SyncStep,
  live: KubeObject | undefined,
  { rules, nowMs }: { readonly rules: HealthRules; readonly nowMs: number },
): StepObservation {
  if (step.goal === 'gone') {
    const isGone = live === undefined || live.metadata.uid !== step.live?.metadata.uid;
    return isGone ? reached('pruned') : waiting('pruned');
  }
  if (live === undefined) {
    const { group, kind, name } = step.key;
    const message = `Resource ${group}/${kind}/${name} is missing, it might have been deleted`;
    return { kind: 'missed', message };
  }
  if (step.goal === 'established') return isEstablished(live) ? reached('') : waiting('');
  const health = assessHealth(live, rules, { isHook: step.goal === 'completed', nowMs });
  // What has no health is done once it is there; of a hook that is told in the original's words.
  if (health === undefined)
    return reached(step.goal === 'completed' ? `${step.key.name} created` : '');
  const message = health.message ?? '';
  switch (health.status) {
    case 'Healthy':
      return reached(message);
    case 'Degraded':
      return { kind: 'missed', message: message === '' ? 'the resource is degraded' : message };
    case 'Unknown':
      return step.goal === 'completed' ? { kind: 'missed', message } : waiting(message);
    default:
      return waiting(message);
  }
}

function isEstablished(live: KubeObject): boolean {
  const status = asRecord(live['status']);
  const conditions: readonly Json[] = Array.isArray(status['conditions'])
    ? status['conditions']
    : [];
  return conditions
    .map(asRecord)
    .some(({ type, status: value }) => type === 'Established' && value === 'True');
}

function asRecord(value: Json | undefined): { readonly [key: string]: Json | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { readonly [key: string]: Json | undefined })
    : {};
}

function reached(message: string): StepObservation {
  return { kind: 'reached', message };
}

function waiting(message: string): StepObservation {
  return { kind: 'waiting', message };
}
