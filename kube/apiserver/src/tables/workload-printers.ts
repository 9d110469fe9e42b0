import type { Json, KubeObject } from '@capstan/kube-object';
import { convertAutoscaler } from '../conversions/horizontal-pod-autoscaler.ts';
import { flagAt, listAt, numberAt, objectAt, textAt, valueAt } from '../json.ts';
import {
  age,
  columns,
  containerCells,
  count,
  humanDuration,
  labelText,
  nameOf,
  orNone,
  selectorText,
  since,
} from './cells.ts';
import type { Printer } from './table.ts';

const TEMPLATE = ['spec', 'template', 'spec'];

const pods: Printer = {
  columns: columns(
    'Name',
    'Ready',
    'Status',
    'Restarts',
    'Age',
    'IP:string:1',
    'Node:string:1',
    'Nominated Node:string:1',
    'Readiness Gates:string:1',
  ),
  cells(pod, now) {
    const statuses = listAt(pod, 'status', 'containerStatuses');
    const ready = statuses.filter(
      (s) => flagAt(s, 'ready') && valueAt(s, 'state', 'running') !== undefined,
    ).length;
    const sidecars = listAt(pod, 'spec', 'initContainers').filter(
      (c) => textAt(c, 'restartPolicy') === 'Always',
    ).length;
    const total = listAt(pod, 'spec', 'containers').length + sidecars;
    return [
      nameOf(pod),
      `${ready}/${total}`,
      podReason(pod),
      restartText(pod, now),
      age(pod, now),
      orNone(textAt(pod, 'status', 'podIP')),
      orNone(textAt(pod, 'spec', 'nodeName')),
      orNone(textAt(pod, 'status', 'nominatedNodeName')),
      gates(pod),
    ];
  },
};

function gates(pod: KubeObject): string {
  const wanted = listAt(pod, 'spec', 'readinessGates');
  if (wanted.length === 0) return '<none>';
  const conditions = listAt(pod, 'status', 'conditions');
  const met = wanted.filter((gate) =>
    conditions.some(
      (c) => textAt(c, 'type') === textAt(gate, 'conditionType') && textAt(c, 'status') === 'True',
    ),
  );
  return `${met.length}/${wanted.length}`;
}

function restartText(pod: KubeObject, now: number): string {
  const statuses = listAt(pod, 'status', 'containerStatuses');
  const restarts = statuses.reduce<number>((sum, s) => sum + count(s, 'restartCount'), 0);
  const ends = statuses
    .map((s) => Date.parse(textAt(s, 'lastState', 'terminated', 'finishedAt')))
    .filter((time) => !Number.isNaN(time));
  if (restarts === 0 || ends.length === 0) return String(restarts);
  return `${restarts} (${humanDuration(now - Math.max(...ends))} ago)`;
}

/** The word under STATUS: the phase, unless a container has something more to say. */
function podReason(pod: KubeObject): string {
  const status = objectAt(pod, 'status');
  let reason = textAt(status, 'reason') || textAt(status, 'phase');
  const gated = listAt(status, 'conditions').some(
    (c) => textAt(c, 'type') === 'PodScheduled' && textAt(c, 'reason') === 'SchedulingGated',
  );
  if (gated) reason = 'SchedulingGated';
  const initial = initReason(pod);
  if (initial !== undefined) reason = initial;
  else reason = containerReason(pod, reason);
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (textAt(status, 'reason') === 'NodeLost') return 'Unknown';
    if (!['Succeeded', 'Failed'].includes(textAt(status, 'phase'))) return 'Terminating';
  }
  return reason;
}

function initReason(pod: KubeObject): string | undefined {
  const statuses = listAt(pod, 'status', 'initContainerStatuses');
  for (const [i, status] of statuses.entries()) {
    const terminated = objectAt(status, 'state', 'terminated');
    if (numberAt(terminated, 'exitCode') === 0) continue;
    if (Object.keys(terminated).length > 0) {
      const why = textAt(terminated, 'reason') || `ExitCode:${count(terminated, 'exitCode')}`;
      return `Init:${why}`;
    }
    const waiting = textAt(status, 'state', 'waiting', 'reason');
    if (waiting !== '' && waiting !== 'PodInitializing') return `Init:${waiting}`;
    return `Init:${i}/${listAt(pod, 'spec', 'initContainers').length}`;
  }
  return undefined;
}

