import { yamlError } from './errors.ts';

/**
 * The text of a file as Go's YAML reader decodes it: UTF-8, or UTF-16 by its byte order mark. Throws what Go says about
 * octets that are neither, with code `YAML_SYNTAX`. A byte order mark of UTF-8 stays; the parsers pass over it.
 */
export function decodeYamlText(octets: Uint8Array): string {
  if (octets[0] === 0xff && octets[1] === 0xfe) return decodeUtf16(octets, 0);
  if (octets[0] === 0xfe && octets[1] === 0xff) return decodeUtf16(octets, 1);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    throw yamlError(utf8Problem(octets));
  }
}

/** What is wrong with the first octets that are not UTF-8. */
function utf8Problem(octets: Uint8Array): string {
  let at = 0;
  while (at < octets.length) {
    const lead = octets[at]!;
    const width = utf8Width(lead);
    if (width === 0) return 'invalid leading UTF-8 octet';
    if (at + width > octets.length) return 'incomplete UTF-8 octet sequence';
    let code = width === 1 ? lead : lead & (0xff >> (width + 1));
    for (let i = 1; i < width; i++) {
      const octet = octets[at + i]!;
      if ((octet & 0xc0) !== 0x80) return 'invalid trailing UTF-8 octet';
      code = code * 64 + (octet & 0x3f);
    }
    if (width > 1 && code < [0, 0, 0x80, 0x800, 0x10000][width]!) {
      return 'invalid length of a UTF-8 sequence';
    }
    if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) return 'invalid Unicode character';
    at += width;
  }
  return 'invalid UTF-8';
}

function utf8Width(lead: number): number {
  if (lead < 0x80) return 1;
  if ((lead & 0xe0) === 0xc0) return 2;
  if ((lead & 0xf0) === 0xe0) return 3;
  return (lead & 0xf8) === 0xf0 ? 4 : 0;
}

function decodeUtf16(octets: Uint8Array, order: 0 | 1): string {
  const parts: string[] = [];
  for (let at = 2; at < octets.length; at += 2) {
    if (at + 1 >= octets.length) throw yamlError('incomplete UTF-16 character');
    const unit = unitAt(octets, at, order);
    if ((unit & 0xfc00) === 0xdc00) throw yamlError('unexpected low surrogate area');
    parts.push(String.fromCharCode(unit));
    if ((unit & 0xfc00) !== 0xd800) continue;
    at += 2;
    if (at + 1 >= octets.length) throw yamlError('incomplete UTF-16 surrogate pair');
    const low = unitAt(octets, at, order);
    if ((low & 0xfc00) !== 0xdc00) throw yamlError('expected low surrogate area');
    parts.push(String.fromCharCode(low));
  }
  return parts.join('');
}

/** `order` is 0 when the less significant octet comes first. */
function unitAt(octets: Uint8Array, at: number, order: 0 | 1): number {
  return octets[at + order]! + octets[at + 1 - order]! * 256;
}
