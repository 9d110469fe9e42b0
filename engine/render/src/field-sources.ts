/** Which lines made a field of an object: what a person is told who asks where a value comes from. */
import type { Json, KubeObject } from '@capstan/kube-object';
import type { FileTree } from '@capstan/lib-files';
import type { YamlNode } from '@capstan/lib-yaml';
import { type FieldStep, findField } from './field-name.ts';

/** A line that has a say in a field. */
export interface FieldSource {
  /** Relative to the root of the snapshot; `$<ref>/…` in another source. Absent for what the delivery itself says. */
  readonly file?: string;
  /** Absent where only the file is known. */
  readonly line?: number;
  /** What stands there: `patch`, `images`, `value image.tag (default)` … */
  readonly role?: string;
  /** What the delivery itself gave to a chart. */
  readonly inline?: InlineValue;
  /** The field of the delivery's own resource that says it. */
  readonly own?: string;
  /** The line of the text that stands in that field. */
  readonly ownLine?: number;
}

/** A line of the values that a delivery writes itself, or a parameter; `path` is that of the value. */
export type InlineValue =
  | { readonly kind: 'values'; readonly path: string; readonly line: number }
  | { readonly kind: 'parameter'; readonly path: string };

/** Names, and numbers of list elements, from the object's root. */
export type FieldNames = readonly (string | number)[];

/** The lines behind a field of the object at an index. Worked out when asked for. */
export type SourcesOf = (index: number, field: FieldNames) => readonly FieldSource[];

/** A field of one object among those that a render gives. */
export interface FieldQuestion {
  readonly kind: string;
  readonly name: string;
  /** Where an object names no namespace, any will do. */
  readonly namespace?: string;
  readonly field: readonly FieldStep[];
  /** Of the text that stands in the field; absent where the field itself is meant. */
  readonly line?: number;
}

/** Undefined when there is no such object, or it lacks the field. */
export function answerQuestion(
  objects: readonly { readonly object: KubeObject }[],
  { kind, name, namespace, field }: FieldQuestion,
  sourcesOf: SourcesOf,
): readonly FieldSource[] | undefined {
  const index = objects.findIndex(({ object }) => {
    const own = object.metadata?.namespace;
    const isPlaced = namespace === undefined || own === undefined || own === namespace;
    return object.kind === kind && object.metadata?.name === name && isPlaced;
  });
  const found = objects[index];
  if (found === undefined) return undefined;
  const place = findField(found.object as Json, field);
  return place.kind === 'found' ? sourcesOf(index, place.path) : undefined;
}

const LITERAL_BLOCK = /(?:^|[\s:])\|[+-]?[1-9]?[+-]?\s*(?:#.*)?$/;

/** A line of a text that is written below its field as a literal block; otherwise that of the field. */
export function lineWithin(source: FieldSource, line: number, tree: FileTree): FieldSource {
  const bytes = source.file === undefined ? undefined : tree.readFile(source.file);
  if (bytes === undefined || source.line === undefined) return source;
  const head = new TextDecoder().decode(bytes).split('\n')[source.line - 1] ?? '';
  return LITERAL_BLOCK.test(head) ? { ...source, line: source.line + line } : source;
}

/** The line of the field, or of the nearest one above it that is written down, in a document. */
export function fieldLine(document: YamlNode, field: FieldNames): number {
  let node: YamlNode | undefined = document.kind === 'document' ? document.content[0] : document;
  let line = node?.line ?? 1;
  for (const part of field) {
    if (node?.kind === 'alias') node = node.alias;
    if (node === undefined) break;
    if (node.kind === 'mapping') {
      const at = node.content.findIndex((key, i) => i % 2 === 0 && key.value === String(part));
      if (at < 0) break;
      line = node.content[at]?.line ?? line;
      node = node.content[at + 1];
    } else if (node.kind === 'sequence') {
      node = node.content[Number(part)];
      line = node?.line ?? line;
    } else break;
  }
  return line;
}
