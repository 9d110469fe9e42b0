import type { LoadedFile } from './file-formats.ts';
import { unflatten } from './flat-metadata.ts';
import { valueText } from './go-text.ts';
import { sopsError } from './sops-error.ts';
import { type SopsBranch, type SopsItem, textLeaf } from './sops-tree.ts';

const PREFIX = 'sops_';

/** `NAME=value` lines; metadata are lines whose names start with `sops_`. A `\n` in a value is a line break. */
export function loadDotenv(text: string): LoadedFile {
  const items: SopsItem[] = [];
  const metadata: [string, string][] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    if (line.startsWith('#')) {
      items.push({ kind: 'comment', text: line.slice(1), inline: false });
      continue;
    }
    const at = line.indexOf('=');
    if (at < 0) throw sopsError('SOPS_SYNTAX', 'a line of the dotenv file has no equals sign');
    const [key, value] = [line.slice(0, at), line.slice(at + 1).replaceAll('\\n', '\n')];
    if (key.startsWith(PREFIX)) metadata.push([key.slice(PREFIX.length), value]);
    else items.push({ kind: 'item', key, value: textLeaf(value) });
  }
  return {
    branches: [{ kind: 'branch', items }],
    metadata: metadata.length === 0 ? undefined : unflatten(metadata),
  };
}

export function emitDotenv({ items }: SopsBranch): string {
  const lines = items.map((item) => {
    if (item.kind === 'comment') return `#${item.text}\n`;
    if (item.value.kind !== 'leaf')
      throw sopsError('SOPS_SYNTAX', 'a dotenv file holds texts only');
    const { type, text } = item.value;
    return `${item.key}=${type === 'str' ? text.replaceAll('\n', '\\n') : valueText(type, text)}\n`;
  });
  return lines.join('');
}
