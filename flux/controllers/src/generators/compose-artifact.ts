/**
 * Composes the files of one generated artifact: copy operations from sources, in their order, with the meaning that
 * source-watcher gives them (its specification of ArtifactGenerators, "Copy operations"): as `cp -r` would, never out of a
 * source and never out of the artifact.
 */
import { readArchive } from '@capstan/engine-source/store';
import type { CopyOperation } from '@capstan/flux-api';
import {
  baseName,
  compileGlob,
  type FileTree,
  isWithin,
  joinPath,
  type MemoryFile,
  memoryTree,
  parentPath,
  resolvePath,
} from '@capstan/lib-files';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { mergeYamlFiles } from './merge-yaml.ts';

/** Of one archive that an operation extracts, as in the original. */
const EXTRACTED_BYTES_MAX = 100 * 1024 * 1024;

/** The files that the operations put together. Throws BUILD_FAILED, whose message names the operation. */
export async function composeArtifact(
  operations: readonly CopyOperation[],
  sources: ReadonlyMap<string, FileTree>,
): Promise<FileTree> {
  const stage = new Stage();
  for (const operation of operations) {
    try {
      await applyOperation(operation, sources, stage);
    } catch (cause) {
      const { from, to } = operation;
      throw new CapstanError(
        'BUILD_FAILED',
        `failed to apply copy operations: failed to apply copy operation from '${from}' to '${to}': ${messageOf(cause)}`,
        { cause },
      );
    }
  }
  return stage.tree();
}

/** What was put together so far. */
class Stage {
  readonly #files = new Map<string, { readonly bytes: Uint8Array; readonly executable: boolean }>();
  readonly #folders = new Set<string>(['']);

  isFolder(path: string): boolean {
    return this.#folders.has(path);
  }

  file(path: string): Uint8Array | undefined {
    return this.#files.get(path)?.bytes;
  }

  isExecutable(path: string): boolean {
    return this.#files.get(path)?.executable === true;
  }

