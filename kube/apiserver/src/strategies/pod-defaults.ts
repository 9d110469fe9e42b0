import {
  childDraft,
  type DraftObject,
  draftList,
  draftObjects,
  equalJson,
  isDraftObject,
  objectAt,
  setDefault,
  textAt,
} from '../json.ts';

/** Defaults of a pod template's spec, as k8s.io/kubernetes/pkg/apis/core/v1/defaults.go (1.36). */
export function defaultPodSpec(spec: DraftObject): void {
  setDefault(spec, 'restartPolicy', 'Always');
  setDefault(spec, 'dnsPolicy', 'ClusterFirst');
  setDefault(spec, 'schedulerName', 'default-scheduler');
  setDefault(spec, 'terminationGracePeriodSeconds', 30);
  setDefault(spec, 'securityContext', {});
  // Both names of the one field are always shown.
  const account = textAt(spec, 'serviceAccountName') || textAt(spec, 'serviceAccount');
  if (account !== '') {
    spec['serviceAccountName'] = account;
    spec['serviceAccount'] = account;
  }
  for (const key of ['initContainers', 'containers', 'ephemeralContainers']) {
    for (const container of draftObjects(spec, key)) defaultContainer(container);
  }
  for (const volume of draftObjects(spec, 'volumes')) defaultVolume(volume);
  if (spec['hostNetwork'] === true) {
    for (const container of [
      ...draftObjects(spec, 'containers'),
      ...draftObjects(spec, 'initContainers'),
    ]) {
      for (const port of draftObjects(container, 'ports')) {
        if (port['containerPort'] !== undefined)
          setDefault(port, 'hostPort', port['containerPort']);
      }
    }
  }
}

export function defaultPodTemplate(owner: DraftObject): void {
  const template = childDraft(owner, 'template');
  childDraft(template, 'metadata');
  defaultPodSpec(childDraft(template, 'spec'));
}

function defaultContainer(container: DraftObject): void {
  setDefault(container, 'terminationMessagePath', '/dev/termination-log');
  setDefault(container, 'terminationMessagePolicy', 'File');
  setDefault(container, 'resources', {});
  defaultPull(container, 'imagePullPolicy', textAt(container, 'image'));
  for (const port of draftObjects(container, 'ports')) setDefault(port, 'protocol', 'TCP');
  for (const env of draftObjects(container, 'env')) {
    const from = env['valueFrom'];
    if (isDraftObject(from) && isDraftObject(from['fieldRef'])) {
      setDefault(from['fieldRef'], 'apiVersion', 'v1');
    }
    if (isDraftObject(from) && isDraftObject(from['resourceFieldRef'])) {
      setDefault(from['resourceFieldRef'], 'divisor', '0');
    }
  }
  for (const key of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const probe = container[key];
    if (isDraftObject(probe)) defaultProbe(probe);
  }
  const lifecycle = container['lifecycle'];
  if (isDraftObject(lifecycle)) {
    for (const hook of [lifecycle['postStart'], lifecycle['preStop']]) {
      if (isDraftObject(hook)) defaultHttpGet(hook);
    }
  }
}

/** A missing request for a resource that has a limit is the limit: in pods, not in templates. */
export function requestsFromLimits(resources: DraftObject): void {
  const limits = resources['limits'];
  if (!isDraftObject(limits)) return;
  for (const [name, limit] of Object.entries(limits)) {
    if (limit !== undefined) setDefault(childDraft(resources, 'requests'), name, limit);
  }
}

function defaultPull(object: DraftObject, key: string, image: string): void {
  setDefault(object, key, isLatest(image) ? 'Always' : 'IfNotPresent');
}

/** `latest` is the tag of an image without tag and digest. */
function isLatest(image: string): boolean {
  if (image === '' || image.includes('@')) return false;
  const last = image.slice(image.lastIndexOf('/') + 1);
  const colon = last.indexOf(':');
  return colon < 0 || last.slice(colon + 1) === 'latest';
}

