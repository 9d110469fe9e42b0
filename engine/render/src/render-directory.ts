import {
  compileGlob,
  type FileTree,
  joinPath,
  resolveLinks,
  resolvePath,
} from '@capstan/lib-files';
import { evaluateJsonnet } from '@capstan/lib-jsonnet';
import { CapstanError, type Diagnostic } from '@capstan/lib-std';
import type { DesiredObject } from './desired-state.ts';
import type { FieldNames, FieldSource, SourcesOf } from './field-sources.ts';
import { manifestLine, type ParsedManifests, parseManifests } from './parse-manifests.ts';
import type { DirectoryOptions } from './render-spec.ts';

const FILES_MAX = 20_000;
const TEXT_BYTES_MAX = 64 * 1024 * 1024;
const EXTENSION = /\.(?:ya?ml|json|jsonnet)$/;
const SKIP_MARK = '+argocd:skip-file-rendering';

/**
 * A plain folder of manifests as Argo CD reads one (docs: user-guide/directory): files in the order of their paths; a
 * broken file that does not even look like a manifest (apiVersion, kind and metadata in its text) is passed over; links
 * to files inside the snapshot are followed, links out of it are an error.
 */
export function renderDirectory(
  tree: FileTree,
  path: string,
  options: DirectoryOptions & { readonly parseFile?: ParseFile },
): {
  readonly objects: readonly DesiredObject[];
  readonly diagnostics: readonly Diagnostic[];
  readonly sourcesOf?: SourcesOf;
} {
  const objects: DesiredObject[] = [];
  const diagnostics: Diagnostic[] = [];
  const files = listFiles(tree, path, options);
  if (files.length > FILES_MAX) {
    return { objects, diagnostics: [limit(path, `${files.length} files, at most ${FILES_MAX}`)] };
  }
  let bytes = 0;
  for (const file of files) {
    const parsed = readManifests(tree, file, { ...options, root: path });
    bytes += parsed.bytes;
    if (bytes > TEXT_BYTES_MAX) {
      return { objects, diagnostics: [limit(path, `over ${TEXT_BYTES_MAX} bytes of manifests`)] };
    }
    objects.push(...parsed.objects);
    diagnostics.push(...parsed.diagnostics);
  }
  const sourcesOf: SourcesOf = (index, field) => writtenIn(tree, objects[index], field);
  return { objects, diagnostics, sourcesOf };
}

/** What a program made has no line of its own. */
function writtenIn(
  tree: FileTree,
  desired: DesiredObject | undefined,
  field: FieldNames,
): readonly FieldSource[] {
  if (desired?.origin === undefined) return [];
  const { file } = desired.origin;
  if (file.endsWith('.jsonnet')) return [{ file, role: 'jsonnet' }];
  const resolved = resolveLinks(tree, file);
  const bytes = resolved.kind === 'found' ? tree.readFile(resolved.path) : undefined;
  if (bytes === undefined) return [];
  return [{ file, line: manifestLine(decodeText(bytes), desired, field) }];
}

/** Parses a file's content; a cache by `id` may stand in between. */
export type ParseFile = (bytes: Uint8Array, file: string, id: string) => ParsedManifests;

function listFiles(tree: FileTree, root: string, options: DirectoryOptions): readonly string[] {
  const included = options.include === undefined ? undefined : toGlob(options.include);
  const excluded = options.exclude === undefined ? undefined : toGlob(options.exclude);
  const files: string[] = [];
  const visit = (folder: string, relative: string): void => {
    for (const entry of tree.readDirectory(folder) ?? []) {
      const path = joinPath(folder, entry.name);
      const name = joinPath(relative, entry.name);
      if (entry.kind === 'directory') {
        if (options.recurse === true && files.length <= FILES_MAX) visit(path, name);
      } else if (options.anyExtension === true || EXTENSION.test(entry.name)) {
        if (excluded?.(name) === true) continue;
        if (included === undefined || included(name)) files.push(path);
      }
    }
  };
  visit(root, '');
  return files;
}

function toGlob(pattern: string): (path: string) => boolean {
  return compileGlob(pattern, { braces: true });
}

