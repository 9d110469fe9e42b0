import type { JsonObject } from '@capstan/kube-object';
import { forbidden } from '../api-error.ts';
import { cloneJson, type DraftObject, draftList, equalJson, objectAt, textAt } from '../json.ts';
import type { StrategyContext } from '../served-resource.ts';

/** The RuntimeClass admission: a pod of a class has the class's overhead, node selector and tolerations. */
export function admitRuntimeClass(
  pod: DraftObject,
  spec: DraftObject,
  context: StrategyContext,
): void {
  const refuse = (why: string): never => {
    const name = textAt(pod, 'metadata', 'name') || textAt(pod, 'metadata', 'generateName');
    throw forbidden({ group: '', resource: 'pods', name }, why);
  };
  const className = textAt(spec, 'runtimeClassName');
  const found =
    className === '' ? undefined : context.find('node.k8s.io/runtimeclasses', className);
  if (className !== '' && found === undefined) {
    refuse(`pod rejected: RuntimeClass ${JSON.stringify(className)} not found`);
  }
  const given = objectAt(spec, 'overhead');
  const overhead = objectAt(found, 'overhead', 'podFixed');
  if (Object.keys(overhead).length === 0) {
    if (Object.keys(given).length > 0) {
      refuse('pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
    }
  } else if (Object.keys(given).length > 0 && !equalJson(given, overhead)) {
    refuse("pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
  } else spec['overhead'] = cloneJson(overhead);
  const scheduling = objectAt(found, 'scheduling');
  mergeSelector(spec, objectAt(scheduling, 'nodeSelector'), refuse);
  mergeTolerations(spec, scheduling);
}

function mergeSelector(
  spec: DraftObject,
  wanted: JsonObject,
  refuse: (why: string) => never,
): void {
  if (Object.keys(wanted).length === 0) return;
  const own = objectAt(spec, 'nodeSelector');
  for (const [key, value] of Object.entries(wanted)) {
    const mine = own[key];
    if (mine === undefined || mine === value) continue;
    refuse(
      `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${String(value)}; pod.spec.nodeSelector[${key}] = ${String(mine)}`,
    );
  }
  spec['nodeSelector'] = { ...cloneJson(own), ...cloneJson(wanted) };
}

function mergeTolerations(spec: DraftObject, scheduling: JsonObject): void {
  const own = draftList(spec, 'tolerations');
  const more = draftList(cloneJson(scheduling), 'tolerations').filter(
    (toleration) => !own.some((known) => equalJson(known, toleration)),
  );
  if (more.length > 0) spec['tolerations'] = [...own, ...more];
}
