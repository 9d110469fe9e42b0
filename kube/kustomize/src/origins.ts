import type { FileTree } from '@capstan/lib-files';
import { readText } from '@capstan/lib-files';
import type { Location } from '@capstan/lib-std';
import { parseDocuments, type YamlNode } from '@capstan/lib-yaml';
import type { KNode } from './node.ts';
import type { ResourceSet } from './resource-set.ts';
import type { Source, Sources } from './sources.ts';

/** What set a field. */
export interface FieldOrigin extends Location {
  /** The statement of the kustomization file, such as `images`; absent for a line of a resource or patch file. */
  readonly statement?: string;
}

/** Where the objects of a build, and their fields, come from. Answers are worked out when asked for. */
export interface Origins {
  /** The file and line that object number `index` begins at. */
  ofObject(index: number): FieldOrigin | undefined;
  /** What set the field at the path (names, and numbers of list elements), or the nearest field above that is known. */
  ofField(index: number, path: readonly (string | number)[]): FieldOrigin | undefined;
  /** All scalar fields of an object with their origins, by path with '/' between the parts ('~1' for '/' in a name). */
  fields(index: number): ReadonlyMap<string, FieldOrigin>;
}

/** Keeps the resources' trees, which are not changed any more, and reads statements' lines from the files when asked. */
export function createOrigins(resources: ResourceSet, sources: Sources, files: FileTree): Origins {
  const roots = resources.list.map((resource) => resource.node);
  const statements = new StatementLines(files);
  const describe = (node: KNode | undefined): FieldOrigin | undefined => {
    if (node === undefined || node.file === 0) return undefined;
    return statements.origin(sources.at(node.file), node.line);
  };
  return {
    ofObject: (index) => describe(firstKnown(roots[index])),
    ofField: (index, path) => {
      let node = roots[index];
      let nearest = firstKnown(node);
      for (const part of path) {
        node = node === undefined ? undefined : childAt(node, part);
        if (node === undefined) break;
        if (node.file !== 0) nearest = node;
      }
      return describe(nearest);
    },
    fields: (index) => {
      const result = new Map<string, FieldOrigin>();
      const root = roots[index];
      if (root !== undefined) collect(root, '', describe, result);
      return result;
    },
  };
}

/** A root that was made new stands where its first known field stands. */
function firstKnown(root: KNode | undefined): KNode | undefined {
  if (root === undefined || (root.file !== 0 && root.line !== 0)) return root;
  return root.content.find((node) => node.file !== 0 && node.line !== 0) ?? root;
}

function childAt(node: KNode, part: string | number): KNode | undefined {
  if (node.kind === 'sequence') return node.content[Number(part)];
  const { content } = node;
  for (let i = 0; i + 1 < content.length; i += 2) {
    if (content[i]!.value === String(part)) return content[i + 1];
  }
  return undefined;
}

function collect(
  node: KNode,
  path: string,
  describe: (node: KNode) => FieldOrigin | undefined,
  into: Map<string, FieldOrigin>,
): void {
  const { content } = node;
  if (node.kind === 'sequence') {
    content.forEach((item, i) => {
      collect(item, `${path}/${i}`, describe, into);
    });
  } else if (node.kind === 'mapping') {
    for (let i = 0; i + 1 < content.length; i += 2) {
      const name = content[i]!.value.replaceAll('~', '~0').replaceAll('/', '~1');
      collect(content[i + 1]!, `${path}/${name}`, describe, into);
    }
  } else {
    const origin = describe(node);
    if (origin !== undefined) into.set(path, origin);
  }
}

/** What of an item in a list of statements is what sets the field: who changes a value changes this line. */
const DECISIVE: { readonly [field: string]: readonly string[] } = {
  images: ['digest', 'newTag', 'newName'],
  replicas: ['count'],
};

function decisiveLine(field: string, item: YamlNode): number {
  for (const name of item.kind === 'mapping' ? (DECISIVE[field] ?? []) : []) {
    const found = item.content.find((key, i) => i % 2 === 0 && key.value === name);
    if (found !== undefined) return found.line;
  }
  return item.line;
}

/** Finds the lines of statements in kustomization files, each of which is parsed once. */
class StatementLines {
  readonly #files: FileTree;
  readonly #roots = new Map<string, YamlNode | undefined>();

  constructor(files: FileTree) {
    this.#files = files;
  }

  origin(source: Source, line: number): FieldOrigin {
    if (source.kind !== 'statement')
      return line > 0 ? { file: source.path, line } : { file: source.path };
    const statement =
      source.index === undefined ? source.field! : `${source.field}[${source.index}]`;
    const found = this.#line(source);
    // Text that stands in the statement itself (an inline patch) has lines of its own below it.
    return found === undefined
      ? { file: source.path, statement }
      : { file: source.path, line: found, statement };
  }

  #line({ path, field, index }: Source): number | undefined {
    if (!this.#roots.has(path)) this.#roots.set(path, this.#parse(path));
    const root = this.#roots.get(path);
    if (root === undefined) return undefined;
    for (let i = 0; i + 1 < root.content.length; i += 2) {
      if (root.content[i]!.value.toLowerCase() !== field!.toLowerCase()) continue;
      const value = root.content[i + 1]!;
      if (index === undefined) return root.content[i]!.line;
      const item = value.content[index];
      return item === undefined ? value.line : decisiveLine(field!, item);
    }
    return undefined;
  }

  #parse(path: string): YamlNode | undefined {
    const text = readText(this.#files, path);
    return text === undefined ? undefined : parseDocuments(text)[0]?.content[0];
  }
}
