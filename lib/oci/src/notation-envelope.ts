/** Signature envelopes of notation: JWS (RFC 7515) and COSE (RFC 9052), as the Notary Project's specification uses them. */
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { CapstanError } from '@capstan/lib-std';
import { openCertificate, type ReadCertificate } from '@capstan/lib-x509';
import { decode, encode, Tagged } from 'cborg';

/** What an envelope says, after its signature was found sound. */
export interface NotationEnvelope {
  /** The digest of the manifest that was signed. */
  readonly digest: string;
  readonly scheme: 'notary.x509' | 'notary.x509.signingAuthority';
  readonly signedAtMs: number;
  readonly expiresAtMs: number | undefined;
  /** From the signer's certificate to the root. */
  readonly chain: readonly ReadCertificate[];
  /** Of JWS: PS256, ES384 … */
  readonly algorithm: string;
  readonly signature: Uint8Array;
  /** The countersignature of a time-stamp authority (RFC 3161). */
  readonly timestamp?: Uint8Array;
}

type Fields = ReadonlyMap<unknown, unknown>;

interface Opened {
  readonly form: 'jws' | 'cose';
  readonly algorithm: string;
  readonly attributes: Fields;
  readonly payload: Uint8Array;
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  readonly certificates: readonly Uint8Array[];
  readonly timestamp: Uint8Array | undefined;
}

const PAYLOAD = 'application/vnd.cncf.notary.payload.v1+json';
const PREFIX = 'io.cncf.notary.';
const TIMESTAMP = `${PREFIX}timestampSignature`;
const SCHEMES = ['notary.x509', 'notary.x509.signingAuthority'] as const;
/** Those that are understood here. Others that are critical make a signature worthless. */
const CRITICAL = ['signingScheme', 'expiry', 'authenticSigningTime'].map((name) => PREFIX + name);
const COSE_ALGORITHMS: ReadonlyMap<unknown, string> = new Map([
  [-37, 'PS256'],
  [-38, 'PS384'],
  [-39, 'PS512'],
  [-7, 'ES256'],
  [-35, 'ES384'],
  [-36, 'ES512'],
]);

/** Throws OCI_SIGNATURE when an envelope cannot be read or its signature is not by its own first certificate. */
export function openEnvelope(mediaType: string, bytes: Uint8Array): NotationEnvelope {
  try {
    return judge(mediaType === 'application/cose' ? openCose(bytes) : openJws(bytes));
  } catch (cause) {
    if (cause instanceof CapstanError) throw cause;
    throw invalid('the signature envelope cannot be read', cause);
  }
}

function openJws(bytes: Uint8Array): Opened {
  const envelope = record(JSON.parse(new TextDecoder().decode(bytes)));
  const head = text(envelope.get('protected'));
  const payload = text(envelope.get('payload'));
  const attributes = record(JSON.parse(Buffer.from(head, 'base64url').toString()));
  const header = record(envelope.get('header'));
  const token = header.get(TIMESTAMP);
  return {
    form: 'jws',
    algorithm: text(attributes.get('alg')),
    attributes,
    payload: Buffer.from(payload, 'base64url'),
    signed: Buffer.from(`${head}.${payload}`),
    signature: Buffer.from(text(envelope.get('signature')), 'base64url'),
    certificates: list(header.get('x5c')).map((one) => Buffer.from(text(one), 'base64')),
    timestamp: typeof token === 'string' ? Buffer.from(token, 'base64') : undefined,
  };
}

const CBOR = {
  useMaps: true,
  tags: { 18: Tagged.decoder(18), 1: Tagged.decoder(1) },
} as const;

