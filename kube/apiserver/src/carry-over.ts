import type { KubeObject, ObjectMeta } from '@capstan/kube-object';
import { childDraft, type DraftObject, equalJson, objectAt } from './json.ts';
import type { ServedResource } from './served-resource.ts';

const SYSTEM_METADATA: readonly (keyof ObjectMeta)[] = [
  'uid',
  'creationTimestamp',
  'generation',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
];

/** What a writer cannot change comes from the stored object. */
export function carryOver(
  draft: DraftObject,
  old: KubeObject,
  resource: ServedResource,
  subresource: string | undefined,
): void {
  const metadata = childDraft(draft, 'metadata');
  for (const key of SYSTEM_METADATA) {
    const value = old.metadata[key];
    if (value === undefined) delete metadata[key];
    else metadata[key] = value as string;
  }
  delete metadata['selfLink'];
  metadata['resourceVersion'] = old.metadata.resourceVersion ?? '';
  if (writesStatus(subresource)) {
    carryAllButStatus(draft, old, resource);
  } else if (resource.strategy.hasStatus === true) {
    if (old['status'] === undefined) delete draft['status'];
    else draft['status'] = old['status'] as DraftObject;
  }
}

/** Subresources that write the status; the others (scale, resize) write the spec. */
const STATUS_PARTS: ReadonlySet<string> = new Set(['status', 'approval']);

export function writesStatus(subresource: string | undefined): boolean {
  return STATUS_PARTS.has(subresource ?? '');
}

/** Kinds whose status writes may change labels, annotations and finalizers too. */
const STATUS_WITH_METADATA: ReadonlySet<string> = new Set([
  '/pods',
  '/nodes',
  '/namespaces',
  '/services',
  '/persistentvolumes',
  '/persistentvolumeclaims',
  '/resourcequotas',
  'certificates.k8s.io/certificatesigningrequests',
  'policy/poddisruptionbudgets',
  'autoscaling/horizontalpodautoscalers',
  'batch/jobs',
  'batch/cronjobs',
  'networking.k8s.io/ingresses',
  'apps/statefulsets',
  'apps/daemonsets',
  'apps/replicasets',
  '/replicationcontrollers',
]);

function carryAllButStatus(draft: DraftObject, old: KubeObject, resource: ServedResource): void {
  const status = draft['status'];
  const managed = childDraft(draft, 'metadata')['managedFields'];
  for (const key of Object.keys(draft)) {
    if (key !== 'status' && key !== 'metadata') delete draft[key];
  }
  for (const key of Object.keys(old)) {
    if (key !== 'status' && key !== 'metadata') draft[key] = old[key] as DraftObject;
  }
  if (status === undefined) delete draft['status'];
  if (!STATUS_WITH_METADATA.has(resource.bucket)) {
    const annotations = childDraft(draft, 'metadata')['annotations'];
    draft['metadata'] = { ...old.metadata } as unknown as DraftObject;
    const metadata = childDraft(draft, 'metadata');
    // Deployments are the odd ones: their labels stay, their annotations (the revision) follow.
    if (resource.bucket === 'apps/deployments') {
      if (annotations === undefined) delete metadata['annotations'];
      else metadata['annotations'] = annotations;
    }
  }
  const metadata = childDraft(draft, 'metadata');
  if (managed === undefined) delete metadata['managedFields'];
  else metadata['managedFields'] = managed;
}

/** A change of what counts for it is a new generation. */
export function raiseGeneration(
  draft: DraftObject,
  old: KubeObject,
  resource: ServedResource,
): void {
  if (resource.strategy.hasGeneration !== true) return;
  if (resource.strategy.generationCovers === 'nothing') return;
  const withStatus = resource.custom !== undefined && !resource.custom.hasStatus;
  const rest = (object: DraftObject | KubeObject): DraftObject => {
    const { metadata, status, ...others } = object as DraftObject;
    const covered = resource.strategy.generationCovers;
    if (covered === 'labels' || covered === 'annotations') {
      others['metadata'] = { [covered]: objectAt(metadata)[covered] } as DraftObject;
    }
    return withStatus && status !== undefined ? { ...others, status } : others;
  };
  if (equalJson(rest(draft), rest(old))) return;
  childDraft(draft, 'metadata')['generation'] = (old.metadata.generation ?? 0) + 1;
}
