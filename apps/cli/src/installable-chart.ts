import { type Chart, ChartError, isLibraryChart, missingDependencies } from '@capstan/kube-helm';

const LACKING_3 =
  'An error occurred while checking for chart dependencies. You may need to run `helm dependency build`';
const LACKING_4 =
  "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build'";

/** What helm checks of a chart before it renders it. */
export function checkInstallable(chart: Chart, flavor: 3 | 4 = 4): void {
  const { apiVersion } = chart.metadata;
  if (!['v1', 'v2'].includes(apiVersion)) {
    const isNext = apiVersion === 'v3';
    throw new ChartError(
      'CHART_API_VERSION',
      isNext ? 'invalid chart apiVersion' : 'unsupported chart version',
    );
  }
  if (isLibraryChart(chart)) {
    throw new ChartError('CHART_LIBRARY', 'library charts are not installable');
  }
  const missing = missingDependencies(chart);
  if (missing.length === 0) return;
  throw new ChartError(
    'CHART_DEPENDENCY',
    `${flavor === 3 ? LACKING_3 : LACKING_4} to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: ${missing.join(', ')}`,
  );
}
