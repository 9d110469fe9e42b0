export {
  type Capabilities,
  defaultCapabilities,
  type HelmFlavor,
  type KubeVersionParts,
  parseKubeVersion,
} from './capabilities.ts';
export {
  type Chart,
  type ChartCrd,
  type ChartDependency,
  type ChartFile,
  type ChartLock,
  type ChartMetadata,
  chartCrds,
  isLibraryChart,
  type Maintainer,
  type Values,
} from './chart.ts';
export { ChartError } from './chart-error.ts';
export type { Lookup } from './helm-functions.ts';
export {
  chartOfFiles,
  type LoadOptions,
  loadChart,
  loadChartArchive,
  parseValues,
} from './load-chart.ts';
export {
  HOOK_EVENTS,
  type Hook,
  type HookEvent,
  INSTALL_ORDER,
  type Manifest,
  type SortedManifests,
  sortManifests,
  splitManifests,
  UNINSTALL_ORDER,
} from './manifests.ts';
export { processDependencies } from './process-dependencies.ts';
export {
  ChartLanguage,
  chartLanguage,
  type ReleaseInfo,
  type RenderedChart,
  type RenderOptions,
  renderChart,
} from './render-chart.ts';
export { type SetMode, setValues } from './set-values.ts';
export { validateValues } from './validate-values.ts';
export { coalesceValues, overlayValues } from './values.ts';
