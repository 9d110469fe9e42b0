import { capstanCrds } from '@capstan/apps-server';
import { argocdCrds } from '@capstan/argocd-api';
import { fluxCrds } from '@capstan/flux-api';
import type { KubeObject } from '@capstan/kube-object';

export interface ComponentOptions {
  readonly namespace: string;
  readonly image: string;
  readonly version: string;
}

const NAME = 'capstan';
const CLUSTER_ADMIN = {
  apiGroup: 'rbac.authorization.k8s.io',
  kind: 'ClusterRole',
  name: 'cluster-admin',
};

/**
 * What runs Capstan in a cluster: the namespace, the definitions of both families and of our own kinds, one Deployment with its account. The
 * labels are those by which `flux check`, `flux version` and `flux logs` find the controllers.
 */
export function componentManifests(options: ComponentOptions): readonly KubeObject[] {
  const { namespace, version } = options;
  const labels = {
    'app.kubernetes.io/instance': namespace,
    'app.kubernetes.io/part-of': 'flux',
    'app.kubernetes.io/version': `v${version}`,
  };
  const own = { name: NAME, namespace, labels: { ...labels, 'app.kubernetes.io/component': NAME } };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } },
    ...[...argocdCrds, ...fluxCrds, ...capstanCrds].map((definition) => ({
      ...definition,
      metadata: { ...definition.metadata, labels: { ...definition.metadata.labels, ...labels } },
    })),
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: own },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: `${NAME}-${namespace}`, labels },
      roleRef: CLUSTER_ADMIN,
      subjects: [{ kind: 'ServiceAccount', name: NAME, namespace }],
    },
    ...reconcilers(namespace, labels),
    deployment(own, options),
  ];
}

/** As whom Kustomizations and HelmReleases of a platform act where tenants are locked down (Flux's guide to multi-tenancy). */
function reconcilers(
  namespace: string,
  labels: Readonly<Record<string, string>>,
): readonly KubeObject[] {
  const accounts = ['kustomize-controller', 'helm-controller'];
  return [
    ...accounts.map((name) => ({
      ...{ apiVersion: 'v1', kind: 'ServiceAccount' },
      metadata: { name, namespace, labels },
    })),
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: `cluster-reconciler-${namespace}`, labels },
      roleRef: CLUSTER_ADMIN,
      subjects: accounts.map((name) => ({ kind: 'ServiceAccount', name, namespace })),
    },
  ];
}

/** One replica, replaced and not doubled. The page listens inside of the Pod only: it is reached by a port-forward. */
function deployment(metadata: KubeObject['metadata'], { image }: ComponentOptions): KubeObject {
  const selector = { 'app.kubernetes.io/component': NAME };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      replicas: 1,
      strategy: { type: 'Recreate' },
      selector: { matchLabels: selector },
      template: {
        metadata: { labels: { ...metadata.labels, ...selector } },
        spec: {
          serviceAccountName: NAME,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              name: NAME,
              image,
              args: ['serve', '--port=7400', '--cache=/var/cache/capstan', '--log-encoding=json'],
              ports: [{ name: 'page', containerPort: 7400 }],
              resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
              volumeMounts: [
                { name: 'cache', mountPath: '/var/cache/capstan' },
                { name: 'tmp', mountPath: '/tmp' },
              ],
            },
          ],
          volumes: [
            { name: 'cache', emptyDir: {} },
            { name: 'tmp', emptyDir: {} },
          ],
        },
      },
    },
  };
}
