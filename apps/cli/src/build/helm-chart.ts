import {
  defaultCapabilities,
  loadChart,
  overlayValues,
  parseKubeVersion,
  parseValues,
  renderChart,
  type Values,
} from '@capstan/kube-helm';
import type { ChartRequest } from '@capstan/kube-kustomize';
import { joinPath, readText, resolvePath } from '@capstan/lib-files';
import { CapstanError } from '@capstan/lib-std';
import { toYaml } from '@capstan/lib-yaml';

/** Renders a chart that lies beside the kustomization, as `kustomize build --enable-helm` has helm render it. */
export function renderLocalChart(request: ChartRequest): string {
  const { chart: entry, files } = request;
  const home = chartHome(request);
  const path = joinPath(home, entry.name ?? '');
  if (files.stat(path)?.kind !== 'directory') throw missing(request, path);
  const chart = loadChart(files, path);
  const rendered = renderChart(chart, mergedValues(request, path), {
    release: {
      name: entry.releaseName || 'release-name',
      namespace: entry.namespace || 'default',
      isUpgrade: false,
    },
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

function chartHome({ folder, chart, chartHome: home }: ChartRequest): string {
  const found = resolvePath(folder, home);
  if (found === undefined || home.startsWith('/')) {
    throw new CapstanError('HELM_CHART_HOME', `chartHome '${home}' leads out of the tree of files`);
  }
  return chart.version && chart.repo ? joinPath(found, `${chart.name}-${chart.version}`) : found;
}

function missing({ chart }: ChartRequest, path: string): CapstanError {
  if (!chart.repo) {
    return new CapstanError(
      'HELM_CHART_MISSING',
      `no repo specified for pull, no chart found at '/${path}'`,
    );
  }
  return new CapstanError('HELM_CHART_MISSING', `chart '${chart.name}' is not at '/${path}'`, {
    hint: `pull it first: helm pull --untar --untardir /${path.slice(0, path.lastIndexOf('/'))} --repo ${chart.repo} ${chart.name}`,
  });
}

/** The file's values and the inline ones, of which the later win as `valuesMerge` says; then the further files. */
function mergedValues(request: ChartRequest, path: string): Values {
  const { chart: entry, files, folder } = request;
  const read = (name: string): Values => {
    const at = resolvePath(folder, name);
    const text = at === undefined ? undefined : readText(files, at);
    if (text === undefined) {
      throw new CapstanError(
        'HELM_VALUES_MISSING',
        `values file '${name}' of chart '${entry.name}' is not there`,
      );
    }
    return parseValues(text);
  };
  const own = entry.valuesFile
    ? read(entry.valuesFile)
    : parseValues(readText(files, joinPath(path, 'values.yaml')) ?? '');
  const inline = parseValues(toYaml(request.valuesInline));
  let values = own;
  if (Object.keys(request.valuesInline).length > 0) {
    if (request.valuesMerge === 'replace') values = inline;
    else if (request.valuesMerge === 'merge') values = overlayValues(inline, own);
    else values = overlayValues(own, inline);
  }
  for (const name of entry.additionalValuesFiles ?? []) values = overlayValues(values, read(name));
  return values;
}

function capabilities(request: ChartRequest): ReturnType<typeof defaultCapabilities> {
  const base = defaultCapabilities(4);
  const parsed = request.kubeVersion === '' ? undefined : parseKubeVersion(request.kubeVersion);
  if (parsed === null) {
    throw new CapstanError('HELM_KUBE_VERSION', `invalid kube version '${request.kubeVersion}'`);
  }
  return {
    ...base,
    kubeVersion: parsed?.version ?? base.kubeVersion,
    apiVersions: [...base.apiVersions, ...request.apiVersions],
  };
}