function containerReason(pod: KubeObject, phase: string): string {
  let reason = phase;
  let running = false;
  for (const status of [...listAt(pod, 'status', 'containerStatuses')].reverse()) {
    const waiting = textAt(status, 'state', 'waiting', 'reason');
    const terminated = objectAt(status, 'state', 'terminated');
    if (waiting !== '') reason = waiting;
    else if (textAt(terminated, 'reason') !== '') reason = textAt(terminated, 'reason');
    else if (Object.keys(terminated).length > 0)
      reason = `ExitCode:${count(terminated, 'exitCode')}`;
    else if (flagAt(status, 'ready') && valueAt(status, 'state', 'running') !== undefined) {
      running = true;
    }
  }
  if (reason !== 'Completed' || !running) return reason;
  const ready = listAt(pod, 'status', 'conditions').some(
    (c) => textAt(c, 'type') === 'Ready' && textAt(c, 'status') === 'True',
  );
  return ready ? 'Running' : 'NotReady';
}

const deployments: Printer = {
  columns: columns(
    'Name',
    'Ready',
    'Up-to-date',
    'Available',
    'Age',
    'Containers:string:1',
    'Images:string:1',
    'Selector:string:1',
  ),
  cells: (object, now) => [
    nameOf(object),
    `${count(object, 'status', 'readyReplicas')}/${count(object, 'spec', 'replicas')}`,
    count(object, 'status', 'updatedReplicas'),
    count(object, 'status', 'availableReplicas'),
    age(object, now),
    ...containerCells(object, ...TEMPLATE),
    selectorText(valueAt(object, 'spec', 'selector')),
  ],
};

function replicaPrinter(selector: (object: KubeObject) => string): Printer {
  return {
    columns: columns(
      'Name',
      'Desired:integer',
      'Current:integer',
      'Ready:integer',
      'Age',
      'Containers:string:1',
      'Images:string:1',
      'Selector:string:1',
    ),
    cells: (object, now) => [
      nameOf(object),
      count(object, 'spec', 'replicas'),
      count(object, 'status', 'replicas'),
      count(object, 'status', 'readyReplicas'),
      age(object, now),
      ...containerCells(object, ...TEMPLATE),
      selector(object),
    ],
  };
}

const statefulSets: Printer = {
  columns: columns('Name', 'Ready', 'Age', 'Containers:string:1', 'Images:string:1'),
  cells: (object, now) => [
    nameOf(object),
    `${count(object, 'status', 'readyReplicas')}/${count(object, 'spec', 'replicas')}`,
    age(object, now),
    ...containerCells(object, ...TEMPLATE),
  ],
};

const daemonSets: Printer = {
  columns: columns(
    'Name',
    'Desired:integer',
    'Current:integer',
    'Ready:integer',
    'Up-to-date:integer',
    'Available:integer',
    'Node Selector',
    'Age',
    'Containers:string:1',
    'Images:string:1',
    'Selector:string:1',
  ),
  cells: (object, now) => [
    nameOf(object),
    count(object, 'status', 'desiredNumberScheduled'),
    count(object, 'status', 'currentNumberScheduled'),
    count(object, 'status', 'numberReady'),
    count(object, 'status', 'updatedNumberScheduled'),
    count(object, 'status', 'numberAvailable'),
    labelText(valueAt(object, ...TEMPLATE, 'nodeSelector')),
    age(object, now),
    ...containerCells(object, ...TEMPLATE),
    selectorText(valueAt(object, 'spec', 'selector')),
  ],
};

const jobs: Printer = {
  columns: columns(
    'Name',
    'Status',
    'Completions',
    'Duration',
    'Age',
    'Containers:string:1',
    'Images:string:1',
    'Selector:string:1',
  ),
  cells(object, now) {
    const completions = valueAt(object, 'spec', 'completions');
    const parallelism = count(object, 'spec', 'parallelism');
    const done = count(object, 'status', 'succeeded');
    const whole =
      completions !== undefined
        ? String(completions)
        : parallelism > 1
          ? `1 of ${parallelism}`
          : '1';
    return [
      nameOf(object),
      jobState(object),
      `${done}/${whole}`,
      jobDuration(object, now),
      age(object, now),
      ...containerCells(object, ...TEMPLATE),
      selectorText(valueAt(object, 'spec', 'selector')),
    ];
  },
};

function jobState(object: KubeObject): string {
  const has = (type: string): boolean =>
    listAt(object, 'status', 'conditions').some(
      (c) => textAt(c, 'type') === type && textAt(c, 'status') === 'True',
    );
  if (has('Complete')) return 'Complete';
  if (has('Failed')) return 'Failed';
  if (object.metadata.deletionTimestamp !== undefined) return 'Terminating';
  if (has('Suspended')) return 'Suspended';
  if (has('FailureTarget')) return 'FailureTarget';
  return has('SuccessCriteriaMet') ? 'SuccessCriteriaMet' : 'Running';
}

