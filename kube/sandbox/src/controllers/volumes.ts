import {
  childDraft,
  cloneJson,
  listAt,
  objectAt,
  type StoreEvent,
  textAt,
  valueAt,
} from '@capstan/kube-apiserver';
import type { KubeObject } from '@capstan/kube-object';
import { type Controller, type Surroundings, splitKey } from '../control-loop.ts';
import { isTerminating } from '../pods.ts';

const CLAIMS = 'v1/persistentvolumeclaims';
const VOLUMES = 'v1/persistentvolumes';
const CLASSES = 'storage.k8s.io/v1/volumeattributesclasses';
const CLASSES_BUCKET = 'storage.k8s.io/volumeattributesclasses';
const PROVISIONER = 'sandbox.capstan.dev/volumes';

/** PersistentVolumeClaims: bound to a volume that is made for them; protected while a pod uses them. */
export const volumeController: Controller = {
  name: 'persistentvolume-controller',
  keysFor(event) {
    if (event.bucket === CLASSES_BUCKET) return event.removed ? [] : [`class|${event.key}`];
    const classes = classesOf(event).map((name) => `class|${name}`);
    if (event.bucket === '/persistentvolumeclaims') return [event.key, ...classes];
    if (event.bucket === '/persistentvolumes') {
      return event.removed ? classes : [`|${event.key}`, ...classes];
    }
    if (event.bucket !== '/pods') return [];
    const namespace = event.object.metadata.namespace ?? '';
    return listAt(event.object, 'spec', 'volumes')
      .map((volume) => textAt(volume, 'persistentVolumeClaim', 'claimName'))
      .filter((name) => name !== '')
      .map((name) => `${namespace}/${name}`);
  },
  reconcile(key, surroundings) {
    if (key.startsWith('class|')) attributesClass(key.slice(6), surroundings);
    else if (key.startsWith('|')) volume(key.slice(1), surroundings);
    else claim(key, surroundings);
  },
};

/** The classes of attributes that a claim or a volume has let go. */
function classesOf({ object, previous, removed }: StoreEvent): string[] {
  const classOf = (one: KubeObject | undefined): string =>
    textAt(one, 'spec', 'volumeAttributesClassName');
  const before = classOf(previous ?? object);
  return before !== '' && (removed || before !== classOf(object)) ? [before] : [];
}

/** A class of attributes stays while a claim or a volume names it. */
function attributesClass(name: string, { client }: Surroundings): void {
  const found = client.get(CLASSES, '', name);
  if (found === undefined || !isTerminating(found)) return;
  const isNamed = [CLAIMS, VOLUMES].some((path) =>
    client.list(path).some((one) => textAt(one, 'spec', 'volumeAttributesClassName') === name),
  );
  if (!isNamed) dropFinalizer(CLASSES, found, 'kubernetes.io/vac-protection', client);
}

function claim(key: string, surroundings: Surroundings): void {
  const { client } = surroundings;
  const found = client.get(CLAIMS, ...splitKey(key));
  if (found === undefined) return;
  if (isTerminating(found)) {
    if (isUsed(found, client)) return;
    dropFinalizer(CLAIMS, found, 'kubernetes.io/pvc-protection', client);
    return;
  }
  if (textAt(found, 'status', 'phase') === 'Bound') return;
  bind(found, surroundings);
}

function isUsed(found: KubeObject, client: Surroundings['client']): boolean {
  return client
    .list('v1/pods', found.metadata.namespace ?? '')
    .some((pod) =>
      listAt(pod, 'spec', 'volumes').some(
        (item) => textAt(item, 'persistentVolumeClaim', 'claimName') === found.metadata.name,
      ),
    );
}

function dropFinalizer(
  path: string,
  object: KubeObject,
  finalizer: string,
  client: Surroundings['client'],
): void {
  const finalizers = object.metadata.finalizers ?? [];
  if (!finalizers.includes(finalizer)) return;
  const draft = cloneJson(object);
  childDraft(draft, 'metadata')['finalizers'] = finalizers.filter((name) => name !== finalizer);
  client.update(path, draft);
}

