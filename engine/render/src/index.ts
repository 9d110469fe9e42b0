export type { DesiredObject, RenderResult } from './desired-state.ts';
export type {
  DirectoryOptions,
  KustomizeImage,
  KustomizeOptions,
  KustomizeOverlay,
  KustomizePatch,
  RenderSpec,
  SubstituteOptions,
} from './render-spec.ts';
