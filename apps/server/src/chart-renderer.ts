import {
  type ChartRenderer,
  type ChartRequest,
  type FieldNames,
  MissingCharts,
  PARAMETERS,
} from '@capstan/engine-render';
import type { KubeClient } from '@capstan/kube-client';
import {
  type Capabilities,
  type Chart,
  chartLanguage,
  checkReleaseName,
  defaultCapabilities,
  fieldOrigins,
  isLibraryChart,
  loadChart,
  missingDependencies,
  nearestOrigin,
  overlayValues,
  parseKubeVersion,
  parseValues,
  renderChart,
  setValues,
  type Values,
  type ValuesLayer,
  valuesToJson,
  wantedDependencies,
} from '@capstan/kube-helm';
import { formatApiVersion } from '@capstan/kube-object';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { toYaml } from '@capstan/lib-yaml';

/**
 * Renders charts for the engine, as `helm template` does; templates once compiled are kept while their chart is.
 * `offered` says what the cluster offers: charts ask for its version and its kinds.
 */
export function createChartRenderer(
  now: () => number,
  offered: () => Partial<Capabilities>,
): ChartRenderer {
  const language = chartLanguage();
  return (request) => {
    const { name } = request.release;
    if (name !== '') checkReleaseName(name, (problem) => `release name "${name}": ${problem}`);
    const chart = loadWhole(request);
    let values: Values = {};
    for (const { name, text } of request.valueTexts) {
      values = overlayValues(values, readValues(name, text));
    }
    for (const { text, mode } of request.settings) setValues(values, text, mode);
    const rendered = renderChart(chart, values, {
      release: request.release,
      capabilities: capabilitiesOf(offered(), request),
      includeCrds: request.includeCrds,
      skipSchemaValidation: request.skipSchemaValidation,
      language,
      now,
    });
    const hooks = request.skipTests
      ? rendered.hooks.filter(({ events }) => !events.includes('test'))
      : rendered.hooks;
    const crds = rendered.crds.map(({ fileName, data }) => ({
      path: fileName,
      text: new TextDecoder().decode(data),
    }));
    return [
      ...crds,
      ...[...rendered.manifests, ...hooks].map((manifest) => ({
        path: manifest.path,
        text: manifest.content,
        originOf: (field: FieldNames) =>
          nearestOrigin(fieldOrigins(manifest, rendered.chart, valuesLayers(request)), field),
      })),
    ];
  };
}

/** What the values come from, as texts: parameters are one of their own, over the files. */
function valuesLayers({ valueTexts, settings }: ChartRequest): readonly ValuesLayer[] {
  if (settings.length === 0) return valueTexts;
  const values: Values = {};
  for (const { text, mode } of settings) setValues(values, text, mode);
  return [...valueTexts, { name: PARAMETERS, text: toYaml(valuesToJson(values)) }];
}

/** The chart with what stands in for charts that its folder lacks; throws MissingCharts for what is still missing. */
function loadWhole({ files, folder, dependencies = [] }: ChartRequest): Chart {
  const own = loadChart(files, folder);
  if (isLibraryChart(own))
    throw new CapstanError('CHART_LIBRARY', 'library charts are not installable', {
      hint: 'name a chart of another type',
    });
  const more = dependencies.map((one) => loadChart(one.files, one.folder));
  const chart = more.length === 0 ? own : { ...own, dependencies: [...own.dependencies, ...more] };
  const missing = missingDependencies(chart);
  if (missing.length === 0) return chart;
  throw new MissingCharts(
    `an error occurred while checking for chart dependencies: found in Chart.yaml, but missing in charts/ directory: ${missing.join(', ')}`,
    wantedDependencies(chart),
  );
}

function readValues(name: string, text: string): Values {
  try {
    return parseValues(text);
  } catch (error) {
    throw new CapstanError('VALUES_INVALID', `${name}: ${messageOf(error)}`, { cause: error });
  }
}

/** The version and the kinds that the cluster serves; nothing when it does not answer, so that Helm's own stand. */
export async function readCapabilities(
  client: KubeClient,
  signal: AbortSignal,
): Promise<Partial<Capabilities>> {
  try {
    const { gitVersion } = await client.discovery.version({ signal });
    const kinds = await client.discovery.kinds({ allVersions: true, signal });
    const versions = new Set<string>();
    for (const { group, version, kind } of kinds) {
      const apiVersion = formatApiVersion({ group, version });
      versions.add(apiVersion).add(`${apiVersion}/${kind}`);
    }
    return { kubeVersion: gitVersion, apiVersions: [...versions] };
  } catch {
    return {};
  }
}

function wantedVersion({ kubeVersion }: ChartRequest): string | undefined {
  if (kubeVersion === undefined) return undefined;
  const parsed = parseKubeVersion(kubeVersion);
  if (parsed !== null) return parsed.version;
  throw new CapstanError(
    'KUBE_VERSION_INVALID',
    `could not parse kubernetes version ${kubeVersion}: could not parse ${JSON.stringify(kubeVersion)} as version`,
    { hint: 'write it as v1.34.0' },
  );
}

function capabilitiesOf(offered: Partial<Capabilities>, request: ChartRequest): Capabilities {
  const base = { ...defaultCapabilities(), ...offered };
  return {
    ...base,
    kubeVersion: wantedVersion(request) ?? base.kubeVersion,
    apiVersions: [...base.apiVersions, ...request.apiVersions],
  };
}
