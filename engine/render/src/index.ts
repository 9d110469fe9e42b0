export { type ChartOffer, rendersCharts } from './chart-offer.ts';
export type { DesiredObject, RenderResult } from './desired-state.ts';
export {
  type FieldStep,
  type FoundField,
  fieldSteps,
  findField,
  formatPath,
  type MissingField,
  matchesKind,
  parseFieldName,
} from './field-name.ts';
export {
  type FieldNames,
  type FieldQuestion,
  type FieldSource,
  fieldLine,
} from './field-sources.ts';
export {
  mountedRemotes,
  remoteFailure,
  remoteFile,
  remoteMount,
} from './mounted-remotes.ts';
export { type ParsedManifests, parseManifests } from './parse-manifests.ts';
export { RenderCache, type RenderCacheOptions } from './render-cache.ts';
export {
  type ChartDocument,
  type ChartOrigin,
  type ChartRenderer,
  type ChartRequest,
  MissingCharts,
  PARAMETERS,
  referredSources,
} from './render-helm.ts';
export { finishRender, type RenderOptions, renderManifests } from './render-manifests.ts';
export type {
  ChartPolicy,
  DirectoryOptions,
  HelmOptions,
  KustomizeImage,
  KustomizeOptions,
  KustomizeOverlay,
  KustomizePatch,
  RenderSpec,
  SubstituteOptions,
} from './render-spec.ts';
export {
  type SubstituteTextOptions,
  SubstitutionError,
  substituteText,
} from './substitute-text.ts';
