import { gunzipSync } from 'node:zlib';
import type { ChartFile } from './chart.ts';
import { ChartError } from './chart-error.ts';

interface ArchiveOptions {
  readonly bytesMax?: number;
  readonly filesMax?: number;
  /** Of an archive in charts/: the original does not look at what it is before it reads it. */
  readonly isInner?: boolean;
}

const BLOCK = 512;
/** Of one file of a chart, for the original as well. */
export const FILE_BYTES_MAX = 5 * 1024 * 1024;

/**
 * The files of a packed chart (gzipped tar), without the folder at their top. Bounded in bytes and entries; links and
 * devices are never followed: their entries are refused; names cannot leave the chart. Error texts are the original's.
 */
export function readArchive(bytes: Uint8Array, options: ArchiveOptions = {}): readonly ChartFile[] {
  const bytesMax = options.bytesMax ?? 100 * 1024 * 1024;
  const filesMax = options.filesMax ?? 20_000;
  const files = new Map<string, ChartFile>();
  for (const entry of readTar(unzip(bytes, bytesMax, options.isInner ?? false))) {
    if (entry.type === 'directory') continue;
    if (entry.type === 'other') {
      throw new ChartError(
        'CHART_ARCHIVE',
        `chart contains ${entry.name}, which is neither a file nor a folder`,
      );
    }
    if (files.size >= filesMax) {
      throw new ChartError('CHART_LIMIT', `chart has more than ${filesMax} files`);
    }
    const name = nameInChart(entry.name);
    if (entry.data.length > FILE_BYTES_MAX) {
      throw new ChartError(
        'CHART_LIMIT',
        `decompressed chart file ${JSON.stringify(entry.name)} is larger than the maximum file size ${FILE_BYTES_MAX}`,
      );
    }
    files.set(name, { name, data: withoutMark(entry.data) });
  }
  if (files.size === 0) throw new ChartError('CHART_ARCHIVE', 'no files in chart archive');
  return [...files.values()];
}

function unzip(bytes: Uint8Array, bytesMax: number, isInner: boolean): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: bytesMax });
  } catch (error) {
    const tooLarge = error instanceof RangeError;
    throw new ChartError(
      tooLarge ? 'CHART_LIMIT' : 'CHART_ARCHIVE',
      tooLarge
        ? `decompressed chart is larger than the maximum size ${bytesMax}`
        : isInner
          ? innerProblem(bytes)
          : 'file does not appear to be a gzipped archive',
      error,
    );
  }
}

/** In the words of Go's gzip reader. */
function innerProblem(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'EOF';
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8;
  return isGzip || bytes.length < 10 ? 'unexpected EOF' : 'gzip: invalid header';
}

function nameInChart(entryName: string): string {
  const delimiter = entryName.includes('\\') ? '\\' : '/';
  const parts = entryName.split(delimiter);
  const name = parts.slice(1).join('/');
  if (name.startsWith('/')) {
    throw new ChartError('CHART_ARCHIVE', 'chart illegally contains absolute paths');
  }
  const clean = cleanPath(name);
  if (clean === '') {
    throw new ChartError(
      'CHART_ARCHIVE',
      `chart illegally contains content outside the base directory: ${JSON.stringify(entryName)}`,
    );
  }
  if (clean.startsWith('..')) {
    throw new ChartError('CHART_ARCHIVE', 'chart illegally references parent directory');
  }
  if (/^[a-zA-Z]:\//.test(clean)) {
    throw new ChartError('CHART_ARCHIVE', 'chart contains illegally named files');
  }
  if (parts[0] === 'Chart.yaml') {
    throw new ChartError('CHART_ARCHIVE', 'chart yaml not in base directory');
  }
  return clean;
}

function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}

interface TarEntry {
  readonly name: string;
  readonly type: 'file' | 'directory' | 'other';
  readonly data: Uint8Array;
}

/** The entries of a tar archive: ustar with prefixes, GNU long names and pax paths. */
function* readTar(bytes: Uint8Array): Generator<TarEntry> {
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const header = bytes.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) return;
    const size = readNumber(header.subarray(124, 136));
    const end = at + BLOCK + size;
    if (!Number.isSafeInteger(size) || size < 0 || end > bytes.length) {
      throw new ChartError('CHART_ARCHIVE', 'the chart archive is cut off or damaged');
    }
    const data = bytes.subarray(at + BLOCK, end);
    const type = String.fromCharCode(header[156] ?? 0);
    at = end + ((BLOCK - (size % BLOCK)) % BLOCK);
    if (type === 'L') longName = text(data);
    else if (type === 'x') longName = paxPath(data) ?? longName;
    else if (type !== 'g' && type !== 'K') {
      const name = longName ?? headerName(header);
      longName = undefined;
      yield { name, type: entryType(type, name), data };
    }
  }
}

function entryType(type: string, name: string): TarEntry['type'] {
  if (type === '5' || name.endsWith('/')) return 'directory';
  return type === '0' || type === '\0' || type === '7' ? 'file' : 'other';
}

function headerName(header: Uint8Array): string {
  const name = text(header.subarray(0, 100));
  const isUstar = text(header.subarray(257, 262)) === 'ustar';
  const prefix = isUstar ? text(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Octal digits, or a big-endian number when the first bit is set. */
function readNumber(field: Uint8Array): number {
  if ((field[0]! & 0x80) === 0) return Number.parseInt(text(field).trim() || '0', 8);
  return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, field[0]! & 0x7f);
}

function paxPath(data: Uint8Array): string | undefined {
  const record = /(?:^|\n)\d+ path=([^\n]*)\n/.exec(new TextDecoder().decode(data));
  return record?.[1];
}

function text(field: Uint8Array): string {
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

function withoutMark(data: Uint8Array): Uint8Array {
  const marked = data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf;
  return marked ? data.subarray(3) : data;
}
