/**
 * Bytes as hexadecimal digits, in one piece. Text that is put together digit by digit stays a chain of its parts until somebody
 * looks into it, thirty times as large: digests are kept, and often are never more than compared.
 */
export function hexOf(bytes: Uint8Array): string {
  let text = '';
  for (let from = 0; from < bytes.length; from += PIECE) {
    const codes: number[] = [];
    for (const byte of bytes.subarray(from, from + PIECE)) {
      codes.push(digitOf(byte >> 4), digitOf(byte & 15));
    }
    text += String.fromCharCode(...codes);
  }
  return text;
}

/** Of no digest are there more; a longer text has a few parts. */
const PIECE = 64;

function digitOf(value: number): number {
  return value < 10 ? 0x30 + value : 0x57 + value;
}
