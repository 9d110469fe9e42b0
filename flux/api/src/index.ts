export { fluxCrds } from './crds.ts';
export {
  FINALIZER,
  KUSTOMIZE_GROUP,
  NAME_LABEL,
  NAMESPACE_LABEL,
  REQUESTED_AT,
  SOURCE_GROUP,
} from './names.ts';
export { type Parsed, parseGitRepository, parseKustomization } from './parse-resources.ts';
export type {
  Artifact,
  Condition,
  GitRepository,
  GitRepositoryReference,
  GitRepositorySpec,
  GitRepositoryStatus,
  HistoryEntry,
  Kustomization,
  KustomizationIgnore,
  KustomizationSpec,
  KustomizationStatus,
  ResourceEntry,
} from './types.ts';
