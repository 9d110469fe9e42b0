export { ConditionalCache, type ConditionalCacheOptions } from './conditional-get.ts';
export {
  createContentDigest,
  DIGEST_ALGORITHMS,
  type DigestAlgorithm,
  digestAlgorithmOf,
  digestLike,
} from './content-digest.ts';
export { UNREADABLE_KEY, verifyCosign } from './cosign.ts';
export {
  type KeylessOptions,
  publicTrustedRoot,
  type SignatureForm,
  type SignerIdentity,
  verifyCosignKeyless,
} from './cosign-keyless.ts';
export { createHttpGet, type HttpGetOptions } from './create-http-get.ts';
export { registryCredentials } from './docker-config.ts';
export {
  basicAuthorization,
  type Credentials,
  type HttpGet,
  type HttpRequest,
  type HttpResponse,
  originOf,
  type ReadAnswer,
  type ReadOptions,
  readBytes,
} from './http-port.ts';
export { type NotationOptions, verifyNotation } from './notation.ts';
export { isDigest, isNearby, type OciReference, parseReference } from './reference.ts';
export {
  type Descriptor,
  type Manifest,
  OciRepository,
  type Referrer,
  type RegistryOptions,
} from './registry.ts';