function readManifests(
  tree: FileTree,
  file: string,
  options: DirectoryOptions & { readonly parseFile?: ParseFile; readonly root: string },
): ParsedManifests & { readonly bytes: number } {
  const none = { objects: [], bytes: 0 };
  const resolved = resolveLinks(tree, file);
  if (resolved.kind === 'escape' || resolved.kind === 'loop') {
    return { ...none, diagnostics: [badLink(file, resolved.kind)] };
  }
  const bytes = resolved.kind === 'found' ? tree.readFile(resolved.path) : undefined;
  // A link to a folder, or to nothing: Argo CD reads neither.
  if (resolved.kind !== 'found' || bytes === undefined) return { ...none, diagnostics: [] };
  if (file.endsWith('.jsonnet')) {
    if (isSkipped(decodeText(bytes))) return { ...none, diagnostics: [] };
    return { ...renderJsonnet(tree, file, options), bytes: bytes.length };
  }
  const parse = options.parseFile ?? parseBytes;
  const id = tree.stat(resolved.path)?.id ?? '';
  return { ...parse(bytes, file, id), bytes: bytes.length };
}

/** One object, or a list of them; imports are looked for beside the file, in the folder and in the libraries. */
function renderJsonnet(
  tree: FileTree,
  file: string,
  { jsonnet = {}, root }: DirectoryOptions & { readonly root: string },
): ParsedManifests {
  try {
    if (jsonnet.enabled === false) {
      throw new CapstanError('JSONNET_DISABLED', 'the administrator has Jsonnet switched off', {
        hint: 'commit the JSON that the file gives',
      });
    }
    const outside = jsonnet.libraries?.find((one) => resolvePath('', one) === undefined);
    if (outside !== undefined)
      throw new CapstanError(
        'PATH_REFUSED',
        `file '${outside}' resolved to outside repository root`,
        { hint: 'name folders of the repository, from its root' },
      );
    const libraries = [root, ...(jsonnet.libraries ?? [])];
    const value = evaluateJsonnet(tree, file, { ...jsonnet, libraries });
    const documents = Array.isArray(value) ? value : [value];
    const parsed = documents.map((one) => parseManifests(JSON.stringify(one), file));
    return {
      objects: parsed.flatMap(({ objects }) => objects),
      diagnostics: parsed.flatMap(({ diagnostics }) => diagnostics),
    };
  } catch (error) {
    if (!(error instanceof CapstanError)) throw error;
    const { code, message, hint } = error;
    const told = { severity: 'error' as const, code, message, location: { file } };
    return { objects: [], diagnostics: [hint === undefined ? told : { ...told, hint }] };
  }
}

/** A file's manifests by Argo CD's rules on what counts as one. */
export function parseBytes(bytes: Uint8Array, file: string): ParsedManifests {
  const text = decodeText(bytes);
  if (isSkipped(text)) return { objects: [], diagnostics: [] };
  if (file.endsWith('.json') && holdsSeveral(text))
    return { objects: [], diagnostics: [several(file)] };
  const parsed = parseManifests(text, file);
  const isCertain =
    parsed.diagnostics.length === 0 ||
    parsed.objects.length > 0 ||
    (file.endsWith('.json') && !isJsonObject(text));
  if (isCertain) return parsed;
  const end = file.endsWith('.json') ? '' : ':';
  const looksLikeManifest = MARKS.every((key) => text.includes(`${key}${end}`));
  return looksLikeManifest ? parsed : { objects: [], diagnostics: [] };
}

function isSkipped(text: string): boolean {
  return text.includes(SKIP_MARK);
}

const MARKS = ['apiVersion', 'kind', 'metadata'];

/** UTF-8, unless the text begins with the mark of UTF-16. */
function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return new TextDecoder().decode(bytes);
}

/** Another file than a manifest, such as a package.json; what is no JSON was meant to be something. */
function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** Whether another value follows the first object of a JSON text. */
function holdsSeveral(text: string): boolean {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/gs)) {
    if (token === '{') depth++;
    if (token === '}' && --depth <= 0) return text.slice(index + 1).trim() !== '';
  }
  return false;
}

function several(file: string): Diagnostic {
  return {
    severity: 'error',
    code: 'MANIFEST_INVALID',
    message: 'found multiple objects: only single objects are allowed in JSON files',
    hint: 'give each a file of its own, or make a List of them',
    location: { file },
  };
}

function limit(path: string, message: string): Diagnostic {
  const hint = 'narrow the folder by include and exclude, or split it';
  const location = { file: path === '' ? '.' : path };
  return { severity: 'error', code: 'MANIFEST_LIMIT', message, hint, location };
}

function badLink(file: string, kind: 'escape' | 'loop'): Diagnostic {
  return {
    severity: 'error',
    code: 'LINK_REFUSED',
    message:
      kind === 'escape'
        ? 'this link leads out of the repository'
        : 'this link leads through too many links',
    hint: 'replace the link by the file',
    location: { file },
  };
}