function bind(found: KubeObject, surroundings: Surroundings): void {
  const { client, record } = surroundings;
  const wantedName = textAt(found, 'spec', 'volumeName');
  const storageClass = textAt(found, 'spec', 'storageClassName');
  const volumes = client.list(VOLUMES);
  const fits = (volume: KubeObject): boolean =>
    textAt(volume, 'status', 'phase') !== 'Bound' &&
    valueAt(volume, 'spec', 'claimRef', 'uid') === undefined &&
    textAt(volume, 'spec', 'storageClassName') === storageClass;
  const chosen =
    wantedName === ''
      ? volumes.find(fits)
      : volumes.find((item) => item.metadata.name === wantedName);
  const provisioned = client.get('storage.k8s.io/v1/storageclasses', '', storageClass);
  if (chosen === undefined && (provisioned === undefined || wantedName !== '')) {
    record(
      found,
      'Normal',
      'FailedBinding',
      'no persistent volumes available for this claim and no storage class is set',
    );
    return;
  }
  const target = chosen ?? provision(found, storageClass, provisioned, client);
  const claimRef = {
    kind: 'PersistentVolumeClaim',
    namespace: found.metadata.namespace ?? '',
    name: found.metadata.name ?? '',
    uid: found.metadata.uid ?? '',
    apiVersion: 'v1',
    resourceVersion: found.metadata.resourceVersion ?? '',
  };
  const volumeDraft = cloneJson(target);
  childDraft(volumeDraft, 'spec')['claimRef'] = claimRef;
  const held = client.update(VOLUMES, volumeDraft);
  client.updateStatus(VOLUMES, {
    ...cloneJson(held),
    status: { ...cloneJson(objectAt(held, 'status')), phase: 'Bound' },
  });
  const draft = cloneJson(found);
  childDraft(draft, 'spec')['volumeName'] = target.metadata.name ?? '';
  const annotations = childDraft(childDraft(draft, 'metadata'), 'annotations');
  annotations['pv.kubernetes.io/bind-completed'] = 'yes';
  annotations['pv.kubernetes.io/bound-by-controller'] = 'yes';
  const bound = client.update(CLAIMS, draft);
  client.updateStatus(CLAIMS, {
    ...cloneJson(bound),
    status: {
      phase: 'Bound',
      accessModes: cloneJson([...listAt(found, 'spec', 'accessModes')]),
      capacity: cloneJson(objectAt(target, 'spec', 'capacity')),
    },
  });
}

function provision(
  found: KubeObject,
  storageClass: string,
  provisioned: KubeObject | undefined,
  client: Surroundings['client'],
): KubeObject {
  return client.create(VOLUMES, {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: `pvc-${found.metadata.uid}`,
      annotations: { 'pv.kubernetes.io/provisioned-by': PROVISIONER },
    },
    spec: {
      capacity: cloneJson(objectAt(found, 'spec', 'resources', 'requests')),
      accessModes: cloneJson([...listAt(found, 'spec', 'accessModes')]),
      persistentVolumeReclaimPolicy: textAt(provisioned, 'reclaimPolicy') || 'Delete',
      storageClassName: storageClass,
      volumeMode: textAt(found, 'spec', 'volumeMode') || 'Filesystem',
      csi: { driver: PROVISIONER.replace('/', '.'), volumeHandle: found.metadata.uid ?? '' },
    },
  });
}

function volume(name: string, { client }: Surroundings): void {
  const found = client.get(VOLUMES, '', name);
  if (found === undefined) return;
  const reference = objectAt(found, 'spec', 'claimRef');
  const held =
    reference['uid'] !== undefined &&
    client.get(CLAIMS, textAt(reference, 'namespace'), textAt(reference, 'name'))?.metadata.uid ===
      reference['uid'];
  if (held) return;
  if (isTerminating(found)) {
    dropFinalizer(VOLUMES, found, 'kubernetes.io/pv-protection', client);
    return;
  }
  if (reference['uid'] === undefined) {
    setPhase(found, 'Available', client);
    return;
  }
  if (textAt(found, 'spec', 'persistentVolumeReclaimPolicy') === 'Delete') {
    client.remove(VOLUMES, '', name);
  } else setPhase(found, 'Released', client);
}

function setPhase(found: KubeObject, phase: string, client: Surroundings['client']): void {
  if (textAt(found, 'status', 'phase') === phase) return;
  const status = { ...cloneJson(objectAt(found, 'status')), phase };
  client.updateStatus(VOLUMES, { ...cloneJson(found), status });
}
