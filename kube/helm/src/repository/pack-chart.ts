import { gzipSync } from 'node:zlib';
import type { Chart } from '../chart.ts';

const BLOCK = 512;

/** A chart as a .tgz, the same bytes for the same files: what helm package makes, without times. */
export function packChart(chart: Chart): Uint8Array {
  const root = chart.metadata.name;
  const parts = chart.raw.flatMap(({ name, data }) => tarEntry(`${root}/${name}`, data));
  return gzipSync(Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]), { level: 9 });
}

function tarEntry(name: string, data: Uint8Array): readonly Uint8Array[] {
  const bytes = Buffer.byteLength(name);
  const long = bytes > 100 ? [...tarFile('././@LongLink', Buffer.from(`${name}\0`), 'L')] : [];
  return [...long, ...tarFile(name, data, '0')];
}

function tarFile(name: string, data: Uint8Array, type: string): readonly Uint8Array[] {
  const header = Buffer.alloc(BLOCK);
  Buffer.from(name).copy(header, 0, 0, 100);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${data.byteLength.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write('ustar\0', 257);
  header.write('00', 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return [header, data, Buffer.alloc((BLOCK - (data.byteLength % BLOCK)) % BLOCK)];
}
