import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  randomBytes as nodeRandomBytes,
  scryptSync,
} from 'node:crypto';
import bcryptjs from 'bcryptjs';
import { listOf } from '../map.ts';
import { byteLength, fromBytes, toBytes } from '../text.ts';
import { type CallContext, GoError, type GoValue, LIST } from '../value.ts';
import {
  buildCustomCertificate,
  CERTIFICATE,
  type CertificatePair,
  type CertificateRequest,
  type CertificateTools,
  certificatePair,
  certificateValue,
  selfSigned,
  signedBy,
} from './certificates.ts';
import {
  boundText,
  count,
  count32,
  type Functions,
  fixed,
  type Param,
  runtimeError,
  text,
} from './define.ts';
import { derivePassword } from './derive-password.ts';
import { CorruptInputError, decodeBase64, encodeBase64 } from './encoding.ts';
import { generatePrivateKey } from './keys.ts';

export type RandomBytes = (count: number) => Uint8Array;

const list: Param<readonly GoValue[]> = { type: LIST, read: (value) => listOf(value) ?? [] };
const certificate: Param<CertificatePair> = { type: CERTIFICATE, read: certificatePair };

/** Sprig's cryptography and random texts. `randomBytes` can be fixed for tests; keys come from Node always. */
export function cryptoFunctions(randomBytes: RandomBytes = nodeRandomBytes): Functions {
  return [
    ['sha1sum', fixed([text], (str) => digest('sha1', str))],
    ['sha256sum', fixed([text], (str) => digest('sha256', str))],
    ['sha512sum', fixed([text], (str) => digest('sha512', str))],
    ['adler32sum', fixed([text], adler32)],
    ['bcrypt', fixed([text], (password) => bcrypt(password, randomBytes))],
    ['htpasswd', fixed([text, text], (user, password) => htpasswd(user, password, randomBytes))],
    [
      'derivePassword',
      fixed([count32, text, text, text, text], (n, kind, password, user, site) =>
        derivePassword({ counter: n, kind, password, user, site }, { scrypt, hmac }),
      ),
    ],
    ['genPrivateKey', fixed([text], generatePrivateKey)],
    [
      'encryptAES',
      fixed([text, text], (password, plain) => encryptAes(password, plain, randomBytes)),
    ],
    ['decryptAES', fixed([text, text], decryptAes)],
    ['randBytes', fixed([count], (size) => encodeBase64(bounded(size, randomBytes)))],
    ['randAlphaNum', fixed([count], (size) => randomText(size, ALPHANUMERIC, randomBytes))],
    ['randAlpha', fixed([count], (size) => randomText(size, LETTERS, randomBytes))],
    ['randNumeric', fixed([count], (size) => randomText(size, DIGITS, randomBytes))],
    ['randAscii', fixed([count], (size) => randomText(size, ASCII, randomBytes))],
    ['shuffle', fixed([text], (str) => shuffle(str, randomBytes))],
    ['uuidv4', fixed([], () => uuid(randomBytes(16)))],
    ...certificateFunctions(randomBytes),
  ];
}

function certificateFunctions(randomBytes: RandomBytes): Functions {
  const tools = (context: CallContext): CertificateTools => ({ context, randomBytes });
  return [
    [
      'buildCustomCert',
      fixed([text, text], (cert, key) => certificateValue(buildCustomCertificate(cert, key))),
    ],
    [
      'genCA',
      fixed([text, count], (cn, days, context) =>
        certificateValue(selfSigned(authority(cn, days), tools(context))),
      ),
    ],
    [
      'genCAWithKey',
      fixed([text, count, text], (cn, days, pem, context) =>
        certificateValue(selfSigned(authority(cn, days), tools(context), pem)),
      ),
    ],
    [
      'genSelfSignedCert',
      fixed([text, list, list, count], (cn, ips, dns, days, context) =>
        certificateValue(selfSigned(leaf(cn, ips, dns, days), tools(context))),
      ),
    ],
    [
      'genSelfSignedCertWithKey',
      fixed([text, list, list, count, text], (cn, ips, dns, days, pem, context) =>
        certificateValue(selfSigned(leaf(cn, ips, dns, days), tools(context), pem)),
      ),
    ],
    [
      'genSignedCert',
      fixed([text, list, list, count, certificate], (cn, ips, dns, days, ca, context) =>
        certificateValue(signedBy(ca, leaf(cn, ips, dns, days), tools(context))),
      ),
    ],
    [
      'genSignedCertWithKey',
      fixed([text, list, list, count, certificate, text], (cn, ips, dns, days, ca, pem, context) =>
        certificateValue(signedBy(ca, leaf(cn, ips, dns, days), tools(context), pem)),
      ),
    ],
  ];
}

function authority(commonName: string, daysValid: number): CertificateRequest {
  return { commonName, ips: [], dnsNames: [], daysValid, isCa: true };
}

