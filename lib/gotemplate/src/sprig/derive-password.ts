import { byteLength, toBytes } from '../text.ts';

const SEED = 'com.lyndir.masterpassword';

/** Each letter of a template stands for a set of characters. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  maximum: ['anoxxxxxxxxxxxxxxxxx', 'axxxxxxxxxxxxxxxxxno'],
  long: [
    'CvcvnoCvcvCvcv',
    'CvcvCvcvnoCvcv',
    'CvcvCvcvCvcvno',
    'CvccnoCvcvCvcv',
    'CvccCvcvnoCvcv',
    'CvccCvcvCvcvno',
    'CvcvnoCvccCvcv',
    'CvcvCvccnoCvcv',
    'CvcvCvccCvcvno',
    'CvcvnoCvcvCvcc',
    'CvcvCvcvnoCvcc',
    'CvcvCvcvCvccno',
    'CvccnoCvccCvcv',
    'CvccCvccnoCvcv',
    'CvccCvccCvcvno',
    'CvcvnoCvccCvcc',
    'CvcvCvccnoCvcc',
    'CvcvCvccCvccno',
    'CvccnoCvcvCvcc',
    'CvccCvcvnoCvcc',
    'CvccCvcvCvccno',
  ],
  medium: ['CvcnoCvc', 'CvcCvcno'],
  short: ['Cvcn'],
  basic: ['aaanaaan', 'aannaaan', 'aaannaaa'],
  pin: ['nnnn'],
};

const CHARACTERS: Readonly<Record<string, string>> = {
  V: 'AEIOU',
  C: 'BCDFGHJKLMNPQRSTVWXYZ',
  v: 'aeiou',
  c: 'bcdfghjklmnpqrstvwxyz',
  A: 'AEIOUBCDFGHJKLMNPQRSTVWXYZ',
  a: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz',
  n: '0123456789',
  o: "@&%?,=[]_:-+*$#!'^~;()/.",
  x: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()',
};

export interface PasswordRequest {
  readonly counter: number;
  readonly kind: string;
  readonly password: string;
  readonly user: string;
  readonly site: string;
}

export interface PasswordPrimitives {
  readonly scrypt: (password: Uint8Array, salt: Uint8Array) => Uint8Array;
  readonly hmac: (key: Uint8Array, data: Uint8Array) => Uint8Array;
}

/** The Master Password algorithm as Sprig has it. */
export function derivePassword(request: PasswordRequest, primitives: PasswordPrimitives): string {
  const { counter, kind, password, user, site } = request;
  const templates = Object.hasOwn(TEMPLATES, kind) ? TEMPLATES[kind] : undefined;
  if (templates === undefined) return `cannot find password template ${kind}`;
  const key = primitives.scrypt(toBytes(password), joinBytes(SEED, byteLength(user), user));
  const seed = primitives.hmac(key, joinBytes(SEED, byteLength(site), site, counter));
  const template = templates[(seed[0] ?? 0) % templates.length] ?? '';
  return [...template]
    .map((letter, index) => {
      const characters = CHARACTERS[letter] ?? '';
      return characters.charAt((seed[index + 1] ?? 0) % characters.length);
    })
    .join('');
}

/** Texts as bytes, numbers as four bytes, big end first. */
function joinBytes(...parts: readonly (string | number)[]): Uint8Array {
  const bytes = parts.flatMap((part) =>
    typeof part === 'string'
      ? [...toBytes(part)]
      : [24, 16, 8, 0].map((shift) => (part >>> shift) & 255),
  );
  return Uint8Array.from(bytes);
}
