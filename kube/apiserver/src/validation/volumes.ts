import {
  dnsLabelProblems,
  type FieldError,
  type Json,
  subdomainProblems,
} from '@capstan/kube-object';
import { listAt, objectAt, textAt } from '../json.ts';
import {
  all,
  between,
  type Check,
  duplicateAt,
  fields,
  forbiddenAt,
  given,
  invalidAt,
  isZero,
  items,
  nonZero,
  oneOf,
  required,
  requiredAt,
  requiredPointer,
  text,
} from './checks.ts';
import { claimSpec } from './claims.ts';
import {
  ABSOLUTE,
  descendingPath,
  fileMode,
  localPath,
  quantityOf,
  templateMetadata,
  withoutBacksteps,
} from './common.ts';
import { objectField, resourceField } from './downward.ts';

const keyToPath = fields({
  key: required(),
  path: all(required(), localPath),
  mode: fileMode,
});

/** The server names a downward file by its volume, without the index. */
function downwardFileErrors(file: Json, at: string): FieldError[] {
  const { fieldRef, resourceFieldRef, path, mode } = objectAt(file);
  const errors = [...required()(path, `${at}.path`), ...localPath(path, `${at}.path`)];
  if (fieldRef !== undefined) {
    errors.push(...objectField('file')(fieldRef, `${at}.fieldRef`));
    if (resourceFieldRef !== undefined) {
      const detail = 'fieldRef and resourceFieldRef can not be specified simultaneously';
      errors.push(invalidAt(at, 'resource', detail));
    }
  } else if (resourceFieldRef !== undefined) {
    errors.push(...resourceField('file')(resourceFieldRef, `${at}.resourceFieldRef`));
  } else errors.push(requiredAt(at, 'one of fieldRef and resourceFieldRef is required'));
  return [...errors, ...fileMode(mode, `${at}.mode`)];
}

const downwardApi: Check = (value, at) => [
  ...fileMode(objectAt(value)['defaultMode'], `${at}.defaultMode`),
  ...listAt(value, 'items').flatMap((file) => downwardFileErrors(file, at)),
];

const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;

const tokenSeconds: Check = (value, at) => {
  const seconds = Number(value ?? 0);
  if (seconds < TOKEN_SECONDS_MIN) {
    return [invalidAt(at, seconds, 'may not specify a duration less than 10 minutes')];
  }
  if (seconds <= TOKEN_SECONDS_MAX) return [];
  return [invalidAt(at, seconds, 'may not specify a duration larger than 2^32 seconds')];
};

const PROJECTIONS = [
  'secret',
  'configMap',
  'downwardAPI',
  'serviceAccountToken',
  'clusterTrustBundle',
];

const projected: Check = (value, at) => {
  const paths = new Set<string>();
  const claim = (path: string, shown: string): FieldError[] => {
    if (path === '') return [];
    if (paths.has(path)) return [invalidAt(at, shown, 'conflicting duplicate paths')];
    paths.add(path);
    return [];
  };
  const errors = [...fileMode(objectAt(value)['defaultMode'], `${at}.defaultMode`)];
  for (const [i, source] of listAt(value, 'sources').entries()) {
    const where = `${at}.sources[${i}]`;
    for (const kind of ['secret', 'configMap']) {
      const projection = objectAt(source)[kind];
      if (projection === undefined) continue;
      const name = textAt(projection, 'name');
      if (name === '') errors.push(requiredAt(`${where}.${kind}.name`));
      for (const [j, item] of listAt(projection, 'items').entries()) {
        errors.push(...keyToPath(item, `${where}.${kind}.items[${j}]`));
        errors.push(...claim(textAt(item, 'path'), name));
      }
    }
    for (const file of listAt(source, 'downwardAPI', 'items')) {
      errors.push(...downwardFileErrors(file, `${where}.downwardAPI`));
      errors.push(...claim(textAt(file, 'path'), textAt(file, 'path')));
    }
    errors.push(...tokenErrors(source, at, where));
    if (PROJECTIONS.filter((kind) => objectAt(source)[kind] !== undefined).length > 1) {
      errors.push(forbiddenAt(where, 'may not specify more than 1 volume type per source'));
    }
  }
  return errors;
};

