import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { gitError } from './errors.ts';

/** What git puts into the signature beside the content: a signature for files or mail is none for a commit. */
const NAMESPACE = 'git';
const MAGIC = 'SSHSIG';
const HASHES: Readonly<Record<string, string>> = { sha256: 'sha256', sha512: 'sha512' };

/** A public key as it travels: `type` and the bytes that `authorized_keys` holds in base64. */
interface SshPublicKey {
  readonly blob: Buffer;
}

/**
 * Checks a signature that `git commit -S` made with an SSH key (PROTOCOL.sshsig of OpenSSH) against keys in the form of
 * authorized_keys files. Answers the fingerprint of the key; throws GIT_SIGNATURE_INVALID.
 */
export function verifySshSignature(
  payload: Uint8Array,
  armored: string,
  authorizedKeys: readonly string[],
): string {
  const signature = parseSignature(armored);
  const parsed = authorizedKeys.map(parseAuthorizedKeys);
  const keys = parsed.flatMap((one) => (one.kind === 'keys' ? one.keys : []));
  const [broken] = parsed.flatMap((one) => (one.kind === 'invalid' ? [one.line] : []));
  if (keys.length === 0 && broken !== undefined) {
    throw invalid(
      `unable to parse authorized keys: line ${JSON.stringify(broken.slice(0, 40))} is no key`,
    );
  }
  const key = keys.find(({ blob }) => blob.equals(signature.publicKey));
  if (key === undefined || !holds(payload, signature)) {
    throw invalid(
      'unable to verify payload with any of the given authorized keys: no matching key',
    );
  }
  return `SHA256:${createHash('sha256').update(key.blob).digest('base64').replace(/=+$/, '')}`;
}

interface SshSignature {
  readonly publicKey: Buffer;
  readonly reserved: Buffer;
  readonly hash: string;
  readonly signature: Buffer;
}

function parseSignature(armored: string): SshSignature {
  const body = /-----BEGIN SSH SIGNATURE-----([A-Za-z0-9+/=\s]+)-----END SSH SIGNATURE-----/.exec(
    armored,
  )?.[1];
  if (body === undefined) throw invalid('the SSH signature cannot be read');
  const reader = new Reader(Buffer.from(body, 'base64'));
  if (reader.bytes(MAGIC.length).toString('latin1') !== MAGIC || reader.uint32() !== 1) {
    throw invalid('the SSH signature is of an unknown version');
  }
  const publicKey = reader.text();
  const namespace = reader.text().toString('latin1');
  const reserved = reader.text();
  const hash = reader.text().toString('latin1');
  const signature = reader.text();
  if (namespace !== NAMESPACE)
    throw invalid(`the SSH signature is for ${JSON.stringify(namespace)}`);
  if (HASHES[hash] === undefined)
    throw invalid(`the hash ${JSON.stringify(hash)} is not supported`);
  return { publicKey, reserved, hash, signature };
}

