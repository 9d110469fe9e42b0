import {
  emitDocuments,
  mappingNode,
  parseDocuments,
  stringNode,
  type YamlNode,
} from '@capstan/lib-yaml';
import { ChartError } from './chart-error.ts';
import { sortManifests, splitManifests } from './manifests.ts';

/** Changes rendered manifests, YAML to YAML, before they are sorted into hooks and objects. */
export interface PostRenderer {
  run(manifests: string): string;
  /**
   * What it is given: hooks and objects as one text (`combined`, as Helm 4), one after the other (`separate`), or the objects
   * alone (`nohooks`, as Helm 3).
   */
  readonly strategy?: 'combined' | 'separate' | 'nohooks';
}

const FILE_ANNOTATION = 'postrenderer.helm.sh/postrender-filename';

/** The files that a post-renderer made of the rendered ones; what it adds gets names of its own (helm 4.3.1). */
export function postRenderFiles(
  files: ReadonlyMap<string, string>,
  renderer: PostRenderer,
): ReadonlyMap<string, string> {
  if (renderer.strategy === undefined || renderer.strategy === 'combined') {
    return runOn(files, renderer, { group: 'manifests', where: 'files', prefix: '' });
  }
  const { hooks, manifests } = sortManifests(files);
  const groups = [
    { group: 'hooks', files: regroup(hooks), runs: renderer.strategy === 'separate' },
    { group: 'manifests', files: regroup(manifests), runs: true },
  ];
  const result = new Map<string, string>();
  for (const { group, files: own, runs } of groups) {
    if (own.size === 0) continue;
    const made = runs ? runOn(own, renderer, { group, where: group, prefix: group }) : own;
    for (const [path, text] of made) append(result, path, text);
  }
  return result;
}

function regroup(
  documents: readonly { readonly path: string; readonly content: string }[],
): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const { path, content } of documents) append(files, path, content);
  return files;
}

function append(files: Map<string, string>, path: string, text: string): void {
  const known = files.get(path);
  files.set(path, known === undefined ? text : `${known}\n---\n${text}`);
}

function runOn(
  files: ReadonlyMap<string, string>,
  renderer: PostRenderer,
  at: { readonly group: string; readonly where: string; readonly prefix: string },
): ReadonlyMap<string, string> {
  const merged = explain(`error merging ${at.group}`, () => annotateAndMerge(files));
  const made = explain(`error while running post render on ${at.where}`, () =>
    renderer.run(merged),
  );
  const output = at.prefix === '' ? '' : ` for ${at.group}`;
  return explain(`error while parsing post rendered output${output}`, () =>
    splitByFile(made, at.prefix),
  );
}

function explain<T>(doing: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ChartError('CHART_POST_RENDER', `${doing}: ${reason}`, error);
  }
}

function annotateAndMerge(files: ReadonlyMap<string, string>): string {
  const documents: YamlNode[] = [];
  for (const path of [...files.keys()].sort()) {
    const content = files.get(path) ?? '';
    const base = path.slice(path.lastIndexOf('/') + 1);
    if (base.startsWith('_') || content.trim() === '') continue;
    for (const text of splitManifests(content)) {
      for (const document of explain(`parsing ${path}: MalformedYAMLError`, () =>
        parseDocuments(text),
      )) {
        const root = rootOf(document);
        if (root === undefined) continue;
        setAnnotation(root, path);
        documents.push(document);
      }
    }
  }
  return emitDocuments(documents);
}

/** The mapping of a document; none for what holds only comments. */
function rootOf(document: YamlNode): YamlNode | undefined {
  const root = document.kind === 'document' ? document.content[0] : document;
  return root?.kind === 'mapping' ? root : undefined;
}

function setAnnotation(root: YamlNode, path: string): void {
  const annotations = childMapping(childMapping(root, 'metadata'), 'annotations');
  annotations.content.push(stringNode(FILE_ANNOTATION), stringNode(path));
}

function childMapping(parent: YamlNode, key: string): YamlNode {
  const found = fieldOf(parent, key);
  if (found?.kind === 'mapping') return found;
  const made = mappingNode();
  if (found === undefined) parent.content.push(stringNode(key), made);
  else parent.content[parent.content.indexOf(found)] = made;
  return made;
}

function fieldOf(parent: YamlNode, key: string): YamlNode | undefined {
  for (let at = 0; at < parent.content.length; at += 2) {
    if (parent.content[at]?.value === key) return parent.content[at + 1];
  }
  return undefined;
}

function splitByFile(text: string, prefix: string): ReadonlyMap<string, string> {
  const byFile = new Map<string, YamlNode[]>();
  const documents = parseDocuments(text).filter((document) => rootOf(document) !== undefined);
  for (const [index, document] of documents.entries()) {
    const given = takeAnnotation(rootOf(document));
    const name = prefix === '' ? String(index) : `${prefix}-${index}`;
    const path = given ?? `generated-by-postrender-${name}.yaml`;
    byFile.set(path, [...(byFile.get(path) ?? []), document]);
  }
  return new Map([...byFile].map(([path, own]) => [path, emitDocuments(own)]));
}

function takeAnnotation(root: YamlNode | undefined): string | undefined {
  const metadata = root && fieldOf(root, 'metadata');
  const annotations = metadata && fieldOf(metadata, 'annotations');
  if (metadata === undefined || annotations?.kind !== 'mapping') return undefined;
  const found = fieldOf(annotations, FILE_ANNOTATION);
  if (found === undefined) return undefined;
  removeKey(annotations, FILE_ANNOTATION);
  if (annotations.content.length === 0) removeKey(metadata, 'annotations');
  return found.value === '' ? undefined : found.value;
}

function removeKey(parent: YamlNode, key: string): void {
  for (let at = 0; at < parent.content.length; at += 2) {
    if (parent.content[at]?.value !== key) continue;
    parent.content.splice(at, 2);
    return;
  }
}