function leaf(
  commonName: string,
  ips: readonly GoValue[],
  dnsNames: readonly GoValue[],
  daysValid: number,
): CertificateRequest {
  return { commonName, ips, dnsNames, daysValid, isCa: false };
}

function digest(algorithm: string, str: string): string {
  return createHash(algorithm).update(toBytes(str)).digest('hex');
}

function adler32(str: string): string {
  let a = 1;
  let b = 0;
  for (const byte of toBytes(str)) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return String(b * 65536 + a);
}

// Passwords ---------------------------------------------------------------------------------------------------------

const BCRYPT_COST = 10;
const BCRYPT_BYTES_MAX = 72;

function bcrypt(password: string, randomBytes: RandomBytes): string {
  if (byteLength(password) > BCRYPT_BYTES_MAX) {
    return 'failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes';
  }
  // The salt says $2a$, as Go's hashes do.
  const salt = bcryptjs.encodeBase64([...randomBytes(16)], 16);
  return bcryptjs.hashSync(password, `$2a$${BCRYPT_COST}$${salt}`);
}

function htpasswd(user: string, password: string, randomBytes: RandomBytes): string {
  if (user.includes(':')) return `invalid username: ${user}`;
  return `${user}:${bcrypt(password, randomBytes)}`;
}

function scrypt(password: Uint8Array, salt: Uint8Array): Uint8Array {
  return scryptSync(password, salt, 64, { N: 32768, r: 8, p: 2, maxmem: 128 * 1024 * 1024 });
}

function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update(data).digest();
}

// AES ---------------------------------------------------------------------------------------------------------------

function aesKey(password: string): Uint8Array {
  const key = new Uint8Array(32);
  key.set(toBytes(password).subarray(0, 32));
  return key;
}

function encryptAes(password: string, plain: string, randomBytes: RandomBytes): string {
  if (plain === '') return '';
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-cbc', aesKey(password), iv);
  return encodeBase64(Buffer.concat([iv, cipher.update(toBytes(plain)), cipher.final()]));
}

/** Sprig looks at the last byte for the padding and checks nothing else. */
function decryptAes(password: string, encrypted: string): string {
  if (encrypted === '') return '';
  const bytes = decodeOrFail(encrypted);
  if (bytes.length < 16)
    throw runtimeError(`slice bounds out of range [:16] with capacity ${bytes.length}`);
  const body = bytes.subarray(16);
  if (body.length % 16 !== 0) throw new GoError('crypto/cipher: input not full blocks');
  const decipher = createDecipheriv('aes-256-cbc', aesKey(password), bytes.subarray(0, 16));
  decipher.setAutoPadding(false);
  const plain = Buffer.concat([decipher.update(body), decipher.final()]);
  if (plain.length === 0) throw runtimeError('index out of range [-1]');
  const end = plain.length - (plain.at(-1) ?? 0);
  if (end < 0) throw runtimeError(`slice bounds out of range [:${end}]`);
  return fromBytes(plain.subarray(0, end));
}

function decodeOrFail(base64: string): Uint8Array {
  try {
    return decodeBase64(base64);
  } catch (error) {
    if (error instanceof CorruptInputError) throw new GoError(error.message);
    throw error;
  }
}

// Random texts ------------------------------------------------------------------------------------------------------

const DIGITS = '0123456789';
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ALPHANUMERIC = DIGITS + LETTERS;
const ASCII = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');

function bounded(size: number, randomBytes: RandomBytes): Uint8Array {
  if (size < 0) throw runtimeError('makeslice: len out of range');
  boundText(size, 'randBytes');
  return randomBytes(size);
}

function randomText(size: number, alphabet: string, randomBytes: RandomBytes): string {
  if (size <= 0) return '';
  boundText(size, 'rand');
  let out = '';
  const fair = Math.floor(256 / alphabet.length) * alphabet.length;
  while (out.length < size) {
    for (const byte of randomBytes(Math.max(16, size - out.length))) {
      if (byte < fair && out.length < size) out += alphabet.charAt(byte % alphabet.length);
    }
  }
  return out;
}

/** A random integer in [0, limit). */
export function randomIntFrom(randomBytes: RandomBytes): (limit: number) => number {
  return (limit) => {
    const bytes = randomBytes(6);
    let value = 0;
    for (const byte of bytes) value = value * 256 + byte;
    return Math.floor((value / 2 ** 48) * limit);
  };
}

function shuffle(str: string, randomBytes: RandomBytes): string {
  const randomInt = randomIntFrom(randomBytes);
  const chars = [...str];
  for (let i = chars.length - 1; i > 0; i--) {
    const j = randomInt(i + 1);
    const held = chars[i] ?? '';
    chars[i] = chars[j] ?? '';
    chars[j] = held;
  }
  return chars.join('');
}

function uuid(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte, index) => {
    const value = index === 6 ? (byte & 0x0f) | 0x40 : index === 8 ? (byte & 0x3f) | 0x80 : byte;
    return value.toString(16).padStart(2, '0');
  }).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
