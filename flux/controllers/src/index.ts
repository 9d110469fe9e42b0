export type { NamedKey } from './control-state.ts';
export { type ServiceSecrets, serviceOpener } from './decryption-services.ts';
export {
  type Applier,
  accountOf,
  canActAs,
  type DestinationPorts,
  openDestination,
} from './destination.ts';
export { formatDuration, formatTime, parseDurationMs } from './durations.ts';
export { createFluxControllers, type FluxControllers, type FluxPorts } from './flux-controllers.ts';
export { findHealthCheck, readHealthChecks } from './health-checks.ts';
export { type Bearer, CloudIdentities } from './identity/cloud-identities.ts';
export { formatEntry } from './inventory.ts';
export { compareKeys } from './kind-order.ts';
export { kustomizationDependency } from './kustomization-dependency.ts';
export { readValues } from './read-secret.ts';
export { judgeReadiness } from './ready-expression.ts';
export { reconcileDurations } from './reconcile-durations.ts';
export {
  checkSourceKind,
  type FluxSettings,
  isWatched,
  overriddenManagers,
} from './settings.ts';
export type { ArtifactPort } from './sources/artifact-port.ts';
export {
  basicLoginOf,
  type Certificates,
  certificatesOf,
  type SecretData,
  textOf,
} from './sources/secret-contents.ts';
export { soundArtifact } from './sources/sound-artifact.ts';
export { findSecret, type SecretReader } from './sources/source-secrets.ts';
export { progressOf, toSourceStatus } from './sources/to-source-status.ts';
export {
  type OciVerifier,
  openVerifier,
  type VerifiedManifest,
  verificationPrefix,
} from './sources/verify-oci.ts';
export { checkReference, type Tenancy } from './tenancy.ts';
export { kustomizationOwners, type LoweringContext, toDelivery } from './to-delivery.ts';
export { toKustomizationStatus } from './to-kustomization-status.ts';
export { toSourceSpec } from './to-source.ts';
export { setFinalizer, type WriteOptions, writeStatus } from './write-object.ts';
