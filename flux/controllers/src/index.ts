export type { NamedKey } from './control-state.ts';
export { createFluxControllers, type FluxControllers, type FluxPorts } from './flux-controllers.ts';
export type { ArtifactPort } from './sources/artifact-port.ts';
export { toSourceStatus } from './sources/to-source-status.ts';
export type { Tenancy } from './tenancy.ts';
export { kustomizationOwners, type LoweringContext, toDelivery } from './to-delivery.ts';
export { toKustomizationStatus } from './to-kustomization-status.ts';
export { toSourceSpec } from './to-source.ts';
