import {
  dnsLabelProblems,
  type FieldError,
  type Json,
  subdomainProblems,
  supportedValues,
} from '@capstan/kube-object';
import { emptiedOf, listAt, objectAt, textAt } from '../json.ts';
import {
  type Check,
  duplicateAt,
  fields,
  forbiddenAt,
  given,
  invalidAt,
  items,
  nonZero,
  notSupportedAt,
  oneOf,
  required,
  requiredAt,
  requiredPointer,
  text,
} from './checks.ts';
import { accessModes, volumeMode } from './claims.ts';
import { labelKey, positiveQuantity, quantityOf, withoutBacksteps } from './common.ts';
import { nodeSelector } from './scheduling.ts';
import { csiDriverName, fibreChannel, hostPath, iscsiName, lun, nfs } from './volumes.ts';

const secretReference = given(
  fields({
    name: required(text(subdomainProblems)),
    namespace: required(text(dnsLabelProblems)),
  }),
);

/** Where a persistent volume lives: exactly one of these. */
const SOURCES: Readonly<Record<string, Check>> = {
  hostPath,
  nfs,
  fc: fibreChannel,
  iscsi: fields({
    targetPortal: required(),
    iqn: required(iscsiName('must be valid format')),
    lun,
  }),
  local: fields({ path: required(withoutBacksteps) }),
  csi: fields({
    driver: csiDriverName,
    volumeHandle: required(),
    controllerPublishSecretRef: secretReference,
    controllerExpandSecretRef: secretReference,
    nodePublishSecretRef: secretReference,
    nodeExpandSecretRef: secretReference,
  }),
  awsElasticBlockStore: fields({ volumeID: required() }),
  gcePersistentDisk: fields({ pdName: required() }),
  azureDisk: fields({ diskName: required(), diskURI: required() }),
  azureFile: fields({ secretName: required(), shareName: required() }),
  cephfs: fields({ monitors: required() }),
  cinder: fields({ volumeID: required() }),
  flexVolume: fields({ driver: required() }),
  flocker: () => [],
  glusterfs: fields({ endpoints: required(), path: required() }),
  photonPersistentDisk: fields({ pdID: required() }),
  portworxVolume: fields({ volumeID: required() }),
  quobyte: fields({ registry: required(), volume: required() }),
  rbd: fields({ monitors: required(), image: required() }),
  scaleIO: fields({ gateway: required(), system: required(), volumeName: required() }),
  storageos: () => [],
  vsphereVolume: fields({ volumePath: required() }),
};

export const VOLUME_SOURCES: readonly string[] = Object.keys(SOURCES);

const capacity: Check = (value, at) => {
  const amounts = Object.entries(objectAt(value));
  const errors: FieldError[] = [];
  if (amounts.length === 0) errors.push(requiredAt(at));
  if (amounts.length !== 1 || amounts[0]?.[0] !== 'storage') {
    errors.push(notSupportedAt(at, value ?? null, supportedValues(['storage'])));
  }
  return [
    ...errors,
    ...amounts.flatMap(([name, amount]) => {
      const where = `${at}[${name}]`;
      const whole = Number(quantityOf(amount).nanos / 1_000_000_000n);
      const negative =
        whole < 0 ? [invalidAt(where, whole, 'must be a valid resource quantity')] : [];
      return [...negative, ...positiveQuantity(amount, where)];
    }),
  ];
};

const nodeAffinity: Check = given(
  fields({
    required: requiredPointer(nodeSelector, 'must specify required node constraints'),
  }),
);

function sourceErrors(spec: Json | undefined, at: string): FieldError[] {
  const set = VOLUME_SOURCES.filter((kind) => objectAt(spec)[kind] !== undefined);
  if (set.length === 0) return [requiredAt(at, 'must specify a volume type')];
  const errors = set.flatMap((kind, i) =>
    i === 0
      ? [...(SOURCES[kind]?.(objectAt(spec)[kind], `${at}.${kind}`) ?? [])]
      : [forbiddenAt(`${at}.${kind}`, 'may not specify more than 1 volume type')],
  );
  if (set[0] === 'local' && objectAt(spec)['nodeAffinity'] === undefined) {
    errors.push(requiredAt(`${at}.nodeAffinity`, 'Local volume requires node affinity'));
  }
  return errors;
}

