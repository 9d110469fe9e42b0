import { failure } from './failure.ts';

/** The text of a YAML file. Bytes that are no UTF-8 are an error, in the words of Go's YAML reader. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw failure(`yaml: ${utf8Problem(bytes)}`);
  }
}

/** What is wrong with the first sequence that is no UTF-8. */
function utf8Problem(bytes: Uint8Array): string {
  for (let i = 0; i < bytes.length; ) {
    const lead = bytes[i]!;
    const width = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if ((lead >= 0x80 && lead < 0xc0) || lead >= 0xf8) return 'invalid leading UTF-8 octet';
    if (i + width > bytes.length) return 'incomplete UTF-8 octet sequence';
    for (let k = 1; k < width; k++) {
      if ((bytes[i + k]! & 0xc0) !== 0x80) return 'invalid trailing UTF-8 octet';
    }
    i += width;
  }
  return 'invalid length of a UTF-8 sequence';
}
