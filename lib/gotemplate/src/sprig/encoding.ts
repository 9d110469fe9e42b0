import { fromBytes, toBytes } from '../text.ts';
import { boundText, type Functions, fixed, text } from './define.ts';

/** Sprig's base64 and base32. A text that does not decode gives the error as the result. */
export function encodingFunctions(): Functions {
  return [
    ['b64enc', fixed([text], (str) => encodeBase64(toBytes(str)))],
    ['b64dec', fixed([text], (str) => decoded(() => decodeBase64(str)))],
    ['b32enc', fixed([text], (str) => encodeBase32(toBytes(str)))],
    ['b32dec', fixed([text], (str) => decoded(() => decodeBase32(str)))],
  ];
}

/** Input that is not in the encoding; the message is Go's. */
export class CorruptInputError extends Error {}

function decoded(decode: () => Uint8Array): string {
  try {
    return fromBytes(decode());
  } catch (error) {
    if (error instanceof CorruptInputError) return error.message;
    throw error;
  }
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export function encodeBase64(bytes: Uint8Array): string {
  boundText(bytes.length * 1.4, 'b64enc');
  let out = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b, c] = bytes.subarray(i, i + 3);
    out += `${BASE64[a >> 2]}${BASE64[((a & 3) << 4) | ((b ?? 0) >> 4)]}`;
    out += b === undefined ? '=' : BASE64[((b & 15) << 2) | ((c ?? 0) >> 6)];
    out += c === undefined ? '=' : BASE64[c & 63];
  }
  return out;
}

export function encodeBase32(bytes: Uint8Array): string {
  let out = '';
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += BASE32[(buffer >> bits) & 31];
    }
    buffer &= 255;
  }
  if (bits > 0) out += BASE32[(buffer << (5 - bits)) & 31];
  return out.padEnd(Math.ceil(out.length / 8) * 8, '=');
}

/** base64.StdEncoding.DecodeString: newlines are skipped, padding is wanted. Throws CorruptInputError. */
export function decodeBase64(input: string): Uint8Array {
  return decodeGroups(input, { alphabet: BASE64, bits: 6, group: 4, name: 'base64' });
}

/** base32.StdEncoding.DecodeString. Throws CorruptInputError. */
export function decodeBase32(input: string): Uint8Array {
  return decodeGroups(input, { alphabet: BASE32, bits: 5, group: 8, name: 'base32' });
}

interface Encoding {
  readonly alphabet: string;
  readonly bits: number;
  /** Characters of one group, which padding fills up. */
  readonly group: number;
  readonly name: string;
}

interface Digit {
  readonly char: string;
  readonly offset: number;
}

function decodeGroups(input: string, encoding: Encoding): Uint8Array {
  const digits: Digit[] = [];
  const bytes = toBytes(input);
  for (const [offset, byte] of bytes.entries()) {
    if (byte !== 10 && byte !== 13) digits.push({ char: String.fromCharCode(byte), offset });
  }
  const { bits, group } = encoding;
  // base32 removes newlines before it counts, base64 counts them.
  const place = (index: number): number =>
    group === 8 ? index : (digits[index]?.offset ?? bytes.length);
  const out = new Uint8Array(Math.ceil((digits.length * bits) / 8));
  let size = 0;
  for (let i = 0; i < digits.length; i += group) {
    const values = groupValues(digits, i, encoding, place);
    let buffer = 0;
    let held = 0;
    for (const value of values) {
      buffer = ((buffer << bits) | value) & 0xffff;
      held += bits;
      if (held >= 8) {
        held -= 8;
        out[size++] = (buffer >> held) & 255;
      }
    }
    if (values.length < group && i + group < digits.length) {
      throw corrupt(encoding, place(i + group));
    }
  }
  return out.subarray(0, size);
}

/** The digits of one group without its padding. */
function groupValues(
  digits: readonly Digit[],
  start: number,
  encoding: Encoding,
  place: (index: number) => number,
): number[] {
  const { alphabet, group } = encoding;
  const values: number[] = [];
  for (let j = 0; j < group; j++) {
    const digit = digits[start + j];
    if (digit === undefined) throw corrupt(encoding, group === 8 ? start : place(start + j) - j);
    const value = alphabet.indexOf(digit.char);
    if (value >= 0) {
      values.push(value);
      continue;
    }
    if (digit.char !== '=') throw corrupt(encoding, place(start + j));
    if (group === 8) checkPadding32(digits, start, j, encoding);
    else checkPadding64(digits, start, j, { encoding, place });
    return values;
  }
  return values;
}

function checkPadding64(
  digits: readonly Digit[],
  start: number,
  at: number,
  { encoding, place }: { readonly encoding: Encoding; readonly place: (index: number) => number },
): void {
  if (at < 2) throw corrupt(encoding, place(start + at));
  for (let k = at; k < 4; k++) {
    if (digits[start + k]?.char !== '=') throw corrupt(encoding, place(start + k));
  }
}

/** The offsets are those that encoding/base32 reports, off by one or not. */
function checkPadding32(
  digits: readonly Digit[],
  start: number,
  at: number,
  encoding: Encoding,
): void {
  const after = start + at + 1;
  const left = digits.length - after;
  if (at < 2 || left >= 8) throw corrupt(encoding, start + at);
  if (left + at < 7) throw corrupt(encoding, digits.length);
  for (let k = 0; k < 7 - at; k++) {
    const next = digits[after + k];
    if (next !== undefined && next.char !== '=') throw corrupt(encoding, after + k - 1);
  }
  if (at === 3 || at === 6) throw corrupt(encoding, after - 1);
}

function corrupt({ name }: Encoding, offset: number): CorruptInputError {
  return new CorruptInputError(`illegal ${name} data at input byte ${offset}`);
}
