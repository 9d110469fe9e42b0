/** What a cluster offers, as charts ask for it. */
export interface Capabilities {
  /** `v1.37.0`, or with the provider's suffix as the cluster says it: `v1.33.4-gke.12`. */
  readonly kubeVersion: string;
  /** `apps/v1`, and `apps/v1/Deployment` where the cluster was asked for its kinds. */
  readonly apiVersions: readonly string[];
  readonly helmVersion: string;
}

/** Which major version of Helm is followed where the two differ. */
export type HelmFlavor = 4 | 3;

/** The API versions that helm knows without a cluster: those of the Kubernetes client it is built with. */
const KNOWN_API_VERSIONS: readonly string[] = [
  'v1',
  'admissionregistration.k8s.io/v1',
  'admissionregistration.k8s.io/v1alpha1',
  'admissionregistration.k8s.io/v1beta1',
  'internal.apiserver.k8s.io/v1alpha1',
  'apps/v1',
  'apps/v1beta1',
  'apps/v1beta2',
  'authentication.k8s.io/v1',
  'authentication.k8s.io/v1alpha1',
  'authentication.k8s.io/v1beta1',
  'authorization.k8s.io/v1',
  'authorization.k8s.io/v1beta1',
  'autoscaling/v1',
  'autoscaling/v2',
  'batch/v1',
  'batch/v1beta1',
  'certificates.k8s.io/v1',
  'certificates.k8s.io/v1beta1',
  'certificates.k8s.io/v1alpha1',
  'coordination.k8s.io/v1alpha2',
  'coordination.k8s.io/v1beta1',
  'coordination.k8s.io/v1',
  'discovery.k8s.io/v1',
  'discovery.k8s.io/v1beta1',
  'events.k8s.io/v1',
  'events.k8s.io/v1beta1',
  'extensions/v1beta1',
  'flowcontrol.apiserver.k8s.io/v1',
  'flowcontrol.apiserver.k8s.io/v1beta1',
  'flowcontrol.apiserver.k8s.io/v1beta2',
  'flowcontrol.apiserver.k8s.io/v1beta3',
  'lifecycle.k8s.io/v1alpha1',
  'networking.k8s.io/v1',
  'networking.k8s.io/v1beta1',
  'node.k8s.io/v1',
  'node.k8s.io/v1alpha1',
  'node.k8s.io/v1beta1',
  'policy/v1',
  'policy/v1beta1',
  'rbac.authorization.k8s.io/v1',
  'rbac.authorization.k8s.io/v1beta1',
  'rbac.authorization.k8s.io/v1alpha1',
  'resource.k8s.io/v1',
  'resource.k8s.io/v1beta2',
  'resource.k8s.io/v1beta1',
  'resource.k8s.io/v1alpha3',
  'scheduling.k8s.io/v1alpha3',
  'scheduling.k8s.io/v1beta1',
  'scheduling.k8s.io/v1',
  'storage.k8s.io/v1beta1',
  'storage.k8s.io/v1',
  'storage.k8s.io/v1alpha1',
  'storagemigration.k8s.io/v1',
  'storagemigration.k8s.io/v1beta1',
  'apiextensions.k8s.io/v1beta1',
  'apiextensions.k8s.io/v1',
];

/** What `helm template` assumes without a cluster (helm 4.3.1; 3.22.0 as it is built from its module). */
export function defaultCapabilities(flavor: HelmFlavor = 4): Capabilities {
  return {
    kubeVersion: flavor === 4 ? 'v1.37.0' : 'v1.20.0',
    apiVersions: KNOWN_API_VERSIONS,
    helmVersion: flavor === 4 ? 'v4.3' : 'v3.22',
  };
}

export interface KubeVersionParts {
  /** As given, with a leading v. */
  readonly version: string;
  /** Without suffix, for constraints: `v1.33.4`; with as many numbers as were given. */
  readonly normalized: string;
  readonly major: string;
  readonly minor: string;
}

/** Reads `1.31`, `v1.33.4-gke.12`, … ; null when it is no version. */
export function parseKubeVersion(text: string): KubeVersionParts | null {
  const match = /^\s*v?(\d+(?:\.\d+)+)([^\d.].*)?$/.exec(text);
  if (match === null) return null;
  const numbers = match[1]!.split('.');
  if (numbers.some((part) => part.length > 1 && part.startsWith('0'))) return null;
  const [major, minor] = numbers;
  return {
    version: text.startsWith('v') ? text : `v${text}`,
    normalized: `v${match[1]}`,
    major: major!,
    minor: minor!,
  };
}