function jobDuration(object: KubeObject, now: number): string {
  const start = Date.parse(textAt(object, 'status', 'startTime'));
  if (Number.isNaN(start)) return '';
  const end = Date.parse(textAt(object, 'status', 'completionTime'));
  return humanDuration((Number.isNaN(end) ? now : end) - start);
}

const cronJobs: Printer = {
  columns: columns(
    'Name',
    'Schedule',
    'Timezone',
    'Suspend:boolean',
    'Active:integer',
    'Last Schedule',
    'Age',
    'Containers:string:1',
    'Images:string:1',
    'Selector:string:1',
  ),
  cells(object, now) {
    const last = textAt(object, 'status', 'lastScheduleTime');
    const job = ['spec', 'jobTemplate', 'spec'];
    return [
      nameOf(object),
      textAt(object, 'spec', 'schedule'),
      orNone(textAt(object, 'spec', 'timeZone')),
      flagAt(object, 'spec', 'suspend') ? 'True' : 'False',
      listAt(object, 'status', 'active').length,
      last === '' ? '<none>' : since(last, now),
      age(object, now),
      ...containerCells(object, ...job, 'template', 'spec'),
      selectorText(valueAt(object, ...job, 'selector')),
    ];
  },
};

const controllerRevisions: Printer = {
  columns: columns('Name', 'Controller', 'Revision', 'Age'),
  cells(object, now) {
    const owner = object.metadata.ownerReferences?.find((o) => o.controller === true);
    const [group = ''] = (owner?.apiVersion ?? '').split('/');
    const suffix = (owner?.apiVersion ?? '').includes('/') ? `.${group}` : '';
    const controller =
      owner === undefined ? '<none>' : `${owner.kind.toLowerCase()}${suffix}/${owner.name}`;
    return [nameOf(object), controller, count(object, 'revision'), age(object, now)];
  },
};

const autoscalers: Printer = {
  columns: columns('Name', 'Reference', 'Targets', 'MinPods', 'MaxPods', 'Replicas', 'Age'),
  cells(given, now) {
    const object = convertAutoscaler(given, 'autoscaling/v2');
    const reference = objectAt(object, 'spec', 'scaleTargetRef');
    const minimum = valueAt(object, 'spec', 'minReplicas');
    return [
      nameOf(object),
      `${textAt(reference, 'kind')}/${textAt(reference, 'name')}`,
      metricTexts(object),
      minimum === undefined ? '<unset>' : String(minimum),
      count(object, 'spec', 'maxReplicas'),
      count(object, 'status', 'currentReplicas'),
      age(object, now),
    ];
  },
};

function metricTexts(object: KubeObject): string {
  const specs = listAt(object, 'spec', 'metrics');
  if (specs.length === 0) return '<none>';
  const current = listAt(object, 'status', 'currentMetrics');
  const texts = specs.slice(0, 2).map((spec: Json, i) => {
    const type = textAt(spec, 'type');
    const key = type.charAt(0).toLowerCase() + type.slice(1);
    const target = objectAt(spec, key, 'target');
    const now = objectAt(current[i], key, 'current');
    const share = target['averageUtilization'];
    const name = type === 'Resource' ? `${textAt(spec, key, 'name')}: ` : '';
    if (share !== undefined) {
      const value = now['averageUtilization'];
      return `${name}${value === undefined ? '<unknown>' : `${value}%`}/${share}%`;
    }
    const average = target['averageValue'];
    const value = now[average === undefined ? 'value' : 'averageValue'];
    return `${name}${value ?? '<unknown>'}/${average ?? target['value']}${average === undefined ? '' : type === 'Resource' ? '' : ' (avg)'}`;
  });
  return specs.length > 2 ? `${texts.join(', ')} + ${specs.length - 2} more...` : texts.join(', ');
}

export const WORKLOAD_PRINTERS: Readonly<Record<string, Printer>> = {
  '/pods': pods,
  '/podtemplates': {
    columns: columns('Name', 'Containers', 'Images', 'Pod Labels'),
    cells: (object) => [
      nameOf(object),
      ...containerCells(object, 'template', 'spec'),
      labelText(valueAt(object, 'template', 'metadata', 'labels')),
    ],
  },
  '/replicationcontrollers': replicaPrinter((object) =>
    labelText(valueAt(object, 'spec', 'selector')),
  ),
  'apps/controllerrevisions': controllerRevisions,
  'apps/daemonsets': daemonSets,
  'apps/deployments': deployments,
  'apps/replicasets': replicaPrinter((object) => selectorText(valueAt(object, 'spec', 'selector'))),
  'apps/statefulsets': statefulSets,
  'autoscaling/horizontalpodautoscalers': autoscalers,
  'batch/cronjobs': cronJobs,
  'batch/jobs': jobs,
};
