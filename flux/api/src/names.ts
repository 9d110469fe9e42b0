/** Names of Flux's public contract. */
export const SOURCE_GROUP = 'source.toolkit.fluxcd.io';
export const EXTENSIONS_GROUP = 'source.extensions.fluxcd.io';
export const KUSTOMIZE_GROUP = 'kustomize.toolkit.fluxcd.io';
export const FINALIZER = 'finalizers.fluxcd.io';
export const REQUESTED_AT = 'reconcile.fluxcd.io/requestedAt';
export const NAME_LABEL = `${KUSTOMIZE_GROUP}/name`;
export const NAMESPACE_LABEL = `${KUSTOMIZE_GROUP}/namespace`;
export const HELM_GROUP = 'helm.toolkit.fluxcd.io';
export const FORCE_AT = 'reconcile.fluxcd.io/forceAt';
export const RESET_AT = 'reconcile.fluxcd.io/resetAt';
export const GENERATOR_FINALIZER = `${EXTENSIONS_GROUP}/finalizer`;
/** On an ExternalArtifact: the uid of the ArtifactGenerator that makes it. */
export const GENERATOR_LABEL = `${EXTENSIONS_GROUP}/generator`;
/** `disabled` suspends an ArtifactGenerator, which has no field for that. */
export const GENERATOR_RECONCILE = `${EXTENSIONS_GROUP}/reconcile`;
/** Among the metadata of an artifact: the revision from which it was made in the first place. */
export const ORIGIN_REVISION = 'org.opencontainers.image.revision';
