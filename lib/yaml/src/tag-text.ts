import { longTag, Style, shortTag, type YamlNode } from './node.ts';
import { resolveTag } from './resolve.ts';

const QUOTED_OR_BLOCK = Style.single | Style.double | Style.literal | Style.folded;

/** The tag to write, empty when the text implies it; `quote` when only quotes keep the text a string. */
export function scalarTag(node: YamlNode): { tag: string; quote: boolean } {
  const { tag, style, value } = node;
  if (tag === '') return { tag: '', quote: false };
  if ((style & Style.tagged) !== 0) return { tag: longTag(tag), quote: false };
  const short = shortTag(tag);
  if (short === '!!str') {
    if ((style & QUOTED_OR_BLOCK) !== 0) return { tag: '', quote: false };
    return { tag: '', quote: resolveTag(value) !== '!!str' };
  }
  return { tag: resolveTag(value) === short ? '' : longTag(tag), quote: false };
}

/** As `scalarTag`, for a mapping or sequence. */
export function collectionTag(node: YamlNode): string {
  const { tag } = node;
  if (tag === '') return '';
  if ((node.style & Style.tagged) === 0) {
    if (shortTag(tag) === (node.kind === 'mapping' ? '!!map' : '!!seq')) return '';
  }
  return longTag(tag);
}

/** A long tag as it is written: `!!str`, `!local`, or `!<…>` where no handle fits. */
export function tagText(tag: string): string {
  const { handle, suffix } = splitTag(tag);
  return handle === '' ? `!<${escapeTag(suffix)}>` : handle + escapeTag(suffix);
}

function splitTag(tag: string): { handle: string; suffix: string } {
  if (tag.startsWith('!')) return { handle: '!', suffix: tag.slice(1) };
  const short = shortTag(tag);
  return short === tag ? { handle: '', suffix: tag } : { handle: '!!', suffix: short.slice(2) };
}

/** Octets of handle and suffix, which count towards the length of a simple key. */
export function tagLength(tag: string): number {
  if (tag === '') return 0;
  const { handle, suffix } = splitTag(tag);
  return handle.length + byteLength(suffix);
}

function escapeTag(suffix: string): string {
  if (/^[-0-9A-Za-z_;/?:@&=+$,.~*'()[\]]*$/.test(suffix)) return suffix;
  let out = '';
  for (const octet of new TextEncoder().encode(suffix)) {
    const c = String.fromCharCode(octet);
    if (/[-0-9A-Za-z_;/?:@&=+$,.~*'()[\]]/.test(c)) out += c;
    else out += `%${octet.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** The length of `text` in UTF-8. */
export function byteLength(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x80) continue;
    if (c < 0x800) length++;
    else if (c >= 0xd800 && c <= 0xdfff) length++;
    else length += 2;
  }
  return length;
}
