import type { Json, JsonObject } from '@capstan/kube-object';

const RBAC = 'rbac.authorization.k8s.io';
const ONE_DEVICE = { allocationMode: 'ExactCount', count: 1 };

/**
 * What the API server's code fills into members of atomic lists and structs of built-in kinds and no schema says, by
 * definition and field: the SetDefaults functions of k8s.io/kubernetes/pkg/apis. Elsewhere live may hold more anyway.
 */
const FILLED_IN: Readonly<Record<string, Readonly<Record<string, Json>>>> = {
  'io.k8s.api.core.v1.ObjectFieldSelector': { apiVersion: 'v1' },
  'io.k8s.api.core.v1.ResourceFieldSelector': { divisor: '0' },
  'io.k8s.api.core.v1.EndpointPort': { protocol: 'TCP' },
  'io.k8s.api.core.v1.ServiceAccountTokenProjection': { expirationSeconds: 3600 },
  'io.k8s.api.core.v1.PersistentVolumeClaim': { apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
  'io.k8s.api.core.v1.PersistentVolumeClaimSpec': { volumeMode: 'Filesystem' },
  'io.k8s.api.core.v1.PersistentVolumeClaimStatus': { phase: 'Pending' },
  'io.k8s.api.discovery.v1.EndpointPort': { protocol: 'TCP' },
  'io.k8s.api.networking.v1.NetworkPolicyPort': { protocol: 'TCP' },
  'io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern': { status: 'True' },
  'io.k8s.api.admissionregistration.v1.RuleWithOperations': { scope: '*' },
  'io.k8s.api.admissionregistration.v1.NamedRuleWithOperations': { scope: '*' },
  'io.k8s.api.admissionregistration.v1.MatchResources': { matchPolicy: 'Equivalent' },
  'io.k8s.api.rbac.v1.RoleRef': { apiGroup: RBAC },
  'io.k8s.api.resource.v1.ExactDeviceRequest': ONE_DEVICE,
  'io.k8s.api.resource.v1.DeviceSubRequest': ONE_DEVICE,
  'io.k8s.api.resource.v1beta2.ExactDeviceRequest': ONE_DEVICE,
  'io.k8s.api.resource.v1beta2.DeviceSubRequest': ONE_DEVICE,
  'io.k8s.api.resource.v1beta1.DeviceRequest': ONE_DEVICE,
  'io.k8s.api.resource.v1beta1.DeviceSubRequest': ONE_DEVICE,
};

/** The value that the server gives a field of a built-in struct that `desired` leaves out; undefined: none. */
export function filledIn(
  definition: string | undefined,
  name: string,
  desired: JsonObject,
): Json | undefined {
  if (definition === undefined) return undefined;
  if (definition === 'io.k8s.api.rbac.v1.Subject' && name === 'apiGroup') {
    return desired['kind'] === 'ServiceAccount' ? '' : RBAC;
  }
  return FILLED_IN[definition]?.[name];
}
