import { Style, type YamlValue } from '@capstan/lib-yaml';
import { addContent, type KNode, makeNode } from './node.ts';
import { compareText } from './res-id.ts';

/**
 * A JSON value as nodes, as if printed by go-yaml and read again: keys sorted, all numbers doubles. Where `before` has
 * the same value at the same place, its origin is kept; everything else comes from `file`.
 */
export function fromJson(value: YamlValue, before: KNode | undefined, file: number): KNode {
  if (Array.isArray(value)) {
    const node = makeNode('sequence', '!!seq', '', originOf(before, 'sequence', file));
    node.line = before?.line ?? 0;
    const items = before?.kind === 'sequence' ? before.content : [];
    node.content = value.map((item, i) => fromJson(item, items[i], file));
    if (value.length === 0) node.style = Style.flow;
    return node;
  }
  if (typeof value === 'object' && value !== null) return objectNode(value, before, file);
  const node = scalarNode(value);
  if (before?.kind === 'scalar' && sameText(before, node)) {
    node.file = before.file;
    node.line = before.line;
  } else {
    node.file = file;
  }
  return node;
}

function originOf(before: KNode | undefined, kind: KNode['kind'], file: number): number {
  return before?.kind === kind ? before.file : file;
}

function objectNode(
  value: { readonly [key: string]: YamlValue },
  before: KNode | undefined,
  file: number,
): KNode {
  const node = makeNode('mapping', '!!map', '', originOf(before, 'mapping', file));
  node.line = before?.line ?? 0;
  const fields = new Map<string, KNode>();
  if (before?.kind === 'mapping') {
    for (let i = 0; i + 1 < before.content.length; i += 2) {
      fields.set(before.content[i]!.value, before.content[i + 1]!);
    }
  }
  for (const key of Object.keys(value).sort(compareText)) {
    const child = fromJson(value[key]!, fields.get(key), file);
    const keyNode = makeNode('scalar', '!!str', key, child.file);
    keyNode.line = child.line;
    addContent(node, keyNode, child);
  }
  if (node.content.length === 0) node.style = Style.flow;
  return node;
}

function sameText(before: KNode, node: KNode): boolean {
  return before.value === node.value || (before.tag === '!!null' && node.tag === '!!null');
}

function scalarNode(value: string | number | bigint | boolean | null): KNode {
  if (value === null) return makeNode('scalar', '!!null', 'null');
  if (typeof value === 'boolean') return makeNode('scalar', '!!bool', String(value));
  if (typeof value !== 'string') {
    const text = shortestNumber(Number(value));
    return makeNode('scalar', /^-?\d+$/.test(text) ? '!!int' : '!!float', text);
  }
  const node = makeNode('scalar', '!!str', value);
  // What reads as something else when plain was quoted when it was printed.
  if (value.includes('\n')) node.style = Style.literal;
  else if (needsQuotes(value)) node.style = Style.double;
  return node;
}

/** A double in Go's shortest form (`%g`): with an exponent from a million on, and below a ten-thousandth. */
export function shortestNumber(value: number): string {
  const [digits = '0', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (value === 0) return '0';
  if (exponent >= -4 && exponent < 6) return String(value);
  const size = String(Math.abs(exponent)).padStart(2, '0');
  return `${digits}e${exponent < 0 ? '-' : '+'}${size}`;
}

function needsQuotes(value: string): boolean {
  return (
    !/^[A-Za-z_/][A-Za-z0-9_./-]*$/.test(value) ||
    /^(?:y|n|yes|no|on|off|true|false|null)$/i.test(value)
  );
}
