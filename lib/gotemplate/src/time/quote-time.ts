import { toBytes } from '../text.ts';

/** Text as Go's package time quotes it in errors: by its own rules, which show every byte that is not ASCII. */
export function quoteTime(text: string): string {
  const shown = [...toBytes(text)].map((byte) => {
    if (byte >= 0x80 || byte < 0x20) return `\\x${byte.toString(16).padStart(2, '0')}`;
    const char = String.fromCharCode(byte);
    return char === '"' || char === '\\' ? `\\${char}` : char;
  });
  return `"${shown.join('')}"`;
}
