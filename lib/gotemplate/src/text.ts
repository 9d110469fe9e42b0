/**
 * Go's strings are bytes, JavaScript's are UTF-16. A Go string is held as the JavaScript string of its valid UTF-8; each
 * byte that is not part of valid UTF-8 is one lone surrogate U+DC00 + byte. Nothing is lost, and ASCII costs nothing.
 */

const ESCAPE_BASE = 0xdc00;

/** The number of bytes of the Go string. */
export function byteLength(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    if (code < 0x800) bytes += 1;
    else if (isLead(code) && isTrail(text.charCodeAt(i + 1))) {
      bytes += 2;
      i++;
    } else if (isEscape(code)) continue;
    else bytes += 2;
  }
  return bytes;
}

export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
}

function isLead(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}

function isTrail(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}

function isEscape(code: number): boolean {
  return code >= ESCAPE_BASE + 0x80 && code <= ESCAPE_BASE + 0xff;
}

/** A byte of an invalid sequence as it is held in a string. */
export function escapedByte(byte: number): string {
  return String.fromCharCode(ESCAPE_BASE + byte);
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes of a Go string. */
export function toBytes(text: string): Uint8Array {
  return text.isWellFormed() ? ENCODER.encode(text) : bytesOfEscaped(text);
}

function bytesOfEscaped(text: string): Uint8Array {
  const out = new Uint8Array(byteLength(text));
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i) ?? 0;
    if (code > 0xffff) i++;
    if (isEscape(code)) out[at++] = code - ESCAPE_BASE;
    else at = putRune(out, at, code);
  }
  return out;
}

function putRune(out: Uint8Array, from: number, rune: number): number {
  const code = rune >= 0xd800 && rune < 0xe000 ? 0xfffd : rune;
  let at = from;
  if (code < 0x80) {
    out[at++] = code;
    return at;
  }
  if (code < 0x800) out[at++] = 0xc0 | (code >> 6);
  else {
    if (code < 0x10000) out[at++] = 0xe0 | (code >> 12);
    else {
      out[at++] = 0xf0 | (code >> 18);
      out[at++] = 0x80 | ((code >> 12) & 0x3f);
    }
    out[at++] = 0x80 | ((code >> 6) & 0x3f);
  }
  out[at++] = 0x80 | (code & 0x3f);
  return at;
}

/** The Go string of some bytes. */
export function fromBytes(bytes: Uint8Array): string {
  try {
    return DECODER.decode(bytes);
  } catch {
    return escapedOfBytes(bytes);
  }
}

function escapedOfBytes(bytes: Uint8Array): string {
  const parts: string[] = [];
  let part = '';
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i] ?? 0;
    if (first < 0x80) {
      part += String.fromCharCode(first);
      i++;
    } else {
      const { rune, size } = decodeRune(bytes, i);
      part += rune < 0 ? escapedByte(first) : String.fromCodePoint(rune);
      i += size;
    }
    if (part.length > 4096) {
      parts.push(part);
      part = '';
    }
  }
  parts.push(part);
  return parts.join('');
}

/** The rune at an offset and its size; rune -1, size 1 for an invalid byte. */
function decodeRune(bytes: Uint8Array, at: number): { rune: number; size: number } {
  const invalid = { rune: -1, size: 1 };
  const first = bytes[at] ?? 0;
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + size > bytes.length) return invalid;
  let rune = first & (0xff >> (size + 1));
  for (let i = 1; i < size; i++) {
    const next = bytes[at + i] ?? 0;
    if ((next & 0xc0) !== 0x80) return invalid;
    rune = (rune << 6) | (next & 0x3f);
  }
  const least = size === 4 ? 0x10000 : size === 3 ? 0x800 : 0x80;
  if (rune < least || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)) return invalid;
  return { rune, size };
}

/** text[start:end] by bytes. */
export function byteSlice(text: string, start: number, end: number): string {
  if (isAscii(text)) return text.slice(start, end);
  return fromBytes(toBytes(text).subarray(start, end));
}

const HAS_ESCAPE = /[\udc80-\udcff]/u;

/** Bytes that were invalid apart may have become valid together; joins them again. */
export function normalizeText(text: string): string {
  return HAS_ESCAPE.test(text) ? fromBytes(toBytes(text)) : text;
}

/** The runes of a Go string, an invalid byte as U+FFFD. */
export function runes(text: string): number[] {
  const out: number[] = [];
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    out.push(code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
  }
  return out;
}

export function runeCount(text: string): number {
  let count = text.length;
  for (let i = 0; i + 1 < text.length; i++) {
    if (isLead(text.charCodeAt(i)) && isTrail(text.charCodeAt(i + 1))) {
      count--;
      i++;
    }
  }
  return count;
}

/** A rune as text; what is no rune becomes U+FFFD. */
export function runeText(rune: number): string {
  const valid = rune >= 0 && rune <= 0x10ffff && !(rune >= 0xd800 && rune < 0xe000);
  return String.fromCodePoint(valid ? rune : 0xfffd);
}

/** Compares two Go strings as Go does, byte by byte. */
export function compareText(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates order above the rest of the basic plane in UTF-8, below U+E000 in UTF-16.
    if (x >= 0xd800 || y >= 0xd800) return compareBytes(toBytes(a.slice(i)), toBytes(b.slice(i)));
    return x < y ? -1 : 1;
  }
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference < 0 ? -1 : 1;
  }
  return Math.sign(a.length - b.length);
}

/** Sorts strings in place in Go's order. Plain code unit order where it is the same. */
export function sortTexts(texts: string[]): string[] {
  for (const text of texts) if (HIGH.test(text)) return texts.sort(compareText);
  return texts.sort();
}

const HIGH = /[\ud800-\uffff]/;