function tokenErrors(source: Json, at: string, where: string): readonly FieldError[] {
  const token = objectAt(source)['serviceAccountToken'];
  if (token === undefined) return [];
  const { expirationSeconds, path } = objectAt(token);
  return [
    ...tokenSeconds(expirationSeconds, `${where}.serviceAccountToken.expirationSeconds`),
    ...required(localPath)(path, `${at}.path`),
  ];
}

export const lun = between(0, 255);
const PARTITION: Check = (value, at) => {
  const number = Number(value ?? 0);
  return number >= 0 && number <= 255
    ? []
    : [invalidAt(at, number, 'must be between 1 and 255, inclusive')];
};

const IQN = /iqn\.\d{4}-\d{2}\.([A-Za-z0-9\-.]+)(:[^,;*&$|\s]+)$/;
const EUI = /^eui.[A-Za-z0-9]{16}$/;
const NAA = /^naa.[A-Za-z0-9]{32}$/;

/** An iSCSI name; the server's words differ between pods and persistent volumes. */
export function iscsiName(unknown: string): Check {
  return (value, at) => {
    const name = String(value ?? '');
    const pattern = { iqn: IQN, eui: EUI, naa: NAA }[name.slice(0, 3)];
    if (pattern === undefined) return [invalidAt(at, name, unknown)];
    return pattern.test(name) ? [] : [invalidAt(at, name, 'must be valid format')];
  };
}

export const fibreChannel: Check = (value, at) => {
  const { targetWWNs, wwids, lun: given } = objectAt(value);
  const errors: FieldError[] = [];
  if (isZero(targetWWNs) && isZero(wwids)) {
    const detail = 'must specify either targetWWNs or wwids, but not both';
    errors.push(requiredAt(`${at}.targetWWNs`, detail));
  }
  if (isZero(targetWWNs)) return errors;
  if (!isZero(wwids)) {
    const detail = 'targetWWNs and wwids can not be specified simultaneously';
    errors.push(invalidAt(`${at}.targetWWNs`, targetWWNs, detail));
  }
  return [
    ...errors,
    ...(given === undefined
      ? [requiredAt(`${at}.lun`, 'lun is required if targetWWNs is specified')]
      : lun(given, `${at}.lun`)),
  ];
};

/** The length limit is not told for longer ones only: both problems are. */
export const csiDriverName: Check = required((value, at) => {
  const name = String(value);
  return [
    ...(name.length > 63
      ? [
          {
            reason: 'FieldValueTooLong',
            field: at,
            detail: 'may not be more than 63 bytes',
          } as const,
        ]
      : []),
    ...subdomainProblems(name.toLowerCase()).map((detail) => invalidAt(at, name, detail)),
  ];
});

export const nfs = fields({
  server: required(),
  path: all(required(), (value, at) =>
    ABSOLUTE.test(String(value ?? ''))
      ? []
      : [invalidAt(at, value ?? '', 'must be an absolute path')],
  ),
});

export const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
] as const;

export const hostPath: Check = (value, at) => {
  const { path, type } = objectAt(value);
  if (isZero(path)) return [requiredAt(`${at}.path`)];
  return [
    ...withoutBacksteps(path, `${at}.path`),
    ...given(oneOf(...HOST_PATH_TYPES))(type, `${at}.type`),
  ];
};