  addFolder(path: string): void {
    if (this.#folders.has(path)) return;
    if (this.#files.has(path)) throw problem(`mkdirat ${path}: not a directory`);
    this.addFolder(parentPath(path));
    this.#folders.add(path);
  }

  addFile(path: string, bytes: Uint8Array, executable: boolean): void {
    if (this.#folders.has(path)) throw problem(`openat ${path || '.'}: is a directory`);
    this.addFolder(parentPath(path));
    this.#files.set(path, { bytes, executable });
  }

  tree(): FileTree {
    const files: Record<string, MemoryFile> = {};
    for (const [path, file] of this.#files) files[path] = file;
    return memoryTree(files, [...this.#folders]);
  }
}

interface Copying {
  readonly operation: CopyOperation;
  readonly source: FileTree;
  readonly stage: Stage;
  /** Where in the artifact, without what `..` or an absolute path would lead to. */
  readonly target: string;
  readonly isExcluded: (path: string, base: string) => boolean;
}

async function applyOperation(
  operation: CopyOperation,
  sources: ReadonlyMap<string, FileTree>,
  stage: Stage,
): Promise<void> {
  const { alias, pattern } = parseFrom(operation.from);
  const target = parseTo(operation.to);
  const source = sources.get(alias);
  if (source === undefined) throw problem(`source alias '${alias}' not found`);
  const isExcluded = excluder(operation.exclude ?? []);
  const copying = { operation, source, stage, target, isExcluded };
  await (hasGlob(pattern) ? copyMatches(copying, pattern, alias) : copyOne(copying, pattern));
}

function parseFrom(from: string): { readonly alias: string; readonly pattern: string } {
  const fail = (what: string) => problem(`invalid copy source '${from}': ${what}`);
  if (!from.startsWith('@')) throw fail("source must start with '@'");
  const slash = from.indexOf('/');
  if (slash < 0) throw fail("source format must be '@alias/pattern'");
  return { alias: from.slice(1, slash), pattern: from.slice(slash + 1) };
}

function parseTo(to: string): string {
  const start = '@artifact/';
  if (!to.startsWith(start)) {
    throw problem(`invalid copy destination '${to}': destination must start with '${start}'`);
  }
  return inside(to.slice(start.length), 'openat');
}

/** A path within its root, cleaned; others are refused in the words of Go's os.Root. */
function inside(path: string, call: string): string {
  const found = path.startsWith('/') ? undefined : resolvePath('', path);
  if (found === undefined) throw problem(`${call} ${path}: path escapes from parent`);
  return found;
}

function hasGlob(path: string): boolean {
  return /[*?[\]]/.test(path);
}

/** A pattern without '/' is held against the name too; others against the path, and against that below `base`. */
function excluder(patterns: readonly string[]): (path: string, base: string) => boolean {
  const compiled = patterns.map((pattern) => {
    const matches = doublestar(pattern, `invalid exclude pattern '${pattern}'`);
    return pattern.includes('/')
      ? matches
      : (path: string) => matches(path) || matches(baseName(path));
  });
  const excludes = (path: string) => compiled.some((matches) => matches(path));
  return (path, base) => {
    if (excludes(path)) return true;
    if (base === '' || path === base || !isWithin(base, path)) return false;
    return excludes(path.slice(base.length + 1));
  };
}

/** As github.com/bmatcuk/doublestar: `**` spans names, `{a,b}` are alternatives, `dir/**` is `dir` as well. */
function doublestar(pattern: string, complaint: string): (path: string) => boolean {
  if (isUnclosed(pattern)) throw problem(complaint);
  const options = { separator: '/', braces: true } as const;
  const matches = compileGlob(pattern, options);
  if (!pattern.endsWith('/**')) return matches;
  const itself = compileGlob(pattern.slice(0, -3), options);
  return (path) => matches(path) || itself(path);
}

/** Go's matchers refuse a set without its end. */
function isUnclosed(pattern: string): boolean {
  const plain = pattern.replace(/\\./gs, '');
  const open = plain.lastIndexOf('[');
  return open >= 0 && !/^\[\^?[^\]]+\]/.test(plain.slice(open));
}

async function copyMatches(copying: Copying, pattern: string, alias: string): Promise<void> {
  const { operation, source, isExcluded } = copying;
  const extracts = operation.strategy === 'Extract';
  const found = extracts ? findDeep(source, pattern) : findFlat(source, pattern);
  if (found.length === 0) {
    throw problem(`no files match pattern '${pattern}' in source '${alias}'`);
  }
  const base = literalRoot(pattern);
  const chosen = found.filter((path) => path !== '' && !isExcluded(path, base));
  if (chosen.length === 0) {
    throw problem(`all files matching pattern '${pattern}' in source '${alias}' were excluded`);
  }
  for (const path of chosen) {
    if (!extracts) copyAt(copying, path, { to: globTarget(pattern, path, copying.target), base });
    else if (isArchive(path) && source.stat(path)?.kind === 'file') await extract(copying, path);
  }
}

/** As Go's fs.Glob: names folder by folder; `**` is no more than `*`. */
function findFlat(source: FileTree, pattern: string): readonly string[] {
  let found = [''];
  const parts = pattern.split('/');
  for (const [at, part] of parts.entries()) {
    const isLast = at === parts.length - 1;
    if (hasGlob(part) && isUnclosed(part)) {
      throw problem(`invalid glob pattern '${pattern}': syntax error in pattern`);
    }
    const accepts = compileGlob(part.replaceAll(/\*+/g, '*'), { separator: '/' });
    found = found.flatMap((folder) => {
      if (!hasGlob(part)) {
        const path = joinPath(folder, part);
        return part !== '' && part !== '..' && source.stat(path) !== undefined ? [path] : [];
      }
      return (source.readDirectory(folder) ?? [])
        .filter(({ name, kind }) => accepts(name) && (isLast || kind === 'directory'))
        .map(({ name }) => joinPath(folder, name));
    });
  }
  return found;
}

/** As doublestar's Glob: `**` reaches any depth. */
function findDeep(source: FileTree, pattern: string): readonly string[] {
  const matches = doublestar(pattern, `invalid glob pattern '${pattern}': syntax error in pattern`);
  return [...walk(source, '')].filter(matches);
}

function* walk(tree: FileTree, folder: string): Generator<string> {
  for (const { name, kind } of tree.readDirectory(folder) ?? []) {
    const path = joinPath(folder, name);
    yield path;
    if (kind === 'directory') yield* walk(tree, path);
  }
}

/** What stands before the first part with a wildcard. */
function literalRoot(pattern: string): string {
  const parts = pattern.split('/').filter((part) => part !== '' && part !== '.');
  const end = parts.findIndex(hasGlob);
  return parts.slice(0, end < 0 ? parts.length : end).join('/');
}

/** `dir/**` gives what is below `dir`; other patterns keep the whole path. */
function globTarget(pattern: string, path: string, target: string): string {
  const folder = pattern.endsWith('/**') ? `${pattern.slice(0, -3)}/` : undefined;
  const kept = folder !== undefined && path.startsWith(folder) ? path.slice(folder.length) : path;
  return joinPath(target, kept);
}

async function copyOne(copying: Copying, given: string): Promise<void> {
  const { operation, source, stage, target, isExcluded } = copying;
  const path = inside(given, `failed to stat source '${given}': statat`);
  const shown = path === '' ? '.' : path;
  const entry = source.stat(path);
  if (entry === undefined) throw problem(`source '${shown}' does not exist`);
  if (entry.kind === 'directory') {
    if (operation.strategy === 'Extract') {
      throw problem(`extract strategy is not supported for directories, got '${shown}'`);
    }
    const to = path === '' ? target : joinPath(target, baseName(path));
    copyAt(copying, path, { to, base: path });
    return;
  }
  if (isExcluded(path, '')) return;
  if (operation.strategy === 'Extract') {
    if (!isArchive(path)) {
      throw problem(`extract strategy requires tarball file (.tar.gz or .tgz), got '${path}'`);
    }
    await extract(copying, path);
    return;
  }
  const isInto = operation.to.endsWith('/') || stage.isFolder(target);
  copyAt(copying, path, { to: isInto ? joinPath(target, baseName(path)) : target, base: '' });
}

/** A file, or a folder with what is in it. Only a file that is named or matched itself is merged. */
function copyAt(
  { operation, source, stage, isExcluded }: Copying,
  path: string,
  { to, base }: { readonly to: string; readonly base: string },
): void {
  const copyFile = (from: string, at: string) => {
    const bytes = source.readFile(from);
    if (bytes !== undefined) stage.addFile(at, bytes, source.stat(from)?.executable === true);
  };
  if (source.stat(path)?.kind === 'directory') {
    stage.addFolder(to);
    copyFolder(path, to);
    return;
  }
  const held = operation.strategy === 'Merge' ? stage.file(to) : undefined;
  const bytes = source.readFile(path);
  if (held === undefined || bytes === undefined) copyFile(path, to);
  else stage.addFile(to, mergeYamlFiles(held, bytes), stage.isExecutable(to));

  function copyFolder(folder: string, target: string): void {
    for (const { name, kind } of source.readDirectory(folder) ?? []) {
      const from = joinPath(folder, name);
      if (isExcluded(from, base)) continue;
      if (kind === 'directory') {
        stage.addFolder(joinPath(target, name));
        copyFolder(from, joinPath(target, name));
      } else copyFile(from, joinPath(target, name));
    }
  }
}

function isArchive(path: string): boolean {
  return /\.(tar\.gz|tgz)$/i.test(path);
}

async function extract({ source, stage, target }: Copying, path: string): Promise<void> {
  const bytes = source.readFile(path) ?? new Uint8Array();
  try {
    const files = await readArchive(bytes, { bytesMax: EXTRACTED_BYTES_MAX });
    stage.addFolder(target);
    for (const inner of walk(files, '')) {
      const entry = files.stat(inner);
      const content = files.readFile(inner);
      if (entry?.kind === 'directory') stage.addFolder(joinPath(target, inner));
      else if (content !== undefined) {
        stage.addFile(joinPath(target, inner), content, entry?.executable === true);
      }
    }
  } catch (cause) {
    throw problem(
      `failed to extract tarball ${JSON.stringify(path)} to ${JSON.stringify(target || '.')}: ${messageOf(cause)}`,
      cause,
    );
  }
}

function problem(message: string, cause?: unknown): CapstanError {
  return new CapstanError('BUILD_FAILED', message, cause === undefined ? {} : { cause });
}
