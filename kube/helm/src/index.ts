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
export { ChartError, UnreadableManifestError } from './chart-error.ts';
export {
  type ChartDifference,
  type ChartExplanation,
  type DifferenceKind,
  explainChart,
} from './explain/explain-chart.ts';
export {
  type FieldOrigin,
  fieldOrigins,
  nearestOrigin,
  type ValueOrigin,
  type ValuesLayer,
} from './explain/field-origins.ts';
export {
  type RenderedTree,
  type RenderTreeOptions,
  renderChartTree,
} from './explain/render-tree.ts';
export type { Lookup } from './helm-functions.ts';
export { helmWords } from './helm-words.ts';
export { type LintMessage, type LintOptions, lintChart, type Severity } from './lint/lint-chart.ts';
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
export type { PostRenderer } from './post-render.ts';
export { processDependencies } from './process-dependencies.ts';
export { type ChartSignature, type SignedChart, verifyChart } from './provenance/verify-chart.ts';
export { chartYaml, valuesToJson } from './release/chart-record.ts';
export {
  type ClusterObjectRef,
  codeOf,
  pause,
  type ReleaseCluster,
  type ReleaseMerge,
  type ReleasePorts,
  type ReleaseWaits,
  serverMessage,
  type WaitOptions,
} from './release/cluster-port.ts';
export type { CrdPolicy } from './release/install-crds.ts';
export { type InstallOptions, installRelease } from './release/install-release.ts';
export { LEASE_MS, type OperationOptions } from './release/operation.ts';
export { planInstall } from './release/plan-install.ts';
export { chartOf, listReleases, readRelease, releaseHistory } from './release/read-releases.ts';
export {
  type HookPhase,
  isPending,
  type Release,
  type ReleaseHook,
  type ReleaseStatus,
} from './release/release.ts';
export { ReleaseError } from './release/release-error.ts';
export { checkReleaseName } from './release/release-name.ts';
export { releaseObjects } from './release/release-objects.ts';
export { decodeRecord, encodeRecord } from './release/release-record.ts';
export { clusterCapabilities, renderWithLookups } from './release/render-release.ts';
export { type RollbackOptions, rollbackRelease } from './release/rollback-release.ts';
export { type TestOptions, testRelease } from './release/test-release.ts';
export {
  type Uninstalled,
  type UninstallOptions,
  uninstallRelease,
} from './release/uninstall-release.ts';
export { unlockRelease } from './release/unlock-release.ts';
export { type UpgradeOptions, upgradeRelease } from './release/upgrade-release.ts';
export { judgeJob, judgePod } from './release/wait.ts';
export { releaseNameOf } from './release-name-template.ts';
export {
  ChartLanguage,
  chartLanguage,
  type ReleaseInfo,
  type RenderedChart,
  type RenderOptions,
  renderChart,
} from './render-chart.ts';
export {
  type ChartRepository,
  openRepository,
  type RepositoryOptions,
  readIndex,
} from './repository/chart-repository.ts';
export { type ChartVersion, chartVersions, chooseVersion } from './repository/index-file.ts';
export { missingDependencies, wantedDependencies } from './repository/missing-dependencies.ts';
export { packChart } from './repository/pack-chart.ts';
export {
  buildDependencies,
  type DependencyPorts,
  type DependencyUpdate,
  updateDependencies,
} from './repository/update-dependencies.ts';
export { type SetMode, setValues } from './set-values.ts';
export { validateValues } from './validate-values.ts';
export { coalesceValues, overlayValues } from './values.ts';
