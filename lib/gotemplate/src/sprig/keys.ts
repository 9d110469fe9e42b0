import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { encodePem, integer, integerOf, readDer, sequence } from '@capstan/lib-x509';
import { quote } from '../quote.ts';
import { GoError } from '../value.ts';
import { decodeBase64 } from './encoding.ts';

/** A private key as the PEM blocks that Sprig reads and writes hold it. */
export interface PrivateKey {
  readonly kind: 'RSA' | 'EC' | 'ED25519' | 'DSA';
  readonly key: KeyObject | undefined;
  readonly pem: string;
}

export interface PemBlock {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** The first PEM block of a text; undefined when there is none. */
export function decodePem(text: string): PemBlock | undefined {
  const begin = /-----BEGIN ([^\n]*?)-----[ \t\r]*\n/.exec(text);
  if (begin === null) return undefined;
  const type = begin[1] ?? '';
  const start = begin.index + begin[0].length;
  const end = text.indexOf(`-----END ${type}-----`, start);
  if (end < 0) return undefined;
  const body = text.slice(start, end).replace(/^(?:[^\n:]*:[^\n]*\n)+\n/, '');
  try {
    return { type, bytes: decodeBase64(body.replaceAll(/[ \t]/g, '')) };
  } catch {
    return undefined;
  }
}

/** Sprig's genPrivateKey: a PEM text, or a sentence about an unknown type. */
export function generatePrivateKey(type: string): string {
  switch (type) {
    case '':
    case 'rsa':
      return generateRsa(4096).pem;
    case 'dsa':
      return generateDsa();
    case 'ecdsa': {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return keyOf('EC', privateKey).pem;
    }
    case 'ed25519':
      return keyOf('ED25519', generateKeyPairSync('ed25519').privateKey).pem;
    default:
      return `Unknown type ${type}`;
  }
}

export function generateRsa(bits: number): PrivateKey {
  return keyOf('RSA', generateKeyPairSync('rsa', { modulusLength: bits }).privateKey);
}

function keyOf(kind: 'RSA' | 'EC' | 'ED25519', key: KeyObject): PrivateKey {
  const type = kind === 'RSA' ? 'pkcs1' : kind === 'EC' ? 'sec1' : 'pkcs8';
  return { kind, key, pem: String(key.export({ type, format: 'pem' })) };
}

/** Node writes DSA keys as PKCS#8 only; Sprig's form is the old one of OpenSSL. */
function generateDsa(): string {
  const { privateKey } = generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 });
  const [outer] = readDer(privateKey.export({ type: 'pkcs8', format: 'der' }));
  const [, algorithm, octets] = readDer(outer?.content ?? new Uint8Array());
  const [, parameters] = readDer(algorithm?.content ?? new Uint8Array());
  const [p, q, g] = readDer(parameters?.content ?? new Uint8Array()).map(integerOf);
  const x = integerOf(readDer(octets?.content ?? new Uint8Array())[0]);
  if (p === undefined || q === undefined || g === undefined) {
    throw new GoError('failed to generate dsa params');
  }
  const numbers = [0n, p, q, g, power(g, x, p), x].map(integer);
  return encodePem('DSA PRIVATE KEY', sequence(...numbers));
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let factor = base % modulus;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * factor) % modulus;
    factor = (factor * factor) % modulus;
  }
  return result;
}

/** Reads a private key of any of Sprig's types. Throws GoError in Sprig's words. */
export function parsePrivateKey(pem: string): PrivateKey {
  const block = decodePem(pem);
  if (block === undefined) throw new GoError('no PEM data in input');
  if (block.type === 'PRIVATE KEY') return readKey(block, 'pkcs8', 'decoding PEM as PKCS#8');
  if (!block.type.endsWith(' PRIVATE KEY')) {
    throw new GoError(`no private key data in PEM block of type ${block.type}`);
  }
  const kind = block.type.slice(0, -' PRIVATE KEY'.length);
  if (kind === 'RSA') return readKey(block, 'pkcs1', 'parsing RSA private key from PEM');
  if (kind === 'EC') return readKey(block, 'sec1', 'parsing EC private key from PEM');
  if (kind === 'DSA')
    return { kind: 'DSA', key: undefined, pem: encodePem(block.type, block.bytes) };
  throw new GoError(`invalid private key type ${kind}`);
}

function readKey(block: PemBlock, type: 'pkcs1' | 'pkcs8' | 'sec1', what: string): PrivateKey {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: Buffer.from(block.bytes), format: 'der', type });
  } catch {
    throw new GoError(
      `${what}: asn1: structure error: not a private key of the type ${quote(block.type)}`,
    );
  }
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return keyOf('RSA', key);
    case 'ec':
      return keyOf('EC', key);
    case 'ed25519':
      return keyOf('ED25519', key);
    default:
      throw new GoError(`${what}: x509: unsupported key type`);
  }
}
