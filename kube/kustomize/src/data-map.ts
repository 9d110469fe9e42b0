import { Style } from '@capstan/lib-yaml';
import { lookup } from './field-path.ts';
import { clearField, fieldOf, type KNode, makeNode, scalarText, setField } from './node.ts';
import { compareText } from './res-id.ts';
import type { Resource } from './resource.ts';

/** A value of a ConfigMap or Secret: text, or bytes that are no UTF-8. */
export type DataValue = string | Uint8Array;

/** A value and the place that set it. */
export interface Sourced<T> {
  readonly value: T;
  readonly file: number;
  readonly line: number;
}

const MAP = (file: number) => ({ kind: 'mapping', file }) as const;

function textNode({ value, file, line }: Sourced<string>): KNode {
  const node = makeNode('scalar', '!!str', value, file);
  node.line = line;
  if (value.includes('\n')) node.style = Style.literal;
  return node;
}

/** Fills `data` and, for what is no text, `binaryData`, by sorted keys. */
export function fillConfigMap(root: KNode, values: ReadonlyMap<string, Sourced<DataValue>>): void {
  for (const key of [...values.keys()].sort(compareText)) {
    const entry = values.get(key)!;
    const { value, file } = entry;
    const field = typeof value === 'string' ? 'data' : 'binaryData';
    const text = typeof value === 'string' ? value : base64Lines(value);
    setField(lookup(root, [field], MAP(file))!, key, textNode({ ...entry, value: text }));
  }
}

/** Fills `data` with base64, by sorted keys. The field is there even when empty. */
export function fillSecret(root: KNode, values: ReadonlyMap<string, Sourced<DataValue>>): void {
  const data = lookup(root, ['data'], MAP(root.file))!;
  for (const key of [...values.keys()].sort(compareText)) {
    const entry = values.get(key)!;
    setField(data, key, textNode({ ...entry, value: base64Lines(entry.value) }));
  }
}

function dataOf(root: KNode | undefined, field: string): Map<string, Sourced<string>> {
  const result = new Map<string, Sourced<string>>();
  const content = fieldOf(root, field)?.content ?? [];
  for (let i = 0; i + 1 < content.length; i += 2) {
    const key = scalarText(content[i]);
    // As with every look-up by name, the first of two equal keys counts.
    const node = content[i + 1]!;
    if (!result.has(key)) {
      result.set(key, { value: scalarText(node), file: node.file, line: node.line });
    }
  }
  return result;
}

/** Puts the older data under that of `resource`; the newer values win. */
export function mergeDataMaps(resource: Resource, oldData: Resource, oldBinary: Resource): void {
  const root = resource.node!;
  const data = new Map([...dataOf(oldData.node, 'data'), ...dataOf(root, 'data')]);
  const binary = new Map([...dataOf(oldBinary.node, 'binaryData'), ...dataOf(root, 'binaryData')]);
  replaceMap(root, 'data', data);
  replaceMap(root, 'binaryData', binary);
}

function replaceMap(
  root: KNode,
  field: string,
  values: ReadonlyMap<string, Sourced<string>>,
): void {
  clearField(root, field);
  for (const key of [...values.keys()].sort(compareText)) {
    const entry = values.get(key)!;
    setField(lookup(root, [field], MAP(entry.file))!, key, textNode(entry));
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Base64 in lines of 70 characters; a single line has no line end. */
export function base64Lines(value: DataValue): string {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  const text = base64(bytes);
  if (text.length < 70) return text;
  let lines = '';
  for (let i = 0; i < text.length; i += 70) lines += `${text.slice(i, i + 70)}\n`;
  return lines;
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const a = bytes[i]!;
    const b = bytes[i + 1];
    const c = bytes[i + 2];
    text += ALPHABET[a >> 2]! + ALPHABET[((a & 3) << 4) | ((b ?? 0) >> 4)]!;
    text += b === undefined ? '=' : ALPHABET[((b & 15) << 2) | ((c ?? 0) >> 6)]!;
    text += c === undefined ? '=' : ALPHABET[c & 63]!;
  }
  return text;
}
