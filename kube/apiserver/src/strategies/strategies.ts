import type { Strategy } from '../served-resource.ts';
import {
  mutatingBindingStrategy,
  mutatingPolicyStrategy,
  validatingBindingStrategy,
  validatingPolicyStrategy,
  webhookConfigurationStrategy,
} from './admission.ts';
import { certificateRequestStrategy } from './certificates.ts';
import { configMapStrategy, secretStrategy } from './config.ts';
import { definitionStrategy } from './custom-resource-definition.ts';
import {
  autoscalerStrategy,
  claimStrategy,
  controllerRevisionStrategy,
  csiDriverStrategy,
  disruptionBudgetStrategy,
  endpointSliceStrategy,
  endpointsStrategy,
  eventStrategy,
  ingressClassStrategy,
  ingressStrategy,
  leaseStrategy,
  limitRangeStrategy,
  namespaceStrategy,
  networkPolicyStrategy,
  nodeStrategy,
  podTemplateStrategy,
  priorityClassStrategy,
  quotaStrategy,
  roleBindingStrategy,
  roleStrategy,
  runtimeClassStrategy,
  storageClassStrategy,
  volumeStrategy,
} from './others.ts';
import { podStrategy } from './pods.ts';
import {
  apiServiceStrategy,
  attributesClassStrategy,
  flowSchemaStrategy,
  priorityLevelStrategy,
  resourceClaimStrategy,
  resourceClaimTemplateStrategy,
  volumeAttachmentStrategy,
} from './rare-kinds.ts';
import { serviceStrategy } from './services.ts';
import {
  cronJobStrategy,
  daemonSetStrategy,
  deploymentStrategy,
  jobStrategy,
  replicaSetStrategy,
  replicationControllerStrategy,
  statefulSetStrategy,
} from './workloads.ts';

/** The strategy of a built-in resource, by its bucket. */
export function strategyFor(bucket: string): Strategy {
  return STRATEGIES[bucket] ?? NO_STRATEGY;
}

const NO_STRATEGY: Strategy = {};
const ADMISSION = 'admissionregistration.k8s.io';
const RBAC = 'rbac.authorization.k8s.io';
const STRATEGIES: Readonly<Record<string, Strategy>> = {
  '/configmaps': configMapStrategy,
  '/endpoints': endpointsStrategy,
  '/events': eventStrategy,
  '/serviceaccounts': { metadataOnUpdate: ['whole', 'update'] },
  '/limitranges': limitRangeStrategy,
  '/namespaces': namespaceStrategy,
  '/nodes': nodeStrategy,
  '/persistentvolumeclaims': claimStrategy,
  '/persistentvolumes': volumeStrategy,
  '/pods': podStrategy,
  '/podtemplates': podTemplateStrategy,
  '/replicationcontrollers': replicationControllerStrategy,
  '/resourcequotas': quotaStrategy,
  '/secrets': secretStrategy,
  '/services': serviceStrategy,
  'apps/controllerrevisions': controllerRevisionStrategy,
  'apps/daemonsets': daemonSetStrategy,
  'apps/deployments': deploymentStrategy,
  'apps/replicasets': replicaSetStrategy,
  'apps/statefulsets': statefulSetStrategy,
  'autoscaling/horizontalpodautoscalers': autoscalerStrategy,
  'batch/cronjobs': cronJobStrategy,
  'batch/jobs': jobStrategy,
  'coordination.k8s.io/leases': leaseStrategy,
  'discovery.k8s.io/endpointslices': endpointSliceStrategy,
  'networking.k8s.io/ingressclasses': ingressClassStrategy,
  'networking.k8s.io/ingresses': ingressStrategy,
  'networking.k8s.io/networkpolicies': networkPolicyStrategy,
  'policy/poddisruptionbudgets': disruptionBudgetStrategy,
  'scheduling.k8s.io/priorityclasses': priorityClassStrategy,
  'node.k8s.io/runtimeclasses': runtimeClassStrategy,
  'storage.k8s.io/csidrivers': csiDriverStrategy,
  'storage.k8s.io/storageclasses': storageClassStrategy,
  'apiextensions.k8s.io/customresourcedefinitions': definitionStrategy,
  [`${ADMISSION}/mutatingwebhookconfigurations`]: webhookConfigurationStrategy,
  [`${ADMISSION}/validatingwebhookconfigurations`]: webhookConfigurationStrategy,
  [`${ADMISSION}/validatingadmissionpolicies`]: validatingPolicyStrategy,
  [`${ADMISSION}/validatingadmissionpolicybindings`]: validatingBindingStrategy,
  [`${ADMISSION}/mutatingadmissionpolicies`]: mutatingPolicyStrategy,
  [`${ADMISSION}/mutatingadmissionpolicybindings`]: mutatingBindingStrategy,
  [`${RBAC}/clusterrolebindings`]: roleBindingStrategy,
  [`${RBAC}/clusterroles`]: roleStrategy,
  [`${RBAC}/rolebindings`]: roleBindingStrategy,
  [`${RBAC}/roles`]: roleStrategy,
  'apiregistration.k8s.io/apiservices': apiServiceStrategy,
  'certificates.k8s.io/certificatesigningrequests': certificateRequestStrategy,
  'flowcontrol.apiserver.k8s.io/flowschemas': flowSchemaStrategy,
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': priorityLevelStrategy,
  'storage.k8s.io/csinodes': { needsVersionOnUpdate: true },
  'storage.k8s.io/csistoragecapacities': { needsVersionOnUpdate: true },
  'storage.k8s.io/volumeattachments': volumeAttachmentStrategy,
  'storage.k8s.io/volumeattributesclasses': attributesClassStrategy,
  'networking.k8s.io/servicecidrs': { hasStatus: true },
  'networking.k8s.io/ipaddresses': { nameRule: 'address' },
  'resource.k8s.io/resourceclaims': resourceClaimStrategy,
  'resource.k8s.io/resourceclaimtemplates': resourceClaimTemplateStrategy,
  'resource.k8s.io/deviceclasses': { hasGeneration: true },
  'resource.k8s.io/resourceslices': { hasGeneration: true },
};
