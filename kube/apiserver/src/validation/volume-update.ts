import type { FieldError, Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { emptiedOf, listAt, objectAt, textAt, valueAt } from '../json.ts';
import { forbiddenAt, invalidAt } from './checks.ts';
import { compareAmounts } from './common.ts';
import { goDiff, goJson, isSameGo } from './go-struct.ts';
import { immutableField } from './job-update.ts';

/** What an update of a volume may not change (core/validation ValidatePersistentVolumeUpdate). */
export function volumeUpdateErrors(volume: KubeObject, old: KubeObject): FieldError[] {
  const after = objectAt(volume, 'spec');
  const before = objectAt(old, 'spec');
  const errors: FieldError[] = [];
  const sources = [before, withoutNewSecret(after, before)] as const;
  if (!isSameGo(...sources, 'PersistentVolumeSource')) {
    const difference = goDiff(...sources, 'PersistentVolumeSource');
    const detail = `spec.persistentvolumesource is immutable after creation\n${difference}`;
    errors.push(forbiddenAt('spec.persistentvolumesource', detail));
  }
  errors.push(
    ...immutableField('volumeMode', [after['volumeMode'], before['volumeMode']], '*string'),
  );
  const affinity = [after['nodeAffinity'], withNewLabels(before, after)] as const;
  if (affinity[1] !== undefined && !isSameGo(...affinity, '*VolumeNodeAffinity')) {
    const detail = 'field is immutable, except for updating from beta label to GA';
    const shown = goJson(affinity[0], '*VolumeNodeAffinity');
    errors.push({ ...invalidAt('nodeAffinity', affinity[0] ?? null, detail), shown });
  }
  const attributes = 'volumeAttributesClassName';
  if (before[attributes] !== undefined && (after[attributes] ?? null) === null) {
    const detail = 'update from non-nil value to nil is forbidden';
    errors.push(forbiddenAt(`spec.${attributes}`, detail));
  }
  return errors;
}

const AFFINITY = ['nodeAffinity', 'required', 'nodeSelectorTerms'];
const GENERAL_LABELS: Readonly<Record<string, string | undefined>> = {
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
};

/** The old affinity with those labels that may change: a beta label to its successor, one without a successor to none. */
function withNewLabels(before: JsonObject, after: JsonObject): Json | undefined {
  if (valueAt(before, ...AFFINITY) === undefined) return before['nodeAffinity'];
  const nodeSelectorTerms = listAt(before, ...AFFINITY).map((term, i): Json => {
    const matchExpressions = listAt(term, 'matchExpressions').map((expression, j): Json => {
      const given = listAt(listAt(after, ...AFFINITY)[i], 'matchExpressions')[j];
      const key = textAt(given, 'key');
      const follows = key === (GENERAL_LABELS[textAt(expression, 'key')] ?? '');
      return given !== undefined && follows
        ? { ...objectAt(expression), key }
        : (expression as Json);
    });
    return { ...objectAt(term), matchExpressions };
  });
  return { ...objectAt(before['nodeAffinity']), required: { nodeSelectorTerms } };
}

/** The secret for growing a CSI volume may be added later. */
function withoutNewSecret(after: JsonObject, before: JsonObject): JsonObject {
  const csi = after['csi'];
  const had = valueAt(before, 'csi', 'controllerExpandSecretRef');
  if (before['csi'] === undefined || csi === undefined || had !== undefined) return after;
  return { ...after, csi: { ...objectAt(csi), controllerExpandSecretRef: null } };
}

const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';

/**
 * Of a claim little may change: a volume and a class may be filled in, of a bound claim the size and the attributes class
 * may change (core/validation ValidatePersistentVolumeClaimUpdate).
 */
export function claimUpdateErrors(claim: KubeObject, old: KubeObject): FieldError[] {
  const after = objectAt(claim, 'spec');
  const before = objectAt(old, 'spec');
  const now: Record<string, Json | undefined> = { ...emptiedOf(after), ...after };
  const then: Record<string, Json | undefined> = { ...before };
  if (textAt(before, 'volumeName') === '') then['volumeName'] = after['volumeName'];
  const errors = classErrors(claim, old);
  const annotation = old.metadata.annotations?.[CLASS_ANNOTATION];
  const fills = before['storageClassName'] === undefined && after['storageClassName'] !== undefined;
  if (fills && (annotation === undefined || annotation === after['storageClassName'])) {
    now['storageClassName'] = undefined;
  }
  const path = ['resources', 'requests', 'storage'];
  if (textAt(claim, 'status', 'phase') === 'Bound') {
    if (valueAt(after, 'resources', 'requests') !== undefined) {
      const requests = {
        ...objectAt(after, 'resources', 'requests'),
        storage: valueAt(before, ...path),
      };
      now['resources'] = { ...objectAt(after, 'resources'), requests };
    }
    now['volumeAttributesClassName'] = before['volumeAttributesClassName'];
  }
  if (!isSameGo(now, then, 'PersistentVolumeClaimSpec')) {
    const difference = goDiff(then, now, 'PersistentVolumeClaimSpec');
    const detail = `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${difference}`;
    errors.push(forbiddenAt('spec', detail));
  }
  const size = valueAt(after, ...path);
  const capacity = valueAt(old, 'status', 'capacity', 'storage');
  if (compareAmounts(size, valueAt(before, ...path)) < 0 && compareAmounts(size, capacity) <= 0) {
    const detail = 'field can not be less than status.capacity';
    errors.push(forbiddenAt('spec.resources.requests.storage', detail));
  }
  errors.push(
    ...immutableField('volumeMode', [after['volumeMode'], before['volumeMode']], '*string'),
    ...attributesErrors(after, old),
  );
  return errors;
}

function classErrors(claim: KubeObject, old: KubeObject): FieldError[] {
  const after = claim.metadata.annotations?.[CLASS_ANNOTATION] ?? '';
  if (after === (old.metadata.annotations?.[CLASS_ANNOTATION] ?? '')) return [];
  const at = `metadata.annotations[${CLASS_ANNOTATION}]`;
  return [invalidAt(at, after, 'field is immutable')];
}

function attributesErrors(after: JsonObject, old: KubeObject): FieldError[] {
  const key = 'volumeAttributesClassName';
  const current = valueAt(old, 'status', 'currentVolumeAttributesClassName');
  if (current === undefined || after[key] === valueAt(old, 'spec', key)) return [];
  const value = after[key];
  if (value !== undefined && value !== null && value !== '') return [];
  const what = value === '' ? 'empty string' : 'nil';
  const detail = `update to ${what} is forbidden when status.currentVolumeAttributesClassName is not nil`;
  return [forbiddenAt(`spec.${key}`, detail)];
}
