import { type DerElement, der, TAG } from './der.ts';

const DEPTH_MAX = 64;
const CONSTRUCTED = 0x20;
const CONSTRUCTED_OCTETS = 0x24;

/**
 * BER (X.690) as DER has it where signatures need it: lengths are definite, octet strings are in one piece. Throws RangeError when
 * a length does not fit.
 */
export function definiteLengths(ber: Uint8Array): Uint8Array {
  const { element, end } = readElement(ber, 0, 0);
  if (end !== ber.length) throw new RangeError('there is something behind it');
  return element.whole;
}

function readElement(
  bytes: Uint8Array,
  start: number,
  depth: number,
): { readonly element: DerElement; readonly end: number } {
  const [tag, head] = [bytes[start], bytes[start + 1]];
  if (tag === undefined || head === undefined) throw new RangeError('an element ends early');
  if (depth > DEPTH_MAX) throw new RangeError('elements are nested too deeply');
  if ((tag & 0x1f) === 0x1f) throw new RangeError('a tag is too long');
  const isConstructed = (tag & CONSTRUCTED) !== 0;
  const { size, at } = readLength(bytes, start + 1);
  if (size === undefined && !isConstructed) throw new RangeError('a length is missing');
  if (size !== undefined && at + size > bytes.length) {
    throw new RangeError('an element is longer than its input');
  }
  if (!isConstructed) {
    const end = at + (size ?? 0);
    return { element: elementOf(tag, [bytes.subarray(at, end)]), end };
  }
  const children: DerElement[] = [];
  let next = at;
  while (size === undefined ? !isEnd(bytes, next) : next < at + size) {
    const child = readElement(bytes, next, depth + 1);
    children.push(child.element);
    next = child.end;
  }
  const isPieces = tag === CONSTRUCTED_OCTETS;
  const parts = children.map(({ content, whole }) => (isPieces ? content : whole));
  const element = elementOf(isPieces ? TAG.octetString : tag, parts);
  return { element, end: size === undefined ? next + 2 : next };
}

function readLength(
  bytes: Uint8Array,
  start: number,
): { readonly size: number | undefined; readonly at: number } {
  const head = bytes[start] ?? 0;
  if (head === 0x80) return { size: undefined, at: start + 1 };
  const count = head > 0x80 ? head & 0x7f : 0;
  if (count > 6) throw new RangeError('a length is too long');
  let size = count === 0 ? head : 0;
  for (const byte of bytes.subarray(start + 1, start + 1 + count)) size = size * 256 + byte;
  return { size, at: start + 1 + count };
}

function isEnd(bytes: Uint8Array, at: number): boolean {
  if (at + 2 > bytes.length) throw new RangeError('an element has no end');
  return bytes[at] === 0 && bytes[at + 1] === 0;
}

function elementOf(tag: number, parts: readonly Uint8Array[]): DerElement {
  const content = Buffer.concat(parts);
  return { tag, content, whole: der(tag, content) };
}
