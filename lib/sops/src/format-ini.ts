import type { LoadedFile } from './file-formats.ts';
import { unflatten } from './flat-metadata.ts';
import { valueText } from './go-text.ts';
import { sopsError } from './sops-error.ts';
import { type SopsBranch, type SopsItem, textLeaf } from './sops-tree.ts';

const DEFAULT = 'DEFAULT';

/** Sections of `name = value` lines as go-ini reads them; metadata are the section `sops`. */
export function loadIni(text: string): LoadedFile {
  const sections: { readonly name: string; readonly items: SopsItem[] }[] = [
    { name: DEFAULT, items: [] },
  ];
  let pending: string[] = [];
  for (const raw of text.replace(/^\ufeff/, '').split(/\r?\n/)) {
    const line = raw.trim();
    if (line === '') continue;
    if (line.startsWith(';') || line.startsWith('#')) {
      pending.push(line);
      continue;
    }
    const header = /^\[(.*)\]/.exec(line);
    if (header !== null) {
      const items = pending.length === 0 ? [] : [commentOf(pending)];
      sections.push({ name: (header[1] ?? '').trim(), items });
    } else {
      const { key, value } = readPair(line);
      sections.at(-1)?.items.push({ kind: 'item', key, value: textLeaf(value) });
      if (pending.length > 0) sections.at(-1)?.items.push(commentOf(pending));
    }
    pending = [];
  }
  const metadata = sections.find(({ name }) => name === 'sops')?.items ?? [];
  const branch: SopsBranch = {
    kind: 'branch',
    items: sections
      .filter(({ name }) => name !== 'sops')
      .map(({ name, items }) => ({ kind: 'item', key: name, value: { kind: 'branch', items } })),
  };
  return {
    branches: [branch],
    metadata: metadata.length === 0 ? undefined : unflatten(metadata.flatMap(pairOf)),
  };
}

function commentOf(lines: readonly string[]): SopsItem {
  const [first = '', ...rest] = lines;
  const mark = first[0] === ';' ? /^[; ]+/ : /^[# ]+/;
  return { kind: 'comment', text: [first.replace(mark, ''), ...rest].join('\n'), inline: false };
}

function pairOf(item: SopsItem): readonly (readonly [string, string])[] {
  if (item.kind !== 'item' || item.value.kind !== 'leaf') return [];
  return [[item.key, item.value.text.replaceAll('\\n', '\n')]];
}

function readPair(line: string): { readonly key: string; readonly value: string } {
  const quoted = /^(["`])(.*?)\1\s*[=:]\s*(.*)$/.exec(line);
  const plain = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(line);
  const [key, value] = quoted === null ? [plain?.[1], plain?.[2]] : [quoted[2], quoted[3]];
  if (key === undefined || value === undefined) {
    throw sopsError('SOPS_SYNTAX', 'a line of the INI file has no equals sign');
  }
  return { key, value: readValue(value) };
}

/** Quotes around a value go; outside of them ` ;` and ` #` start a comment. */
function readValue(text: string): string {
  const quoted = /^("""|["'`])([\s\S]*)\1$/.exec(text);
  if (quoted !== null) return quoted[2] ?? '';
  const comment = /\s[;#]/.exec(text);
  return (comment === null ? text : text.slice(0, comment.index)).trim();
}

/** As go-ini writes: names of one section in a column, a blank line between sections. */
export function emitIni({ items }: SopsBranch): string {
  const sections = items.flatMap((item) =>
    item.kind === 'item' && item.value.kind === 'branch' ? [sectionText(item.key, item.value)] : [],
  );
  const texts = sections.filter((text) => text !== '');
  return texts.length === 0 ? '' : `${texts.join('\n')}`;
}

function sectionText(name: string, { items }: SopsBranch): string {
  const pairs: { key: string; value: string; comment: string }[] = [];
  let header = '';
  for (const [at, item] of items.entries()) {
    if (item.kind === 'comment') {
      const last = pairs.at(-1);
      if (at === 0) header = `; ${item.text}\n`;
      else if (last !== undefined) last.comment = `; ${item.text}\n`;
    } else if (item.value.kind === 'leaf') {
      const { type, text } = item.value;
      pairs.push({ key: item.key, value: writeValue(valueText(type, text)), comment: '' });
    }
  }
  const isDefault = name === DEFAULT;
  if (isDefault && pairs.length === 0) return '';
  const width = Math.max(0, ...pairs.map(({ key }) => key.length));
  const lines = pairs.map(
    ({ key, value, comment }) => `${comment}${key.padEnd(width)} = ${value}\n`,
  );
  return `${header}${isDefault ? '' : `[${name}]\n`}${lines.join('')}`;
}

function writeValue(value: string): string {
  if (/[\n`]/.test(value)) return `"""${value}"""`;
  return /[;#]/.test(value) ? `\`${value}\`` : value;
}
