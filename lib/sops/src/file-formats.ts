import { emitDotenv, loadDotenv } from './format-dotenv.ts';
import { emitIni, loadIni } from './format-ini.ts';
import { emitJson, loadJson } from './format-json.ts';
import { emitYaml, loadYaml } from './format-yaml.ts';
import { sopsError } from './sops-error.ts';
import { type SopsBranch, toPlain } from './sops-tree.ts';

export type SopsFormat = 'yaml' | 'json' | 'dotenv' | 'ini' | 'binary';

export interface LoadedFile {
  readonly branches: readonly SopsBranch[];
  /** The `sops` part as plain values; undefined when there is none. */
  readonly metadata: unknown;
}

/** Reads an encrypted file, without its metadata, which stand in the first document. */
export function loadFile(text: string, format: SopsFormat): LoadedFile {
  switch (format) {
    case 'dotenv':
      return loadDotenv(text);
    case 'ini':
      return loadIni(text);
    case 'yaml':
      return takeMetadata(loadYaml(text));
    case 'json':
    case 'binary':
      return takeMetadata([loadJson(text)]);
    default:
      throw format satisfies never;
  }
}

function takeMetadata(branches: readonly SopsBranch[]): LoadedFile {
  let metadata: unknown;
  const [first, ...rest] = branches.map(({ items }, at): SopsBranch => {
    const kept = items.filter((item) => {
      if (item.kind !== 'item' || item.key !== 'sops') return true;
      if (at === 0) metadata = toPlain(item.value);
      return false;
    });
    return { kind: 'branch', items: kept };
  });
  return { branches: first === undefined ? [] : [first, ...rest], metadata };
}

/** The plain file, as `sops decrypt` prints it. */
export function emitFile(branches: readonly SopsBranch[], format: SopsFormat): Uint8Array {
  const [first = { kind: 'branch', items: [] } as const] = branches;
  switch (format) {
    case 'dotenv':
      return Buffer.from(emitDotenv(first));
    case 'ini':
      return Buffer.from(emitIni(first));
    case 'yaml':
      return Buffer.from(emitYaml(branches));
    case 'json':
      return Buffer.from(emitJson(first));
    case 'binary':
      return binaryOf(first);
    default:
      throw format satisfies never;
  }
}

function binaryOf({ items }: SopsBranch): Uint8Array {
  const data = items.find((item) => item.kind === 'item' && item.key === 'data');
  if (data?.kind !== 'item' || data.value.kind !== 'leaf') {
    throw sopsError('SOPS_SYNTAX', 'the binary file holds no data');
  }
  const { type, text } = data.value;
  return type === 'bytes' ? Buffer.from(text, 'latin1') : Buffer.from(text);
}
