import type { Json } from '@capstan/kube-object';
import type { BuildContext } from './context.ts';
import { failure } from './failure.ts';
import { decodeJson, struct, text } from './go-json.ts';
import { resourcesFromText } from './read-resources.ts';
import { ResourceSet } from './resource-set.ts';

const policyShape = struct('IAMPolicyGeneratorArgs', {
  cloud: text,
  kubernetesService: struct('KubernetesService', { name: text, namespace: text }),
  serviceAccount: struct('ServiceAccount', { name: text, projectId: text }),
});

/** A service account bound to one of Google's clouds. */
export function iamPolicy(value: Json, context: BuildContext, file: number): ResourceSet {
  const { cloud = '', kubernetesService, serviceAccount } = decodeJson(value, policyShape);
  if (cloud !== 'gke') throw failure(`cloud provider ${cloud} not supported yet`);
  const account = `${serviceAccount?.name ?? ''}@${serviceAccount?.projectId ?? ''}`;
  const namespace = kubernetesService?.namespace;
  const yaml = [
    'apiVersion: v1',
    'kind: ServiceAccount',
    'metadata:',
    '  annotations:',
    `    iam.gke.io/gcp-service-account: ${account}.iam.gserviceaccount.com`,
    `  name: ${kubernetesService?.name ?? ''}`,
    ...(namespace ? [`  namespace: ${namespace}`] : []),
    '',
  ].join('\n');
  return new ResourceSet(resourcesFromText(context, () => yaml, { cacheKey: '', file }));
}
