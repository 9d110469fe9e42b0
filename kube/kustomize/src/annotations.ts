/** Annotations with which a build keeps its books on the resource itself; all are gone from the output. */
const DOMAIN = 'internal.config.kubernetes.io';

export const PREVIOUS_KINDS = `${DOMAIN}/previousKinds`;
export const PREVIOUS_NAMES = `${DOMAIN}/previousNames`;
export const PREVIOUS_NAMESPACES = `${DOMAIN}/previousNamespaces`;
export const PREFIXES = `${DOMAIN}/prefixes`;
export const SUFFIXES = `${DOMAIN}/suffixes`;
export const GENERATOR_BEHAVIOR = `${DOMAIN}/generatorBehavior`;
export const NEEDS_HASH = `${DOMAIN}/needsHashSuffix`;
export const ALLOW_NAME_CHANGE = `${DOMAIN}/allowNameChange`;
export const ALLOW_KIND_CHANGE = `${DOMAIN}/allowKindChange`;
export const HELM_GENERATED = `${DOMAIN}/helm-generated`;
const REF_BY = `${DOMAIN}/refBy`;
const LEGACY = ['config.kubernetes.io/path', 'config.kubernetes.io/index', 'config.k8s.io/id'];

export const ORIGIN = 'config.kubernetes.io/origin';
export const TRANSFORMATIONS = 'alpha.config.kubernetes.io/transformations';
export const LOCAL_CONFIG = 'config.kubernetes.io/local-config';
export const ENABLED = 'enabled';

/** Removed when a build is done. */
export const BUILD_ANNOTATIONS: readonly string[] = [
  PREVIOUS_KINDS,
  PREVIOUS_NAMES,
  PREFIXES,
  SUFFIXES,
  PREVIOUS_NAMESPACES,
  ALLOW_NAME_CHANGE,
  ALLOW_KIND_CHANGE,
  REF_BY,
  GENERATOR_BEHAVIOR,
  NEEDS_HASH,
  `${DOMAIN}/path`,
  `${DOMAIN}/index`,
  `${DOMAIN}/seqindent`,
  `${DOMAIN}/id`,
  `${DOMAIN}/annotations-migration-resource-id`,
  ...LEGACY,
  HELM_GENERATED,
];

/** Whether a patch that rewrites annotations must leave this one be. */
export function isInternalAnnotation(name: string): boolean {
  return name.startsWith(`${DOMAIN}/`) || LEGACY.includes(name);
}
