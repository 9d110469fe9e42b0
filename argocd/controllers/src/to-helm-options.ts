import type { HelmSource } from '@capstan/argocd-api';
import type { HelmOptions } from '@capstan/engine-render';
import { toYaml } from '@capstan/lib-yaml';

/** source.helm as the engine takes it (Argo CD's documentation, "Helm"). */
export function toHelmOptions(
  helm: HelmSource,
  release: { readonly name: string; readonly namespace: string },
): HelmOptions {
  const values = helm.valuesObject === undefined ? helm.values : toYaml(helm.valuesObject);
  return {
    releaseName: helm.releaseName || release.name,
    releaseNamespace: helm.namespace || release.namespace,
    valueFiles: helm.valueFiles ?? [],
    ignoreMissingValueFiles: helm.ignoreMissingValueFiles ?? false,
    ...(values === undefined ? {} : { values }),
    parameters: (helm.parameters ?? []).map(({ name = '', value = '', forceString = false }) => ({
      name,
      value,
      forceString,
    })),
    fileParameters: (helm.fileParameters ?? []).map(({ name = '', path = '' }) => ({ name, path })),
    skipCrds: helm.skipCrds ?? false,
    skipTests: helm.skipTests ?? false,
    skipSchemaValidation: helm.skipSchemaValidation ?? false,
    ...(helm.kubeVersion ? { kubeVersion: helm.kubeVersion } : {}),
    apiVersions: helm.apiVersions ?? [],
  };
}
