import type { Json, KubeObject } from '@capstan/kube-object';
import { listAt, textAt, valueAt } from './fields.ts';

/** One thing that a person wants to know, in one sentence, and what to do next. */
export interface Explanation {
  readonly about: 'sync' | 'health' | 'waiting';
  readonly sentence: string;
  readonly next: string;
}

/**
 * Why an app is out of sync, not healthy, or waiting, from its own status: Applications of Argo CD, and the resources of
 * Flux by their conditions. Nothing for an app that is fine. Pure.
 */
export function explainObject(object: KubeObject): readonly Explanation[] {
  return object.apiVersion.startsWith('argoproj.io/')
    ? explainApplication(object)
    : explainByConditions(object);
}

function explainApplication(app: KubeObject): readonly Explanation[] {
  const status = valueAt(app, 'status');
  if (status === undefined) {
    return [
      {
        about: 'waiting',
        sentence: 'nothing has looked at this Application yet',
        next: 'check that the control plane runs and watches its namespace',
      },
    ];
  }
  return [...explainSync(app), ...explainHealth(app), ...explainOperation(app)];
}

function explainSync(app: KubeObject): readonly Explanation[] {
  const name = app.metadata.name ?? '';
  const sync = textAt(app, 'status', 'sync', 'status');
  const problem = listAt(app, 'status', 'conditions').find((one) =>
    textAt(one, 'type').endsWith('Error'),
  );
  if (problem !== undefined) {
    const sentence = `${textAt(problem, 'type')}: ${textAt(problem, 'message')}`;
    return [{ about: 'sync', sentence, next: nextForProblem(textAt(problem, 'type')) }];
  }
  if (sync !== 'OutOfSync') return [];
  const open = listAt(app, 'status', 'resources').filter(
    (one) => textAt(one, 'status') === 'OutOfSync',
  );
  const extra = open.filter((one) => valueAt(one, 'requiresPruning') === true);
  const missing = open.filter((one) => textAt(one, 'health', 'status') === 'Missing');
  const changed = open.filter((one) => !extra.includes(one) && !missing.includes(one));
  const parts = [
    [changed, 'differ from Git'],
    [missing, 'are not in the cluster'],
    [extra, 'are no longer in Git'],
  ] as const;
  const told = parts.flatMap(([objects, what]) =>
    objects.length === 0 ? [] : [`${objects.length} ${what} (${names(objects)})`],
  );
  const sentence =
    told.length === 0
      ? 'the sources changed since the last comparison'
      : `of ${listAt(app, 'status', 'resources').length} objects ${told.join(', ')}`;
  return [{ about: 'sync', sentence, next: nextForSync(app, name, extra) }];
}

function nextForProblem(type: string): string {
  if (type === 'ComparisonError')
    return 'correct the source: the message names the file or setting';
  if (type === 'InvalidSpecError') return "correct the Application's spec";
  if (type === 'SyncError') return 'correct what the message names; then sync again';
  return 'see the message';
}

function nextForSync(app: KubeObject, name: string, extra: readonly Json[]): string {
  const automated = valueAt(app, 'spec', 'syncPolicy', 'automated');
  const unconfirmed = extra.filter((one) => valueAt(one, 'requiresDeletionConfirmation') === true);
  if (unconfirmed.length > 0) {
    return `confirm the deletion of ${names(unconfirmed)}: annotate it with argocd.argoproj.io/deletion-approved`;
  }
  if (automated === undefined || valueAt(automated, 'enabled') === false) {
    const prune = extra.length > 0 ? ' --prune' : '';
    return `sync it: argocd app sync ${name}${prune}, or switch on spec.syncPolicy.automated`;
  }
  if (extra.length > 0 && valueAt(automated, 'prune') !== true) {
    return `remove them: argocd app sync ${name} --prune, or set spec.syncPolicy.automated.prune`;
  }
  if (valueAt(automated, 'selfHeal') !== true) {
    return `it syncs with the next commit; for changes in the cluster set spec.syncPolicy.automated.selfHeal`;
  }
  return 'nothing: it syncs by itself';
}

const BAD = ['Unknown', 'Degraded', 'Missing', 'Progressing', 'Suspended'];