/** core.PersistentVolumeSpec. */
export const volumeSpec: Check = (spec, at) => {
  const path = textAt(spec, 'hostPath', 'path').replace(/\/+$/, '');
  const isRoot = objectAt(spec)['hostPath'] !== undefined && path === '';
  const recycles = textAt(spec, 'persistentVolumeReclaimPolicy') === 'Recycle';
  return [
    ...fields({
      accessModes: accessModes(''),
      capacity: (value, where) => capacity(value ?? emptiedOf(spec)?.['capacity'], where),
      persistentVolumeReclaimPolicy: nonZero(oneOf('Delete', 'Recycle', 'Retain')),
      nodeAffinity,
    })(spec, at),
    ...sourceErrors(spec, at),
    ...(isRoot && recycles
      ? [
          forbiddenAt(
            `${at}.persistentVolumeReclaimPolicy`,
            "may not be 'recycle' for a hostPath mount of '/'",
          ),
        ]
      : []),
    ...fields({ storageClassName: nonZero(text(subdomainProblems)), volumeMode })(spec, at),
  ];
};

/** The provisioner's name may hold capitals. */
const provisioner: Check = required((value, at) => labelKey(String(value).toLowerCase(), at));

const PARAMETERS_MAX = 512;

const topology: Check = (value, at) => {
  const keys = new Set<string>();
  return listAt(value, 'matchLabelExpressions').flatMap((item, i) => {
    const where = `${at}.matchLabelExpressions[${i}]`;
    const key = textAt(item, 'key');
    const values = listAt(item, 'values').map(String);
    const errors: FieldError[] = [];
    if (values.length === 0) errors.push(requiredAt(`${where}.values`));
    for (const [j, one] of values.entries()) {
      if (values.indexOf(one) < j) errors.push(duplicateAt(`${where}.values[${j}]`, one));
    }
    errors.push(...labelKey(key, `${where}.key`));
    if (keys.has(key)) errors.push(duplicateAt(`${where}.key`, key));
    keys.add(key);
    return errors;
  });
};

/** Two equal terms would say nothing more than one. */
const topologies: Check = (value, at) => {
  const listed: readonly Json[] = Array.isArray(value) ? value : [];
  const terms = listed.map((term) => JSON.stringify(term));
  return [
    ...items(topology)(value, at),
    ...terms.flatMap((term, i) =>
      terms.indexOf(term) < i || listAt(listed[i], 'matchLabelExpressions').length === 0
        ? [duplicateAt(`${at}[${i}].matchLabelExpressions`, '')]
        : [],
    ),
  ];
};

/** storage.StorageClass, from its root. */
export const storageClass: Check = fields({
  provisioner,
  parameters: (value, at) => {
    const keys = Object.keys(objectAt(value));
    if (keys.length > PARAMETERS_MAX) {
      return [
        {
          reason: 'FieldValueTooLong',
          field: 'Provisioner Parameters Length',
          detail: `may not be more than ${PARAMETERS_MAX} bytes`,
        },
      ];
    }
    if (!keys.includes('')) return [];
    return [invalidAt(at, '', 'field can not be empty.')];
  },
  reclaimPolicy: nonZero(oneOf('Delete', 'Retain')),
  volumeBindingMode: requiredPointer(oneOf('Immediate', 'WaitForFirstConsumer')),
  allowedTopologies: topologies,
});

/** storage.CSIDriverSpec. */
export const csiDriverSpec: Check = fields({
  attachRequired: requiredPointer(),
  podInfoOnMount: requiredPointer(),
  storageCapacity: requiredPointer(),
  fsGroupPolicy: given(oneOf('File', 'None', 'ReadWriteOnceWithFSType')),
});
