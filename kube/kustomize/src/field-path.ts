import type { YamlNode } from '@capstan/lib-yaml';
import { failure } from './failure.ts';
import {
  addContent,
  getField,
  type KNode,
  makeNode,
  requireKind,
  scalar,
  setField,
} from './node.ts';

/** Splits at the delimiter; `\` before it keeps it. A leading delimiter is dropped. */
export function splitPath(path: string, delimiter: string): string[] {
  let parts = path.split(delimiter);
  if (parts.length > 1 && parts[0] === '') parts = parts.slice(1);
  const result = [parts[0]!];
  for (const part of parts.slice(1)) {
    const last = result.length - 1;
    if (result[last]!.endsWith('\\'))
      result[last] = `${result[last]!.slice(0, -1)}${delimiter}${part}`;
    else result.push(part);
  }
  return result;
}

/** As `splitPath`, and what stands in brackets (`[name=a.b]`) stays together. */
export function splitPathWithBrackets(path: string, delimiter: string): string[] {
  const result: string[] = [];
  const parts = splitPath(path, delimiter);
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (!part.startsWith('[') || part.endsWith(']')) {
      result.push(part);
      continue;
    }
    const bracketed = [part];
    while (i < parts.length - 1) {
      i++;
      bracketed.push(parts[i]!);
      if (parts[i]!.endsWith(']')) break;
    }
    const joined = bracketed.join(delimiter);
    result.push(joined.includes('=') ? joined : joined.replace(/^[[\]]+|[[\]]+$/g, ''));
  }
  return result;
}

export function isListIndex(part: string): boolean {
  return part.startsWith('[') && part.endsWith(']');
}

/** An integer as Go's Atoi reads it; undefined for anything else. */
export function parseInteger(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const value = Number(text);
  return Math.abs(value) < 2 ** 63 ? value : undefined;
}

/** `[name=value]` → its halves; the name may be empty, for lists of scalars. */
export function splitListIndex(part: string): { readonly name: string; readonly value: string } {
  const inner = part.replace(/\]$/, '').replace(/^\[/, '');
  const at = inner.indexOf('=');
  if (at < 0) {
    throw failure('list path element must contain fieldName=fieldValue for element to match');
  }
  return { name: inner.slice(0, at), value: inner.slice(at + 1) };
}

/** The kind a created element needs so that the next part of the path can be looked up in it. */
export function kindForNext(next: string | undefined, last: YamlNode['kind']): YamlNode['kind'] {
  if (next === undefined || next === '') return last;
  const index = parseInteger(next);
  return isListIndex(next) || (index !== undefined && index >= 0) ? 'sequence' : 'mapping';
}

/**
 * The node at `path`: field names, list indexes, `-` for the last element, `[name=value]`. Empty parts are skipped.
 * With `create` what is missing is made, the last part as that kind.
 */
export function lookup(
  root: KNode | undefined,
  path: readonly string[],
  create?: { readonly kind: YamlNode['kind']; readonly file: number },
): KNode | undefined {
  let node = root;
  const parts = path.map((part) => part.trim()).filter((part) => part !== '');
  for (let i = 0; i < parts.length && node !== undefined; i++) {
    const part = parts[i]!;
    const index = parseInteger(part);
    if (index !== undefined) {
      if (index < 0) throw failure(`array index ${index} cannot be negative`);
      requireKind(node, 'sequence');
      node = node.tag === '!!null' ? undefined : node.content[index];
    } else if (part === '-') {
      requireKind(node, 'sequence');
      node = node.content.at(-1);
    } else if (part === '*') {
      throw failure('wildcard is not supported in PathGetter');
    } else if (isListIndex(part)) {
      node = elementAt(node, part, create?.file);
    } else {
      node = fieldAt(
        node,
        part,
        create && { ...create, kind: kindForNext(parts[i + 1], create.kind) },
      );
    }
  }
  return node;
}

function fieldAt(
  node: KNode,
  name: string,
  create: { readonly kind: YamlNode['kind']; readonly file: number } | undefined,
): KNode | undefined {
  const field = getField(node, name);
  if (field !== undefined || create === undefined || node.tag === '!!null') return field;
  return setField(node, name, makeNode(create.kind, '', '', create.file));
}

function elementAt(node: KNode, part: string, createdBy: number | undefined): KNode | undefined {
  const { name, value } = splitListIndex(part);
  const found = matchElement(node, [name], [value]);
  if (found !== undefined || createdBy === undefined) return found;
  const element = name === '' ? scalar(value, createdBy) : makeNode('mapping', '', '', createdBy);
  if (name !== '') element.content = [scalar(name, createdBy), scalar(value, createdBy)];
  addContent(node, element);
  return element;
}

/** The first element of a list whose fields have these values; with the key '' the first scalar of that text. */
export function matchElement(
  node: KNode,
  keys: readonly string[],
  values: readonly string[],
): KNode | undefined {
  requireKind(node, 'sequence');
  if ((keys[0] ?? '') === '') {
    return node.content.find((element) => element.value === (values[0] ?? ''));
  }
  for (const element of node.content) {
    if (element.tag !== '!!null' && element.kind !== 'mapping') continue;
    let matches = true;
    for (let i = 0; i < keys.length && matches; i++) {
      const field = getField(element, keys[i]!);
      matches = field !== undefined && field.value === values[i];
    }
    if (matches) return element;
  }
  return undefined;
}
