import { constants, type KeyObject, verify } from 'node:crypto';

interface Scheme {
  readonly key: 'rsa' | 'ec' | 'ed25519';
  readonly digest: string | null;
  readonly isPss?: true;
}

const RSA = '1.2.840.113549.1.1.1';
const PSS = '1.2.840.113549.1.1.10';

const SCHEMES: Readonly<Record<string, Scheme>> = {
  '1.2.840.113549.1.1.11': { key: 'rsa', digest: 'sha256' },
  '1.2.840.113549.1.1.12': { key: 'rsa', digest: 'sha384' },
  '1.2.840.113549.1.1.13': { key: 'rsa', digest: 'sha512' },
  '1.2.840.10045.4.3.2': { key: 'ec', digest: 'sha256' },
  '1.2.840.10045.4.3.3': { key: 'ec', digest: 'sha384' },
  '1.2.840.10045.4.3.4': { key: 'ec', digest: 'sha512' },
  '1.3.101.112': { key: 'ed25519', digest: null },
};

/** Names of digests by their object identifiers: SHA-2 alone, what is older counts no more. */
export const DIGESTS: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

export interface SignedBytes {
  /** Object identifier of the algorithm of the signature. */
  readonly algorithm: string;
  /** Name of the digest where the algorithm leaves it open (RSA of CMS, RSASSA-PSS). */
  readonly digest?: string | undefined;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
}

/** Whether a key signed the bytes. False for algorithms that are unknown or too weak, as for keys of another kind. */
export function isSignedBy({ algorithm, digest, bytes, signature }: SignedBytes, key: KeyObject) {
  const scheme = SCHEMES[algorithm] ?? openScheme(algorithm, digest);
  if (scheme === undefined || key.asymmetricKeyType !== scheme.key) return false;
  const padding = {
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  };
  try {
    return verify(
      scheme.digest,
      bytes,
      scheme.isPss === true ? { key, ...padding } : key,
      signature,
    );
  } catch {
    return false;
  }
}

function openScheme(algorithm: string, digest: string | undefined): Scheme | undefined {
  if (digest === undefined) return undefined;
  if (algorithm === RSA) return { key: 'rsa', digest };
  return algorithm === PSS ? { key: 'rsa', digest, isPss: true } : undefined;
}
