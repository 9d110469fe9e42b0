import type { FieldError, Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { flagAt, listAt, numberAt, objectAt, textAt, valueAt } from '../json.ts';
import { fromSelectorObject, matchesLabels } from '../selectors.ts';
import { invalidAt, requiredAt } from './checks.ts';
import { showSelector } from './common.ts';
import { goJson, isSameGo } from './go-struct.ts';

/** What an update of a job may not change (k8s.io/kubernetes/pkg/apis/batch/validation ValidateJobUpdate). */
export function jobUpdateErrors(job: KubeObject, old: KubeObject): FieldError[] {
  const after = objectAt(job, 'spec');
  const before = objectAt(old, 'spec');
  const immutable = (key: string, type: string): FieldError[] =>
    immutableField(`spec.${key}`, [after[key], before[key]], type);
  return [
    ...completionErrors(after, before),
    ...immutable('selector', '*LabelSelector'),
    ...templateErrors(after, old),
    ...immutable('completionMode', '*string'),
    ...immutable('podFailurePolicy', '*PodFailurePolicy'),
    ...immutable('backoffLimitPerIndex', '*number'),
    ...immutable('managedBy', '*string'),
    ...immutable('successPolicy', '*SuccessPolicy'),
  ];
}

/** A value that has to stay as it is; the new one is shown as Go prints it. */
export function immutableField(
  at: string,
  [after, before]: readonly [Json | undefined, Json | undefined],
  type: string,
): FieldError[] {
  if (isSameGo(after, before, type)) return [];
  return [{ ...invalidAt(at, after ?? null, 'field is immutable'), shown: goJson(after, type) }];
}

function completionErrors(after: JsonObject, before: JsonObject): FieldError[] {
  const at = 'spec.completions';
  const pair = [after['completions'], before['completions']] as const;
  if (after['completionMode'] !== 'Indexed') return immutableField(at, pair, '*number');
  const completions = numberAt(after, 'completions');
  if (completions === undefined || isSameGo(...pair, '*number')) return [];
  if (completions === numberAt(after, 'parallelism')) return [];
  return [invalidAt(at, completions, 'can only be modified in tandem with spec.parallelism')];
}

/** The template is fixed, but for where its pods go and what they get while the job is suspended and has no pods. */
function templateErrors(after: JsonObject, old: KubeObject): FieldError[] {
  const template = objectAt(after, 'template');
  const isMutable = mayChangeTemplate(old);
  const before = objectAt(old, 'spec', 'template');
  const expected = isMutable ? withDirectivesOf(before, template) : before;
  if (!flagAt(old, 'spec', 'suspend') || !isMutable) {
    return immutableField('spec.template', [template, expected], '*PodTemplateSpec');
  }
  const spec = objectAt(template, 'spec');
  return immutableField(
    'spec.template.spec',
    [spec, withResourcesOf(objectAt(expected, 'spec'), spec)],
    'PodSpec',
  );
}

function mayChangeTemplate(job: KubeObject): boolean {
  if (!flagAt(job, 'spec', 'suspend') || (numberAt(job, 'status', 'active') ?? 0) > 0) return false;
  if (valueAt(job, 'status', 'startTime') === undefined) return true;
  return listAt(job, 'status', 'conditions').some(
    (item) => textAt(item, 'type') === 'Suspended' && textAt(item, 'status') === 'True',
  );
}

function withDirectivesOf(before: JsonObject, template: JsonObject): JsonObject {
  const spec = objectAt(template, 'spec');
  const { labels, annotations } = objectAt(template, 'metadata');
  const { nodeSelector, tolerations, schedulingGates } = spec;
  const old = objectAt(before, 'spec');
  const affinity = affinityOf(old['affinity'], spec['affinity']);
  return {
    ...before,
    metadata: { ...objectAt(before, 'metadata'), labels, annotations },
    spec: { ...old, affinity, nodeSelector, tolerations, schedulingGates },
  };
}

function affinityOf(before: Json | undefined, after: Json | undefined): Json | undefined {
  const { nodeAffinity, ...others } = objectAt(before);
  if (after === undefined || after === null) {
    if (before === undefined) return undefined;
    return Object.keys(others).length === 0 ? undefined : others;
  }
  return { ...others, nodeAffinity: objectAt(after)['nodeAffinity'] };
}

function withResourcesOf(before: JsonObject, after: JsonObject): JsonObject {
  const made: Record<string, Json | undefined> = { ...before };
  for (const key of ['containers', 'initContainers']) {
    const now = listAt(after, key);
    const old = listAt(before, key);
    if (now.length !== old.length || before[key] === undefined) continue;
    made[key] = old.map((container, i) =>
      textAt(container, 'name') === textAt(now[i], 'name')
        ? { ...objectAt(container), resources: objectAt(now[i])['resources'] }
        : container,
    );
  }
  return made;
}

/** What the server itself put into a job's template and selector must be there still. */
export function generatedSelectorErrors(job: KubeObject, old?: KubeObject): FieldError[] {
  const spec = objectAt(job, 'spec');
  const selector = spec['selector'];
  if (spec['manualSelector'] === true || selector === undefined) return [];
  const uid = textAt(job, 'metadata', 'uid');
  const name = textAt(job, 'metadata', 'name');
  const labels = objectAt(spec, 'template', 'metadata', 'labels');
  const had =
    old === undefined ? undefined : objectAt(old, 'spec', 'template', 'metadata', 'labels');
  const prefixes = ['', 'batch.kubernetes.io/'];
  const needed = prefixes.filter(
    (prefix) =>
      prefix === '' ||
      had === undefined ||
      (had[`${prefix}job-name`] !== undefined && had[`${prefix}controller-uid`] !== undefined),
  );
  const expected: Record<string, string> = {};
  const errors = needed.flatMap((prefix) =>
    [
      [`${prefix}controller-uid`, uid],
      [`${prefix}job-name`, name],
    ].flatMap(([key = '', value = '']) => {
      expected[key] = value;
      return labelErrors(labels, key, value);
    }),
  );
  const requirements = fromSelectorObject(selector);
  if (requirements !== undefined && !matchesLabels(requirements, expected)) {
    const error = invalidAt('spec.selector', selector, '`selector` not auto-generated');
    errors.push({ ...error, shown: showSelector(selector) });
  }
  return errors;
}

function labelErrors(labels: JsonObject, key: string, value: string): FieldError[] {
  const at = `spec.template.metadata.labels[${key}]`;
  const found = labels[key];
  if (found === undefined) return [requiredAt(at, `must be '${value}'`)];
  if (found === value) return [];
  return [invalidAt(at, labels, `must be '${value}'`)];
}
