import {
  dnsLabelProblems,
  type FieldError,
  type Json,
  subdomainProblems,
} from '@capstan/kube-object';
import { listAt, objectAt, textAt, valueAt } from '../json.ts';
import {
  all,
  type Check,
  fields,
  first,
  forbiddenAt,
  given,
  invalidAt,
  nonZero,
  oneOf,
  required,
  requiredAt,
  requiredPointer,
  text,
} from './checks.ts';
import { labelSelector, nonNegativeQuantity, positiveQuantity } from './common.ts';

export const ACCESS_MODES = [
  'ReadOnlyMany',
  'ReadWriteMany',
  'ReadWriteOnce',
  'ReadWriteOncePod',
] as const;
const accessMode = oneOf(...ACCESS_MODES);

/** Modes are all told at the list itself. */
export function accessModes(missing: string): Check {
  return (value, at) => {
    const modes = listAt({ modes: value ?? [] }, 'modes');
    if (modes.length === 0) return [requiredAt(at, missing)];
    const errors = modes.flatMap((mode) => accessMode(mode, at));
    const alone = modes.includes('ReadWriteOncePod');
    const others = modes.some(
      (mode) => mode !== 'ReadWriteOncePod' && accessMode(mode, at).length === 0,
    );
    if (alone && others) {
      errors.push(forbiddenAt(at, 'may not use ReadWriteOncePod with other access modes'));
    }
    return errors;
  };
}

export const volumeMode = given(oneOf('Block', 'Filesystem'));

const source =
  (anyGroup: boolean): Check =>
  (value, at) => {
    const { apiGroup } = objectAt(value);
    const kind = textAt(value, 'kind');
    const errors: FieldError[] = [...fields({ name: required(), kind: required() })(value, at)];
    if ((apiGroup ?? '') === '' && kind !== 'PersistentVolumeClaim') {
      const detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
      errors.push(invalidAt(at, kind, detail));
    }
    if (anyGroup) return errors;
    return [...errors, ...nonZero(text(subdomainProblems))(apiGroup, `${at}.apiGroup`)];
  };

const storage = requiredPointer(first(positiveQuantity, nonNegativeQuantity));

/** The two ways to name a source say the same. */
const sameSource: Check = (value, at) => {
  const { dataSource, dataSourceRef } = objectAt(value);
  if (dataSource === undefined || dataSourceRef === undefined) return [];
  const differs = ['apiGroup', 'kind', 'name'].some(
    (key) => textAt(dataSource, key) !== textAt(dataSourceRef, key),
  );
  return differs ? [invalidAt(at, {}, 'must match dataSourceRef')] : [];
};

/** core.PersistentVolumeClaimSpec. A group that an existing claim (`old`) has is not looked at again. */
export function claimSpec(old?: Json): Check {
  const anyGroup = ['dataSource', 'dataSourceRef'].some(
    (key) => valueAt(old, key, 'apiGroup') !== undefined,
  );
  return all(
    fields({
      accessModes: accessModes('at least 1 access mode is required'),
      selector: labelSelector,
    }),
    (value, at) =>
      storage(valueAt(value, 'resources', 'requests', 'storage'), `${at}.resources[storage]`),
    fields({
      storageClassName: nonZero(text(subdomainProblems)),
      volumeMode,
      dataSource: given(source(anyGroup)),
      dataSourceRef: given(
        all(source(anyGroup), fields({ namespace: nonZero(text(dnsLabelProblems)) })),
      ),
    }),
    sameSource,
    fields({ volumeAttributesClassName: nonZero(text(subdomainProblems)) }),
  );
}