const emptyDir: Check = (value, at) =>
  quantityOf(objectAt(value)['sizeLimit']).nanos < 0n
    ? [forbiddenAt(`${at}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
    : [];

const keyed = { defaultMode: fileMode, items: items(keyToPath) };

/** Every source of a volume, in the order of the server's checks. */
const SOURCES: Readonly<Record<string, Check>> = {
  emptyDir,
  hostPath,
  gitRepo: fields({ repository: required(), directory: descendingPath }),
  gcePersistentDisk: fields({ pdName: required(), partition: PARTITION }),
  awsElasticBlockStore: fields({ volumeID: required(), partition: PARTITION }),
  secret: fields({ secretName: required(), ...keyed }),
  nfs,
  iscsi: fields({
    targetPortal: required(),
    iqn: required(iscsiName('must be valid format starting with iqn, eui, or naa')),
    lun,
  }),
  glusterfs: fields({ endpoints: required(), path: required() }),
  flocker: () => [],
  persistentVolumeClaim: fields({ claimName: required() }),
  rbd: fields({ monitors: required(), image: required() }),
  cinder: fields({ volumeID: required() }),
  cephfs: fields({ monitors: required() }),
  quobyte: fields({ registry: required(), volume: required() }),
  downwardAPI: downwardApi,
  fc: fibreChannel,
  flexVolume: fields({ driver: required() }),
  configMap: fields({ name: required(), ...keyed }),
  azureFile: fields({ secretName: required(), shareName: required() }),
  vsphereVolume: fields({ volumePath: required() }),
  photonPersistentDisk: fields({ pdID: required() }),
  portworxVolume: fields({ volumeID: required() }),
  azureDisk: fields({ diskName: required(), diskURI: required() }),
  storageos: () => [],
  projected,
  scaleIO: fields({ gateway: required(), system: required(), volumeName: required() }),
  csi: fields({
    driver: csiDriverName,
    nodePublishSecretRef: given(fields({ name: required(text(subdomainProblems)) })),
  }),
  ephemeral: fields({
    volumeClaimTemplate: requiredPointer(fields({ metadata: templateMetadata, spec: claimSpec() })),
  }),
  image: fields({
    reference: required(),
    pullPolicy: nonZero(oneOf('Always', 'IfNotPresent', 'Never')),
  }),
};

function sourceErrors(volume: Json, at: string): readonly FieldError[] {
  const set = Object.keys(SOURCES).filter((kind) => objectAt(volume)[kind] !== undefined);
  if (set.length === 0) return [requiredAt(at, 'must specify a volume type')];
  return set.flatMap((kind, i) =>
    i === 0
      ? (SOURCES[kind]?.(objectAt(volume)[kind], `${at}.${kind}`) ?? [])
      : [forbiddenAt(`${at}.${kind}`, 'may not specify more than 1 volume type')],
  );
}

/** An ephemeral volume's claim is named by the pod and the volume. */
function claimNameErrors(volume: Json, podName: string, at: string): FieldError[] {
  if (podName === '' || objectAt(volume)['ephemeral'] === undefined) return [];
  const name = textAt(volume, 'name');
  if (name === '') return [];
  const claim = `${podName}-${name}`;
  return subdomainProblems(claim).map((problem) =>
    invalidAt(`${at}.name`, name, `PVC name "${claim}": ${problem}`),
  );
}

export interface CheckedVolumes {
  readonly errors: readonly FieldError[];
  /** The names of the valid ones: the only ones that a container may mount. */
  readonly valid: ReadonlyMap<string, { readonly isClaim: boolean }>;
}

export function checkVolumes(spec: Json | undefined, at: string, podName: string): CheckedVolumes {
  const volumes = listAt(spec, 'volumes');
  const made = new Set(
    volumes
      .filter((volume) => podName !== '' && objectAt(volume)['ephemeral'] !== undefined)
      .map((volume) => `${podName}-${textAt(volume, 'name')}`),
  );
  const valid = new Map<string, { readonly isClaim: boolean }>();
  const errors = volumes.flatMap((volume, i) => {
    const where = `${at}[${i}]`;
    const name = textAt(volume, 'name');
    const found = [
      ...sourceErrors(volume, where),
      ...claimNameErrors(volume, podName, where),
      ...required(text(dnsLabelProblems))(name, `${where}.name`),
      ...(valid.has(name) ? [duplicateAt(`${where}.name`, name)] : []),
    ];
    const { persistentVolumeClaim, ephemeral } = objectAt(volume);
    if (found.length === 0) {
      valid.set(name, { isClaim: persistentVolumeClaim !== undefined || ephemeral !== undefined });
    }
    const claim = textAt(persistentVolumeClaim, 'claimName');
    if (made.has(claim)) {
      const detail = 'must not reference a PVC that gets created for an ephemeral volume';
      found.push(invalidAt(`${where}.persistentVolumeClaim.claimName`, claim, detail));
    }
    return found;
  });
  return { errors, valid };
}