function holds(
  payload: Uint8Array,
  { publicKey, reserved, hash, signature }: SshSignature,
): boolean {
  const signed = Buffer.concat([
    Buffer.from(MAGIC),
    ...[Buffer.from(NAMESPACE), reserved, Buffer.from(hash)].map(string),
    string(
      createHash(HASHES[hash] ?? '')
        .update(payload)
        .digest(),
    ),
  ]);
  const reader = new Reader(signature);
  const format = reader.text().toString('latin1');
  const value = reader.text();
  const key = new Reader(publicKey);
  const type = key.text().toString('latin1');
  if (type === 'ssh-rsa') {
    const algorithm = { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' }[format];
    return algorithm !== undefined && verify(algorithm, signed, rsaKey(key), value);
  }
  if (format !== type) return false;
  if (type === 'ssh-ed25519') return verify(null, signed, ed25519Key(key.text()), value);
  const curve = /^ecdsa-sha2-(nistp\d+)$/.exec(type)?.[1];
  if (curve !== undefined) return verifyEcdsa(signed, key, { curve, value });
  // Keys of security tokens sign the application's name, flags and a counter with it.
  const isToken =
    type === 'sk-ssh-ed25519@openssh.com' || type === 'sk-ecdsa-sha2-nistp256@openssh.com';
  return isToken && verifyToken(signed, key, { type, value, rest: reader });
}

const CURVES: Readonly<Record<string, readonly [name: string, hash: string]>> = {
  nistp256: ['P-256', 'sha256'],
  nistp384: ['P-384', 'sha384'],
  nistp521: ['P-521', 'sha512'],
};

function verifyEcdsa(
  signed: Buffer,
  key: Reader,
  { curve, value }: { readonly curve: string; readonly value: Buffer },
): boolean {
  const known = CURVES[curve];
  if (known === undefined || key.text().toString('latin1') !== curve) return false;
  const point = key.text();
  const size = (point.length - 1) / 2;
  if (point[0] !== 4 || !Number.isInteger(size)) return false;
  const publicKey = ecKey(known[0], point);
  const numbers = new Reader(value);
  const fixed = [numbers.text(), numbers.text()].map((number) => toSize(number, size));
  const [r, s] = fixed;
  if (r === undefined || s === undefined) return false;
  return verify(
    known[1],
    signed,
    { key: publicKey, dsaEncoding: 'ieee-p1363' },
    Buffer.concat([r, s]),
  );
}

function verifyToken(
  signed: Buffer,
  key: Reader,
  { type, value, rest }: { readonly type: string; readonly value: Buffer; readonly rest: Reader },
): boolean {
  const flagsAndCounter = rest.bytes(5);
  const isEd25519 = type.startsWith('sk-ssh-ed25519');
  if (!isEd25519) key.text();
  const publicPart = key.text();
  const application = key.text();
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest();
  const message = Buffer.concat([sha256(application), flagsAndCounter, sha256(signed)]);
  // The first flag says that somebody touched the token.
  if ((flagsAndCounter[0]! & 1) === 0) return false;
  if (isEd25519) return verify(null, message, ed25519Key(publicPart), value);
  const ecdsa = new Reader(Buffer.concat([string(Buffer.from('nistp256')), string(publicPart)]));
  return verifyEcdsa(message, ecdsa, { curve: 'nistp256', value });
}

function ed25519Key(bytes: Buffer): KeyObject {
  return fromJwk({ kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') });
}

function ecKey(crv: string, point: Buffer): KeyObject {
  const size = (point.length - 1) / 2;
  const x = point.subarray(1, 1 + size).toString('base64url');
  return fromJwk({ kty: 'EC', crv, x, y: point.subarray(1 + size).toString('base64url') });
}

function rsaKey(key: Reader): KeyObject {
  const e = key.text().toString('base64url');
  return fromJwk({ kty: 'RSA', e, n: key.text().toString('base64url') });
}

function fromJwk(key: Record<string, string>): KeyObject {
  try {
    return createPublicKey({ key, format: 'jwk' });
  } catch (cause) {
    throw gitError('GIT_SIGNATURE_INVALID', 'the key of the SSH signature cannot be read', {
      cause,
    });
  }
}

type AuthorizedKeys =
  | { readonly kind: 'keys'; readonly keys: readonly SshPublicKey[] }
  | { readonly kind: 'invalid'; readonly line: string };

/** `[options] type base64 [comment]` a line; one line that is none spoils the file, as in the original. */
function parseAuthorizedKeys(text: string): AuthorizedKeys {
  const keys: SshPublicKey[] = [];
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const found =
      /(?:^|\s)((?:ssh|ecdsa|sk)-[A-Za-z0-9@.-]+)\s+([A-Za-z0-9+/]+={0,2})(?:\s|$)/.exec(line);
    const blob = Buffer.from(found?.[2] ?? '', 'base64');
    const named = blob.length > 4 ? new Reader(blob).text().toString('latin1') : '';
    if (found === null || named !== found[1]) return { kind: 'invalid', line };
    keys.push({ blob });
  }
  return { kind: 'keys', keys };
}

function string(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A number without its leading zeros in exactly `size` bytes; undefined when it is larger. */
function toSize(number: Buffer, size: number): Buffer | undefined {
  const start = number.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? Buffer.alloc(0) : number.subarray(start);
  return digits.length > size
    ? undefined
    : Buffer.concat([Buffer.alloc(size - digits.length), digits]);
}

/** The wire format of SSH (RFC 4251, 5): every read is within the bytes, or the signature is none. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  bytes(count: number): Buffer {
    if (this.#at + count > this.#bytes.length) throw invalid('the SSH signature or key is cut off');
    const found = this.#bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return found;
  }

  uint32(): number {
    return this.bytes(4).readUInt32BE();
  }

  text(): Buffer {
    return this.bytes(this.uint32());
  }
}

function invalid(message: string): Error {
  return gitError('GIT_SIGNATURE_INVALID', message, {
    hint: 'see which key signed it: git log --show-signature -1',
  });
}