function explainHealth(app: KubeObject): readonly Explanation[] {
  const health = textAt(app, 'status', 'health', 'status');
  if (health === '' || health === 'Healthy') return [];
  const ranked = listAt(app, 'status', 'resources')
    .map((one) => ({ one, rank: BAD.indexOf(textAt(one, 'health', 'status')) }))
    .filter(({ rank }) => rank >= 0)
    .sort((a, b) => a.rank - b.rank);
  const worst = ranked[0]?.one;
  if (worst === undefined) {
    const sentence = textAt(app, 'status', 'health', 'message') || `it is ${health}`;
    return [{ about: 'health', sentence, next: 'see its resource tree' }];
  }
  const message = textAt(worst, 'health', 'message');
  const others = ranked.length - 1;
  const more = others === 0 ? '' : `, and ${others} more`;
  const state = textAt(worst, 'health', 'status');
  const sentence = `${label(worst)} is ${state}${message === '' ? '' : `: ${message}`}${more}`;
  return [{ about: 'health', sentence, next: nextForHealth(worst, state) }];
}

function nextForHealth(object: Json, state: string): string {
  const namespace = textAt(object, 'namespace');
  const where = namespace === '' ? '' : ` -n ${namespace}`;
  const target = `${textAt(object, 'kind').toLowerCase()}/${textAt(object, 'name')}${where}`;
  if (state === 'Missing') return 'sync it';
  if (state === 'Suspended') return `resume it when you are ready: kubectl get ${target} -o yaml`;
  if (textAt(object, 'kind') === 'Pod') return `kubectl logs ${target}; kubectl describe ${target}`;
  return `kubectl describe ${target}`;
}

function explainOperation(app: KubeObject): readonly Explanation[] {
  const phase = textAt(app, 'status', 'operationState', 'phase');
  const message = textAt(app, 'status', 'operationState', 'message');
  const name = app.metadata.name ?? '';
  if (phase === 'Running') {
    const sentence = message === '' ? 'a sync is running' : `a sync is running: ${message}`;
    const isHook = message.includes('hook');
    const next = isHook
      ? `see the hook's Pods; argocd app terminate-op ${name} ends the sync`
      : `wait, or argocd app terminate-op ${name}`;
    return [{ about: 'waiting', sentence, next }];
  }
  if (phase === 'Failed' || phase === 'Error') {
    const failed = listAt(app, 'status', 'operationState', 'syncResult', 'resources').find(
      (one) => textAt(one, 'status') === 'SyncFailed' || textAt(one, 'hookPhase') === 'Failed',
    );
    const detail =
      failed === undefined ? message : `${label(failed)}: ${textAt(failed, 'message')}`;
    const next = `correct it in Git; a new commit is tried at once, or argocd app sync ${name}`;
    return [{ about: 'waiting', sentence: `the last sync failed: ${detail}`, next }];
  }
  return [];
}

function explainByConditions(object: KubeObject): readonly Explanation[] {
  const { kind, metadata } = object;
  const target = `${kind.toLowerCase()} ${metadata.name} -n ${metadata.namespace ?? 'default'}`;
  if (valueAt(object, 'spec', 'suspend') === true) {
    return [{ about: 'waiting', sentence: `${kind} is suspended`, next: `flux resume ${target}` }];
  }
  const conditions = listAt(object, 'status', 'conditions');
  const find = (type: string) => conditions.find((one) => textAt(one, 'type') === type);
  const ready = find('Ready');
  const observed = valueAt(object, 'status', 'observedGeneration');
  if (ready === undefined || (observed !== undefined && observed !== metadata.generation)) {
    const sentence = 'its controller has not looked at this generation yet';
    return [{ about: 'waiting', sentence, next: `flux reconcile ${target}` }];
  }
  if (textAt(ready, 'status') === 'True') return [];
  const reason = textAt(ready, 'reason');
  const sentence = `${reason}: ${textAt(ready, 'message')}`;
  const isBusy = textAt(ready, 'status') === 'Unknown' || find('Reconciling') !== undefined;
  if (reason === 'DependencyNotReady') {
    return [{ about: 'waiting', sentence, next: 'make the dependency ready: explain it next' }];
  }
  if (reason === 'HealthCheckFailed') {
    return [{ about: 'health', sentence, next: 'see the objects that the message names' }];
  }
  if (find('Stalled') !== undefined) {
    return [{ about: 'sync', sentence, next: `correct its spec: it is not tried again before` }];
  }
  const next = isBusy ? 'wait: it is being worked on' : `correct it, then flux reconcile ${target}`;
  return [{ about: isBusy ? 'waiting' : 'sync', sentence, next }];
}

const NAMES_MAX = 3;

function names(objects: readonly Json[]): string {
  const shown = objects.slice(0, NAMES_MAX).map(label).join(', ');
  return objects.length > NAMES_MAX ? `${shown}, …` : shown;
}

function label(object: Json): string {
  return `${textAt(object, 'kind')}/${textAt(object, 'name')}`;
}
