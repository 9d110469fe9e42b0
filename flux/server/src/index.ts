export {
  type ArtifactFile,
  ArtifactStorage,
  type ArtifactStorageOptions,
  type StoredFile,
} from './artifact-storage.ts';
export { serveArtifacts } from './serve-artifacts.ts';
