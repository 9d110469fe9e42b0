import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { SAMPLES } from '../apiserver/scripts/samples.ts';
import { RICH } from '../apiserver/validation/rich-samples.ts';
import { type DiffCase, of } from './cases.ts';
import { CUSTOM, definitions } from './custom-cases.ts';
import { RARE } from './rare-cases.ts';
import { SPELLED } from './spelled-cases.ts';

export interface PlacedCase extends DiffCase {
  readonly namespace?: string;
  /** Why schema and objects alone cannot tell that nothing differs: the server's dry run does. */
  readonly needsAnswer?: string;
}

const CLUSTER_SCOPED = new Set([
  'Namespace',
  'Node',
  'PersistentVolume',
  'ClusterRole',
  'ClusterRoleBinding',
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'StorageClass',
  'CSIDriver',
  'PriorityClass',
  'IngressClass',
  'RuntimeClass',
  'APIService',
  'FlowSchema',
  'PriorityLevelConfiguration',
  'CustomResourceDefinition',
  'CertificateSigningRequest',
  'IPAddress',
  'ServiceCIDR',
  'CSINode',
  'VolumeAttachment',
  'VolumeAttributesClass',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'DeviceClass',
  'ResourceSlice',
]);

/** By name: why schema and objects alone cannot tell that nothing differs, so that the server's dry run is asked. */
const NEEDS_ANSWER: Readonly<Record<string, string>> = {
  'rich pod': 'admission adds tolerations to an atomic list',
  'rich volumes': 'a feature that is off drops a field',
  'small limitrange': 'defaults are derived from the maximum',
  'limit range with odd quantities': 'defaults are derived from the maximum',
};

/** Definitions first, then every kind small, rich, as users spell it, and custom ones; each in a namespace of its own. */
export function allCases(): readonly PlacedCase[] {
  const built = [
    ...Object.entries(SAMPLES).map(([name, sample]) => fromSample(`small ${name}`, sample)),
    ...Object.entries(RICH)
      // The node controllers write taints of their own into an atomic list; nobody keeps nodes in Git.
      .filter(([name]) => name !== 'node')
      .map(([name, sample]) => fromSample(`rich ${name}`, sample)),
  ];
  const defined = definitions().map((object) => ({
    name: `definition of ${object.metadata.name}`,
    object,
  }));
  return [...defined, ...built, ...SPELLED, ...RARE, ...CUSTOM].map(place);
}

function fromSample(name: string, { object }: { readonly object: object }): DiffCase {
  const { apiVersion, kind, ...rest } = object as KubeObject;
  return { name, object: of(apiVersion, kind, rest) };
}

function place(found: DiffCase): PlacedCase {
  const slug = found.name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 50);
  const namespace = CLUSTER_SCOPED.has(found.object.kind) ? undefined : slug;
  const text = JSON.stringify(found.object).replaceAll(
    '"NS"',
    JSON.stringify(namespace ?? 'default'),
  );
  const object = JSON.parse(text) as KubeObject;
  const metadata = {
    ...object.metadata,
    name: nameOf(object, slug),
    ...(namespace === undefined ? {} : { namespace }),
    labels: { ...object.metadata.labels, checked: 'yes' },
  };
  const needsAnswer = NEEDS_ANSWER[found.name];
  return {
    ...found,
    object: { ...object, metadata },
    ...(namespace === undefined ? {} : { namespace }),
    ...(needsAnswer === undefined ? {} : { needsAnswer }),
  };
}

/** Some kinds' names say what they are. */
function nameOf(object: KubeObject, slug: string): string {
  const spec = object['spec'] as JsonObject | undefined;
  if (object.kind === 'CustomResourceDefinition') return object.metadata.name ?? slug;
  if (object.kind === 'IPAddress') return slug.replaceAll('-', '.');
  if (object.kind === 'APIService')
    return `${String(spec?.['version'])}.${String(spec?.['group'])}`;
  return slug;
}
