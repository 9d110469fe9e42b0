import { goJson, type YamlObject, type YamlValue } from '@capstan/lib-yaml';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { lookup } from './field-path.ts';
import type { KNode } from './node.ts';
import { toValue, withTextKeys } from './node-value.ts';
import type { Resource } from './resource.ts';

/** The suffix of a generated name: ten characters of the SHA-256 of the content, without vowels and look-alikes. */
export function contentHash(resource: Resource): string {
  const root = resource.node!;
  return encode(bytesToHex(sha256(new TextEncoder().encode(hashedText(resource.kind, root)))));
}

const SUBSTITUTES: Readonly<Record<string, string>> = { 0: 'g', 1: 'h', 3: 'k', a: 'm', e: 't' };

function encode(hex: string): string {
  return hex.slice(0, 10).replace(/[013ae]/g, (digit) => SUBSTITUTES[digit]!);
}

function hashedText(kind: string, root: KNode): string {
  switch (kind) {
    case 'ConfigMap': {
      const binaryData = part(root, 'binaryData');
      return goJson({
        kind,
        name: part(root, 'metadata/name'),
        data: part(root, 'data'),
        ...(isObject(binaryData) ? { binaryData } : {}),
      });
    }
    case 'Secret': {
      const stringData = part(root, 'stringData');
      return goJson({
        kind,
        type: part(root, 'type'),
        name: part(root, 'metadata/name'),
        data: part(root, 'data'),
        ...(isObject(stringData) ? { stringData } : {}),
      });
    }
    default:
      return nodeStruct(root);
  }
}

function isObject(value: YamlValue): value is YamlObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A part as the original reads it: a scalar's text, a map as JSON, '' when absent. The path is taken as one name, so
 * that `metadata/name` is never found: the name has no part in the hash.
 */
function part(root: KNode, path: string): YamlValue {
  const node = lookup(root, [path]);
  if (node === undefined) return '';
  if (node.kind === 'scalar') return node.value;
  const value = toValue(node.kind === 'mapping' ? withTextKeys(node) : node);
  return isObject(value) ? value : null;
}

const KIND_NUMBERS = { document: 1, sequence: 2, mapping: 4, scalar: 8, alias: 16 } as const;

/** A node as Go's encoding/json prints its struct: what is hashed of kinds that are neither ConfigMap nor Secret. */
function nodeStruct(node: KNode): string {
  const text = (value: string) => goJson(value);
  const content =
    node.content.length === 0 ? 'null' : `[${node.content.map(nodeStruct).join(',')}]`;
  return (
    `{"Kind":${KIND_NUMBERS[node.kind]},"Style":${node.style},"Tag":${text(node.tag)},` +
    `"Value":${text(node.value)},"Anchor":${text(node.anchor)},"Alias":null,"Content":${content},` +
    `"HeadComment":${text(node.headComment)},"LineComment":${text(node.lineComment)},` +
    `"FootComment":${text(node.footComment)},"Line":${node.line},"Column":${node.column}}`
  );
}
