import { ANNOTATION } from '@capstan/argocd-api';
import { type KubeObject, keyOf } from '@capstan/kube-object';
import type { Settings } from './settings.ts';
import { ownerName } from './to-delivery.ts';

export type TrackingSettings = Pick<
  Settings,
  'trackingMethod' | 'instanceLabelKey' | 'installationId'
>;

const BY_ANNOTATION: TrackingSettings = {
  trackingMethod: 'annotation',
  instanceLabelKey: 'app.kubernetes.io/instance',
  installationId: '',
};

/**
 * Reads whose an object is from its tracking annotation, or its label where the administrator wants that: for the live
 * cache's owner index. What another installation tracks by its annotation is nobody's here, nor is what a controller made of an
 * application's object with a copy of its annotations, as a ReplicaSet is of a Deployment.
 */
export function applicationOwners(
  controlNamespace: string,
  settings: () => TrackingSettings = () => BY_ANNOTATION,
): (object: KubeObject) => readonly string[] {
  return (object) => {
    const { metadata } = object;
    const { trackingMethod, instanceLabelKey, installationId } = settings();
    const isForeign =
      installationId !== '' && metadata.annotations?.[ANNOTATION.installationId] !== installationId;
    if (isForeign && trackingMethod !== 'label') return [];
    const instance =
      trackingMethod === 'label' ? metadata.labels?.[instanceLabelKey] : instanceOf(object);
    if (instance === undefined || instance === '') return [];
    const underscore = instance.indexOf('_');
    // Names of objects hold no underscore: one separates the namespace.
    const [namespace, name] =
      underscore < 0
        ? [controlNamespace, instance]
        : [instance.slice(0, underscore), instance.slice(underscore + 1)];
    return [ownerName(namespace, name)];
  };
}

/** `name:group/kind:namespace/name` */
function instanceOf(object: KubeObject): string | undefined {
  const { annotations, ownerReferences = [] } = object.metadata;
  const text = annotations?.[ANNOTATION.trackingId];
  const colon = text?.indexOf(':') ?? -1;
  if (text === undefined || colon <= 0) return undefined;
  const { group, kind, name } = keyOf(object);
  const isCopy = !text.startsWith(`:${group}/${kind}:`, colon) || !text.endsWith(`/${name}`);
  return isCopy && ownerReferences.length > 0 ? undefined : text.slice(0, colon);
}
