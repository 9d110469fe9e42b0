import type { HelmSource } from '@capstan/argocd-api';
import type { ChartPolicy, HelmOptions } from '@capstan/engine-render';
import { toYaml } from '@capstan/lib-yaml';
import { plainVersion } from './plain-version.ts';

/** source.helm as the engine takes it (Argo CD's documentation, "Helm"). */
export function toHelmOptions(
  helm: HelmSource,
  release: { readonly name: string; readonly namespace: string },
  {
    fill = (text) => text,
    valueSchemes = [],
    charts,
  }: {
    readonly fill?: (text: string) => string;
    readonly valueSchemes?: readonly string[];
    readonly charts?: ChartPolicy | undefined;
  } = {},
): HelmOptions {
  // A leading $ may name another source; then the rest alone is filled in.
  const fillPath = (path: string) => {
    const reference = /^\$[a-zA-Z0-9-]+\//.exec(path)?.[0] ?? '';
    return reference.startsWith('$ARGOCD_APP')
      ? fill(path)
      : reference + fill(path.slice(reference.length));
  };
  const values = helm.valuesObject === undefined ? helm.values : toYaml(helm.valuesObject);
  return {
    releaseName: helm.releaseName || release.name,
    releaseNamespace: helm.namespace || release.namespace,
    valueFiles: (helm.valueFiles ?? []).map(fillPath),
    ignoreMissingValueFiles: helm.ignoreMissingValueFiles ?? false,
    ...(hasAddress(helm) ? { remoteValues: { schemes: valueSchemes, hosts: ['*'] } } : {}),
    ...(charts === undefined ? {} : { remoteCharts: charts }),
    ...(values === undefined ? {} : { values }),
    parameters: (helm.parameters ?? []).map(({ name = '', value = '', forceString = false }) => ({
      name,
      value: fill(value),
      forceString,
    })),
    fileParameters: (helm.fileParameters ?? []).map(({ name = '', path = '' }) => ({
      name,
      path: fillPath(path),
    })),
    skipCrds: helm.skipCrds ?? false,
    skipTests: helm.skipTests ?? false,
    skipSchemaValidation: helm.skipSchemaValidation ?? false,
    ...(helm.kubeVersion ? { kubeVersion: plainVersion(helm.kubeVersion) } : {}),
    apiVersions: helm.apiVersions ?? [],
  };
}

/** Only then does it matter from where they may come: other charts are rendered the same whatever is admitted. */
function hasAddress({ valueFiles = [], fileParameters = [] }: HelmSource): boolean {
  return [...valueFiles, ...fileParameters.map(({ path = '' }) => path)].some((name) =>
    name.includes('://'),
  );
}