function defaultProbe(probe: DraftObject): void {
  setDefault(probe, 'timeoutSeconds', 1);
  setDefault(probe, 'periodSeconds', 10);
  setDefault(probe, 'successThreshold', 1);
  setDefault(probe, 'failureThreshold', 3);
  defaultHttpGet(probe);
  const grpc = probe['grpc'];
  if (isDraftObject(grpc)) setDefault(grpc, 'service', '');
}

function defaultHttpGet(handler: DraftObject): void {
  const get = handler['httpGet'];
  if (!isDraftObject(get)) return;
  if (textAt(get, 'path') === '') get['path'] = '/';
  setDefault(get, 'scheme', 'HTTP');
}

const FILE_MODE = 0o644;

/** Defaults of sources that volumes of pods and persistent volumes share. */
export function defaultSource(volume: DraftObject): void {
  for (const [key, defaults] of Object.entries(SOURCE_DEFAULTS)) {
    const source = volume[key];
    if (!isDraftObject(source)) continue;
    for (const [field, value] of Object.entries(defaults)) setDefault(source, field, value);
  }
  const { image } = volume;
  if (isDraftObject(image)) defaultPull(image, 'pullPolicy', textAt(image, 'reference'));
}

const SOURCE_DEFAULTS: Readonly<Record<string, Readonly<Record<string, string | boolean>>>> = {
  hostPath: { type: '' },
  iscsi: { iscsiInterface: 'default' },
  rbd: { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' },
  azureDisk: { cachingMode: 'ReadWrite', kind: 'Shared', fsType: 'ext4', readOnly: false },
  scaleIO: { storageMode: 'ThinProvisioned', fsType: 'xfs' },
};

/** Projections behind features that are off unless one turns them on: dropped, as the server does. */
const SOURCES_THAT_ARE_OFF = ['clusterTrustBundle', 'podCertificate'];

function defaultVolume(volume: DraftObject): void {
  if (Object.keys(volume).every((key) => key === 'name')) volume['emptyDir'] = {};
  for (const key of ['secret', 'configMap', 'downwardAPI', 'projected']) {
    const source = volume[key];
    if (!isDraftObject(source)) continue;
    setDefault(source, 'defaultMode', FILE_MODE);
    defaultDownward(source);
    for (const projection of draftObjects(source, 'sources')) {
      for (const feature of SOURCES_THAT_ARE_OFF) delete projection[feature];
      const token = projection['serviceAccountToken'];
      if (isDraftObject(token)) setDefault(token, 'expirationSeconds', 3600);
      const downward = projection['downwardAPI'];
      if (isDraftObject(downward)) defaultDownward(downward);
    }
  }
  defaultSource(volume);
  const ephemeral = volume['ephemeral'];
  if (isDraftObject(ephemeral)) {
    const template = ephemeral['volumeClaimTemplate'];
    if (!isDraftObject(template)) return;
    childDraft(template, 'metadata');
    setDefault(childDraft(template, 'spec'), 'volumeMode', 'Filesystem');
  }
}

function defaultDownward(source: DraftObject): void {
  for (const item of draftList(source, 'items')) {
    if (isDraftObject(item) && isDraftObject(item['fieldRef'])) {
      setDefault(item['fieldRef'], 'apiVersion', 'v1');
    }
  }
}

/** What a pod is promised, from the requests and limits of its containers. */
export function qosClass(spec: DraftObject): string {
  const containers = [...draftObjects(spec, 'containers'), ...draftObjects(spec, 'initContainers')];
  let any = false;
  let guaranteed = true;
  for (const container of containers) {
    const requests = objectAt(container, 'resources', 'requests');
    const limits = objectAt(container, 'resources', 'limits');
    if (Object.keys(requests).length > 0 || Object.keys(limits).length > 0) any = true;
    for (const name of ['cpu', 'memory']) {
      if (limits[name] === undefined || !equalJson(limits[name], requests[name]))
        guaranteed = false;
    }
  }
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
