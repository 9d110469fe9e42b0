/** status.conditions, resources and health as Argo CD 3.6 writes them. Pure. */
import {
  API_VERSION,
  type ApplicationSetCondition,
  type ApplicationSetStatus,
  GROUP,
  type HealthStatus,
  type ResourceStatus,
} from '@capstan/argocd-api';
import type { Json, KubeObject } from '@capstan/kube-object';
import { isRecord } from './json.ts';
import type { Rollout } from './rolling-sync.ts';

export type Outcome =
  | { readonly kind: 'up-to-date' }
  /** Nothing was done; the message tells what would be. */
  | { readonly kind: 'dry-run'; readonly message: string; readonly isIdle: boolean }
  | {
      readonly kind: 'error';
      readonly reason: string;
      readonly message: string;
      /** The generators gave parameters; what failed came after. */
      readonly parametersGenerated: boolean;
    };

/** As in the original: a status has to fit into one object. */
const RESOURCES_MAX = 5_000;
const UP_TO_DATE = 'All applications have been generated successfully';
/** Condition types that a look at a set decides; any others stay as they are. */
const EVALUATED: ReadonlySet<string> = new Set([
  'ParametersGenerated',
  'ErrorOccurred',
  'ResourcesUpToDate',
  'RolloutProgressing',
  'InvalidRolloutConfig',
]);

export function toApplicationSetStatus(
  before: ApplicationSetStatus,
  outcome: Outcome,
  options: {
    readonly applications: readonly KubeObject[] | undefined;
    readonly now: string;
    /** Of a rollout by steps. */
    readonly rollout?: Pick<Rollout, 'statuses' | 'conditions'> | undefined;
    readonly resourcesMax?: number;
  },
): ApplicationSetStatus {
  const { applications, rollout, resourcesMax = RESOURCES_MAX } = options;
  const told = [...conditionsOf(outcome), ...(rollout?.conditions ?? [])];
  const conditions = mergeConditions(before.conditions ?? [], told, options.now);
  const { applicationStatus: _rollout, ...rest } = before;
  const resources =
    applications === undefined
      ? {}
      : {
          resources: applications.slice(0, resourcesMax).map(toResource),
          resourcesCount: applications.length,
        };
  const applicationStatus = rollout === undefined ? {} : { applicationStatus: rollout.statuses };
  return { ...rest, ...applicationStatus, conditions, health: healthOf(conditions), ...resources };
}

export interface NewCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

function conditionsOf(outcome: Outcome): readonly NewCondition[] {
  if (outcome.kind === 'up-to-date') {
    const reason = 'ApplicationSetUpToDate';
    return [
      generated(),
      { type: 'ErrorOccurred', status: 'False', reason, message: UP_TO_DATE },
      { type: 'ResourcesUpToDate', status: 'True', reason, message: UP_TO_DATE },
    ];
  }
  if (outcome.kind === 'dry-run') {
    const { message, isIdle } = outcome;
    const common = { reason: 'DryRun', message };
    return [
      generated(),
      { type: 'ErrorOccurred', status: 'False', ...common },
      { type: 'ResourcesUpToDate', status: isIdle ? 'True' : 'False', ...common },
    ];
  }
  const { reason, message, parametersGenerated } = outcome;
  const failed = 'ErrorOccurred';
  return [
    parametersGenerated
      ? generated()
      : { type: 'ParametersGenerated', status: 'False', reason: failed, message },
    { type: 'ErrorOccurred', status: 'True', reason, message },
    { type: 'ResourcesUpToDate', status: 'False', reason: failed, message },
  ];
}

function generated(): NewCondition {
  return {
    type: 'ParametersGenerated',
    status: 'True',
    reason: 'ParametersGenerated',
    message: 'All parameters have been generated successfully',
  };
}

/** A condition that says the same keeps its time. */
function mergeConditions(
  before: readonly ApplicationSetCondition[],
  next: readonly NewCondition[],
  now: string,
): readonly ApplicationSetCondition[] {
  const kept = before.filter(({ type }) => !EVALUATED.has(type));
  const merged = next.map((condition) => {
    const { type, status, reason, message } = condition;
    const same = before.find(
      (one) =>
        one.type === type &&
        one.status === status &&
        one.reason === reason &&
        one.message === message,
    );
    return same ?? { type, status, reason, message, lastTransitionTime: now };
  });
  return [...kept, ...merged].sort((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0));
}

function healthOf(conditions: readonly ApplicationSetCondition[]): HealthStatus {
  const find = (type: string) =>
    conditions.find((condition) => condition.type === type && condition.status === 'True');
  const failed = find('ErrorOccurred');
  if (failed !== undefined) return { status: 'Degraded', message: failed.message };
  const rolling = find('RolloutProgressing');
  if (rolling !== undefined) return { status: 'Progressing', message: rolling.message };
  const done = find('ResourcesUpToDate');
  if (done !== undefined) return { status: 'Healthy', message: done.message };
  return { status: 'Unknown', message: 'Waiting for health status to be determined' };
}

function toResource(application: KubeObject): ResourceStatus {
  const { name = '', namespace = '' } = application.metadata;
  const status = textAt(application, 'sync');
  const health = textAt(application, 'health');
  return {
    group: GROUP,
    version: API_VERSION.slice(GROUP.length + 1),
    kind: 'Application',
    name,
    namespace,
    ...(status === '' ? {} : { status }),
    health: health === '' ? {} : { status: health },
  };
}

function textAt(application: KubeObject, field: 'sync' | 'health'): string {
  const status: Json | undefined = application['status'];
  const part = isRecord(status) ? status[field] : undefined;
  const text = isRecord(part) ? part['status'] : undefined;
  return typeof text === 'string' ? text : '';
}
