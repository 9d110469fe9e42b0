import {
  ChartError,
  checkReleaseName,
  defaultCapabilities,
  loadChart,
  overlayValues,
  parseKubeVersion,
  parseValues,
  releaseNameOf,
  renderChart,
  type Values,
} from '@capstan/kube-helm';
import type { ChartRequest, HelmChartEntry } from '@capstan/kube-kustomize';
import { checkInstallable } from '../installable-chart.ts';

/** Renders a chart of a kustomization, as `kustomize build --enable-helm` has helm render it. */
export function renderHelmChart(request: ChartRequest): string {
  const { chart: entry, files, path } = request;
  const name = releaseName(entry);
  const chart = loadChart(files, path);
  checkInstallable(chart);
  const rendered = renderChart(chart, layValues(request.values), {
    release: { name, namespace: entry.namespace || 'default', isUpgrade: false },
    capabilities: capabilities(request),
    flavor: 4,
    includeCrds: entry.includeCRDs ?? false,
    now: Date.now,
  });
  const hooks = entry.skipHooks
    ? []
    : rendered.hooks.filter((hook) => !entry.skipTests || !hook.events.includes('test'));
  return `${rendered.yaml.trim()}\n${hooks.map((hook) => `---\n${hook.content}\n`).join('')}`;
}

function releaseName({ releaseName: given = '', nameTemplate = '' }: HelmChartEntry): string {
  if (given !== '' && nameTemplate !== '') {
    throw new ChartError('FLAGS', 'cannot set --name-template and also specify a name');
  }
  if (given === '') return nameTemplate === '' ? 'release-name' : releaseNameOf(nameTemplate);
  checkReleaseName(
    given,
    (problem) => `release name check failed: release name ${JSON.stringify(given)}: ${problem}`,
  );
  return given;
}

function layValues(texts: readonly string[]): Values {
  let values: Values = {};
  for (const text of texts) values = overlayValues(values, parseValues(text));
  return values;
}

function capabilities(request: ChartRequest): ReturnType<typeof defaultCapabilities> {
  const base = defaultCapabilities(4);
  const { kubeVersion } = request;
  const parsed = kubeVersion === '' ? undefined : parseKubeVersion(kubeVersion);
  if (parsed === null) {
    throw new ChartError(
      'FLAGS',
      `invalid kube version '${kubeVersion}': could not parse ${JSON.stringify(kubeVersion)} as version`,
    );
  }
  return {
    ...base,
    kubeVersion: parsed?.version ?? base.kubeVersion,
    apiVersions: [...base.apiVersions, ...request.apiVersions],
  };
}
