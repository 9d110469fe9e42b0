/**
 * Tar archives, uncompressed: written as Go's archive/tar writes them without owner and time, so that equal files give equal
 * bytes; read within limits. Formats: ustar, with pax records where a name does not fit (IEEE Std 1003.1, pax).
 */
import { CapstanError } from '@capstan/lib-std';
import type { FileTree } from './file-tree.ts';
import { type MemoryFile, memoryTree } from './memory-tree.ts';
import { resolvePath } from './path.ts';

export interface TarLimits {
  readonly entriesMax: number;
  /** What a symbolic or hard link, a device or the like means; 'skip' leaves it out. */
  readonly others: 'refuse' | 'skip';
}

const BLOCK = 512;
const FOLDER_MODE = 0o750;
const FILE_MODE = 0o600;
const EXECUTABLE_MODE = 0o700;

export function tarFolder(name: string): Uint8Array {
  return header({ name, type: '5', mode: FOLDER_MODE, size: 0 });
}

/** Header, content and padding of one file. */
export function tarFile(name: string, content: Uint8Array, executable: boolean): Uint8Array {
  const mode = executable ? EXECUTABLE_MODE : FILE_MODE;
  const head = header({ name, type: '0', mode, size: content.length });
  const bytes = new Uint8Array(head.length + padded(content.length));
  bytes.set(head);
  bytes.set(content, head.length);
  return bytes;
}

/** What stands after the last entry. */
export function tarEnd(): Uint8Array {
  return new Uint8Array(2 * BLOCK);
}

interface Head {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly size: number;
}

function header(head: Head): Uint8Array {
  const name = new TextEncoder().encode(head.name);
  const split = splitName(name);
  if (split !== undefined) return block(head, split);
  const record = paxRecord(head.name);
  const folder = head.name.slice(0, head.name.lastIndexOf('/') + 1);
  const paxName = new TextEncoder().encode(
    `${folder}PaxHeaders.0/${head.name.slice(folder.length)}`,
  );
  const pax = block(
    { name: '', type: 'x', mode: 0, size: record.length },
    { name: asciiOnly(paxName).subarray(0, 100), prefix: new Uint8Array() },
  );
  const plain = block(head, { name: asciiOnly(name).subarray(0, 100), prefix: new Uint8Array() });
  const bytes = new Uint8Array(pax.length + padded(record.length) + plain.length);
  bytes.set(pax);
  bytes.set(record, pax.length);
  bytes.set(plain, pax.length + padded(record.length));
  return bytes;
}

interface SplitName {
  readonly name: Uint8Array;
  readonly prefix: Uint8Array;
}

/** Up to 100 bytes are a name; up to 155 before a '/' a prefix. Undefined when neither fits or it is not plain ASCII. */
function splitName(bytes: Uint8Array): SplitName | undefined {
  if (bytes.some((byte) => byte >= 0x80 || byte === 0)) return undefined;
  if (bytes.length <= 100) return { name: bytes, prefix: new Uint8Array() };
  const at = bytes.subarray(0, 156).lastIndexOf(0x2f);
  const rest = bytes.length - at - 1;
  if (at <= 0 || rest > 100 || rest === 0) return undefined;
  return { name: bytes.subarray(at + 1), prefix: bytes.subarray(0, at) };
}

function asciiOnly(bytes: Uint8Array): Uint8Array {
  return bytes.filter((byte) => byte < 0x80);
}

/** `<length> path=<name>\n`, where the length counts itself. */
function paxRecord(name: string): Uint8Array {
  const text = new TextEncoder().encode(` path=${name}\n`);
  let length = text.length + 1;
  while (String(length).length + text.length !== length) length++;
  return new Uint8Array([...new TextEncoder().encode(String(length)), ...text]);
}