function openCose(bytes: Uint8Array): Opened {
  const envelope: unknown = decode(bytes, CBOR);
  const parts = list(envelope instanceof Tagged ? envelope.value : undefined);
  const [head, unprotected, payload, signature] = parts;
  const attributes = map(decode(binary(head), CBOR));
  const algorithm = COSE_ALGORITHMS.get(attributes.get(1));
  if (algorithm === undefined) throw invalid('the algorithm of the signature is not known');
  const chain = map(unprotected).get(33);
  const token = map(unprotected).get(TIMESTAMP);
  return {
    form: 'cose',
    algorithm,
    attributes: new Map([...attributes, ['crit', attributes.get(2)], ['cty', attributes.get(3)]]),
    payload: binary(payload),
    signed: encode(['Signature1', binary(head), new Uint8Array(), binary(payload)]),
    signature: binary(signature),
    certificates: chain instanceof Uint8Array ? [chain] : list(chain).map(binary),
    timestamp: token instanceof Uint8Array ? token : undefined,
  };
}

function judge(opened: Opened): NotationEnvelope {
  const { attributes } = opened;
  if (attributes.get('cty') !== PAYLOAD) throw invalid('the signature is over something else');
  const unknown = list(attributes.get('crit') ?? []).filter(
    (name) => typeof name === 'string' && !CRITICAL.includes(name),
  );
  if (unknown.length > 0) throw invalid(`the signature has critical parts: ${unknown.join(', ')}`);
  const scheme = SCHEMES.find((one) => one === attributes.get(`${PREFIX}signingScheme`));
  if (scheme === undefined) throw invalid('the scheme of the signature is not known');
  const chain = opened.certificates.map(openCertificate);
  const [signer] = chain;
  if (signer === undefined) throw invalid('the signature has no certificate');
  if (!isSignedBy(opened, signer.publicKey)) {
    const library = opened.algorithm.startsWith('PS') ? 'crypto/rsa: ' : 'crypto/ecdsa: ';
    const prefix = opened.form === 'jws' ? library : '';
    throw invalid(`signature is invalid. Error: ${prefix}verification error`);
  }
  const name = scheme === 'notary.x509' ? 'signingTime' : 'authenticSigningTime';
  const expiry = attributes.get(`${PREFIX}expiry`);
  const statement = record(JSON.parse(new TextDecoder().decode(opened.payload)));
  return {
    digest: text(record(statement.get('targetArtifact')).get('digest')),
    scheme,
    signedAtMs: timeMs(attributes.get(PREFIX + name)),
    expiresAtMs: expiry === undefined ? undefined : timeMs(expiry),
    chain,
    algorithm: opened.algorithm,
    signature: opened.signature,
    ...(opened.timestamp === undefined ? {} : { timestamp: opened.timestamp }),
  };
}

function isSignedBy({ algorithm, signed, signature }: Opened, key: KeyObject): boolean {
  const [, family, bits] = /^(PS|ES)(256|384|512)$/.exec(algorithm) ?? [];
  if (family === undefined) return false;
  const publicKey = createPublicKey(key.export({ type: 'spki', format: 'pem' }));
  const wanted = family === 'PS' ? 'rsa' : 'ec';
  if (publicKey.asymmetricKeyType !== wanted) return false;
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants;
  const options =
    family === 'PS'
      ? { key: publicKey, padding, saltLength }
      : { key: publicKey, dsaEncoding: 'ieee-p1363' as const };
  return verify(`sha${bits}`, signed, options, signature);
}

/** RFC 3339 in JWS; seconds, tagged as a time, in COSE. */
function timeMs(value: unknown): number {
  const plain = value instanceof Tagged ? value.value : value;
  const ms = typeof plain === 'string' ? Date.parse(plain) : Number(plain) * 1000;
  if (Number.isFinite(ms)) return ms;
  throw invalid('a time in the signature cannot be read');
}

function invalid(message: string, cause?: unknown): CapstanError {
  return new CapstanError('OCI_SIGNATURE', message, cause === undefined ? {} : { cause });
}

function record(value: unknown): Fields {
  if (typeof value !== 'object' || value === null) throw invalid('a part of it is missing');
  return new Map(Object.entries(value));
}

function map(value: unknown): Fields {
  if (value instanceof Map) return value;
  throw invalid('a part of it is missing');
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw invalid('a part of it is missing');
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  throw invalid('a part of it is missing');
}

function binary(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw invalid('a part of it is missing');
}
