import { CapstanError } from '@capstan/lib-std';

export interface OciReference {
  /** Host with its port. */
  readonly registry: string;
  /** Path of the repository in the registry. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

const REPOSITORY = /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Reads `[oci://]host[:port]/path[:tag][@sha256:…]`. Throws OCI_REFERENCE. */
export function parseReference(text: string): OciReference {
  const plain = text.replace(/^oci:\/\//, '');
  const slash = plain.indexOf('/');
  const [name = '', digest] = plain.slice(slash + 1).split('@');
  const colon = name.lastIndexOf(':');
  const repository = colon < 0 ? name : name.slice(0, colon);
  const tag = colon < 0 ? undefined : name.slice(colon + 1);
  const sound =
    slash > 0 &&
    /^[A-Za-z0-9.-]+(:\d+)?$|^\[[0-9a-f:]+\](:\d+)?$/.test(plain.slice(0, slash)) &&
    REPOSITORY.test(repository) &&
    (tag === undefined || TAG.test(tag)) &&
    (digest === undefined || DIGEST.test(digest));
  if (!sound) {
    throw new CapstanError('OCI_REFERENCE', `invalid OCI reference ${JSON.stringify(text)}`, {
      hint: 'write oci://host/path:tag or oci://host/path@sha256:…',
    });
  }
  return {
    registry: plain.slice(0, slash),
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/**
 * Whether a registry may be reached without TLS when it does not speak it, as for other clients of registries: one of this machine,
 * of a private network (RFC 1918), or of a name that ends in `.local` or `.localhost`, as Services of a cluster do.
 */
export function isNearby(registry: string): boolean {
  return (
    /^localhost(?::\d+)?$|\.local(?:host)?(?::\d{1,5})?$/.test(registry) ||
    /127\.0\.0\.1|::1/.test(registry) ||
    /^(?:10\.\d+|172\.(?:1[6-9]|2\d|3[01])|192\.168)\.\d+\.\d+(?::\d+)?$|^10(?:\.\d+){3}(?::\d+)?$/.test(
      registry,
    )
  );
}

export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}