function block({ type, mode, size }: Head, { name, prefix }: SplitName): Uint8Array {
  const bytes = new Uint8Array(BLOCK);
  const put = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  bytes.set(name);
  put(100, octal(mode, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, octal(size, 11));
  put(136, octal(0, 11));
  put(148, '        ');
  put(156, type);
  put(257, 'ustar\u000000');
  if (type !== 'x') {
    put(329, octal(0, 7));
    put(337, octal(0, 7));
  }
  bytes.set(prefix, 345);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  put(148, `${octal(sum, 6)}\u0000 `);
  return bytes;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

/** The files of a tar archive as a tree. Names that lead out of it are an error; later entries replace earlier ones. */
export function treeOfTar(bytes: Uint8Array, limits: TarLimits): FileTree {
  const files = new Map<string, MemoryFile>();
  const folders = new Set<string>();
  let entries = 0;
  for (const entry of readEntries(bytes)) {
    if (++entries > limits.entriesMax) {
      throw archiveError('ARCHIVE_LIMIT', `it has more than ${limits.entriesMax} entries`);
    }
    const path = entry.name.includes('\\') ? undefined : resolvePath('', entry.name);
    if (path === undefined || entry.name.startsWith('/') || entry.name.includes('\u0000')) {
      throw archiveError(
        'ARCHIVE_REFUSED',
        `the name ${JSON.stringify(entry.name.slice(0, 200))} leads out of it`,
      );
    }
    if (entry.kind === 'folder') folders.add(path);
    else if (entry.kind === 'file') {
      if (path !== '') files.set(path, { bytes: entry.content, executable: entry.executable });
    } else if (limits.others === 'refuse') {
      throw archiveError('ARCHIVE_REFUSED', `${entry.name} is neither a file nor a folder`);
    }
  }
  for (const path of files.keys()) {
    if (folders.has(path)) throw archiveError('ARCHIVE_REFUSED', `${path} is a file and a folder`);
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      if (files.has(path.slice(0, end))) {
        throw archiveError('ARCHIVE_REFUSED', `${path.slice(0, end)} is a file and a folder`);
      }
    }
  }
  return memoryTree(Object.fromEntries(files), [...folders]);
}

interface TarEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'other';
  readonly executable: boolean;
  readonly content: Uint8Array;
}

function* readEntries(bytes: Uint8Array): Generator<TarEntry> {
  let longName: string | undefined;
  for (let at = 0; at < bytes.length; ) {
    if (at + BLOCK > bytes.length)
      throw archiveError('ARCHIVE_DAMAGED', 'it is cut off or damaged');
    const head = bytes.subarray(at, at + BLOCK);
    if (head.every((byte) => byte === 0)) return;
    checkSum(head);
    const size = readNumber(head.subarray(124, 136));
    const end = at + BLOCK + size;
    // What fills the last block belongs to the file: without it the archive was cut.
    if (!Number.isSafeInteger(size) || size < 0 || at + BLOCK + padded(size) > bytes.length) {
      throw archiveError('ARCHIVE_DAMAGED', 'it is cut off or damaged');
    }
    const content = bytes.subarray(at + BLOCK, end);
    const type = String.fromCharCode(head[156] ?? 0);
    at += BLOCK + padded(size);
    if (type === 'L') longName = text(content);
    else if (type === 'x') longName = paxPath(content) ?? longName;
    else if (type !== 'g' && type !== 'K') {
      const name = longName ?? headerName(head);
      longName = undefined;
      const executable = (readNumber(head.subarray(100, 108)) & 0o111) !== 0;
      yield { name, kind: entryKind(type, name), executable, content };
    }
  }
}

function checkSum(head: Uint8Array): void {
  const told = readNumber(head.subarray(148, 156));
  const sum = head.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  if (told !== sum) throw archiveError('ARCHIVE_DAMAGED', 'a header is damaged');
}

function entryKind(type: string, name: string): TarEntry['kind'] {
  if (type === '5' || (name.endsWith('/') && /[0\u0000]/.test(type))) return 'folder';
  return type === '0' || type === '\u0000' || type === '7' ? 'file' : 'other';
}

function headerName(head: Uint8Array): string {
  const name = text(head.subarray(0, 100));
  const isUstar = text(head.subarray(257, 263)) === 'ustar';
  const prefix = isUstar ? text(head.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Octal digits, or a big-endian number when the first bit is set. */
function readNumber(field: Uint8Array): number {
  if ((field[0]! & 0x80) === 0) return Number.parseInt(text(field).trim() || '0', 8);
  return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, field[0]! & 0x7f);
}

/** Records are read by their lengths: a value may hold anything, line breaks too. */
function paxPath(data: Uint8Array): string | undefined {
  let found: string | undefined;
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const length = Number(text(data.subarray(at, Math.max(at, space))));
    if (space < 0 || !Number.isSafeInteger(length) || length <= space - at) return found;
    const record = text(data.subarray(space + 1, at + length - 1));
    if (record.startsWith('path=')) found = record.slice(5);
    at += length;
  }
  return found;
}

function text(field: Uint8Array): string {
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

function archiveError(code: string, what: string): CapstanError {
  return new CapstanError(code, `the archive is refused: ${what}`);
}
