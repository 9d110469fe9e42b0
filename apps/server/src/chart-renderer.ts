import {
  type ChartOffer,
  type ChartRenderer,
  type ChartRequest,
  type FieldNames,
  MissingCharts,
  PARAMETERS,
} from '@capstan/engine-render';
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
import { CapstanError, messageOf } from '@capstan/lib-std';
import { toYaml } from '@capstan/lib-yaml';

/**
 * Renders charts for the engine, as `helm template` does; templates once compiled are kept while their chart is.
 * `offered` says what the destination offers: charts ask for its version and its kinds. What a request says stands before it.
 */
export function createChartRenderer(
  now: () => number,
  offered: () => Pick<ChartOffer, 'kubeVersion' | 'apiVersions'> | undefined,
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

/** As with `helm template --kube-version --api-versions`: versions come on top of those that Helm knows by itself. */
function capabilitiesOf(
  offered: ReturnType<Parameters<typeof createChartRenderer>[1]>,
  request: ChartRequest,
): Capabilities {
  const base = defaultCapabilities();
  const apiVersions = request.apiVersions.length > 0 ? request.apiVersions : offered?.apiVersions;
  return {
    ...base,
    kubeVersion: wantedVersion(request) ?? offered?.kubeVersion ?? base.kubeVersion,
    apiVersions: [...base.apiVersions, ...(apiVersions ?? [])],
  };
}
