import {
  baseName,
  type FileTree,
  isWithin,
  joinPath,
  parentPath,
  resolvePath,
} from '@capstan/lib-files';
import type { BuildContext } from './context.ts';
import { BuildFailure, failure, within } from './failure.ts';
import { type ChartPull, type RemoteAnswer, requireAdmitted } from './remote.ts';
import { isRemoteFile, parseRepoSpec, type RepoSpec } from './repo-spec.ts';

/** A tree, and the absolute path that stands for its root in messages. */
export interface Volume {
  readonly tree: FileTree;
  /** '' for the root of the file system. */
  readonly mount: string;
  /** Folders whose links have been followed. */
  readonly resolved: Map<string, string>;
}

/** A file as it was read. `id` is the content's. */
export interface LoadedFile {
  readonly bytes: Uint8Array;
  readonly id: string;
  /** For messages and origins: the path in its tree, or the URL. */
  readonly path: string;
}

const LINKS_MAX = 255;

/** Reads the files of one kustomization folder, and finds the folders it refers to. */
export class Loader {
  readonly context: BuildContext;
  readonly volume: Volume;
  /** The folder, without links, as a path of the volume. */
  readonly folder: string;
  readonly referrer: Loader | undefined;
  readonly repo: RepoSpec | undefined;
  readonly depth: number;
  readonly #restricted: boolean;

  constructor(
    context: BuildContext,
    place: { readonly volume: Volume; readonly folder: string; readonly repo?: RepoSpec },
    referrer?: Loader,
  ) {
    this.context = context;
    this.volume = place.volume;
    this.folder = place.folder;
    this.repo = place.repo;
    this.referrer = referrer;
    this.depth = referrer === undefined ? 0 : referrer.depth + 1;
    // What a repository elsewhere may read is always limited to its own folders.
    this.#restricted =
      place.repo !== undefined ||
      (referrer === undefined ? context.loadRestrictor === 'rootOnly' : referrer.#restricted);
    if (this.depth > context.limits.depthMax) {
      throw failure(
        `kustomizations nest deeper than ${context.limits.depthMax} at '${this.root}'`,
        { hint: 'merge some of the layers' },
      );
    }
  }

  /** The folder as an absolute path, for messages. */
  get root(): string {
    return absolute(this.volume, this.folder);
  }

  /** Reads a file that the kustomization names: relative to its folder, absolute, or a URL. */
  load(path: string): LoadedFile {
    if (isRemoteFile(path)) return this.#loadRemote(path);
    const wanted = path.startsWith('/') ? path : `${this.root}/${path}`;
    const clean = this.#clean(path, wanted);
    if (!this.#restricted) return this.#read(clean);
    const found = locate(this.volume, clean);
    if (found.kind === 'directory') throw failure(`'${clean}' must resolve to a file`);
    if (!isWithin(this.folder, parentPath(found.path))) {
      throw failure(`security; file '${clean}' is not in or below '${this.root}'`);
    }
    return this.#readAt(found.path, clean);
  }

  /** Whether there is surely nothing of that name in the folder. Saves an attempt to read it. */
  lacks(name: string): boolean {
    return this.volume.tree.stat(joinPath(this.folder, name)) === undefined;
  }

  /** Whether a folder is meant, without trying to read it as a file. */
  isFolder(path: string): boolean {
    if (isRemoteFile(path)) return false;
    const clean = cleanAbsolute(path.startsWith('/') ? path : `${this.root}/${path}`);
    const inside = inVolume(this.volume, clean);
    if (inside === undefined) return false;
    return this.volume.tree.stat(inside)?.kind === 'directory';
  }

  /** The folder at an absolute path, as a path of the volume and without links; nothing when there is none. */
  folderAt(path: string): string | undefined {
    try {
      const { path: found, kind } = locate(this.volume, path);
      return kind === 'directory' ? found : undefined;
    } catch (error) {
      if (error instanceof BuildFailure) return undefined;
      throw error;
    }
  }

  /** The files of a chart from its repository. */
  pullChart(chart: ChartPull): FileTree {
    requireAdmitted(chart.repo, this.context.remotePolicy);
    const shown = `${chart.name} ${chart.version}`.trim();
    return take(
      this.context.remote?.chart?.(chart) ?? noRemote(`chart ${shown}`),
      () => this.context.openRequests.push({ kind: 'chart', chart }),
      `chart ${shown}`,
    );
  }

  /** A loader for the folder or repository that a resource entry means. */
  enter(path: string): Loader {
    if (path === '') throw failure('new root cannot be empty');
    const spec = parseRepoSpec(path);
    if (spec !== undefined) {
      this.#refuseRepoCycle(spec);
      return enterRepository(this.context, spec, this);
    }
    if (path.startsWith('/')) throw failure(`new root '${path}' cannot be absolute`);
    const ambiguous = path
      .split('/')
      .some((part) => part !== '' && part !== '.' && part !== '..' && part.includes('..'));
    if (ambiguous) {
      throw failure(
        `path "${path}" is ambiguous: resolves to "${cleanRelative(path)}" after normalization, ` +
          'which is likely not the intended target; check for YAML indentation errors in your kustomization file',
      );
    }
    const folder = within(
      () => 'must build at directory',
      () => confirmFolder(this.volume, this.#clean(path, `${this.root}/${path}`)),
    );
    this.#refuseCycle(folder);
    return new Loader(this.context, { volume: this.volume, folder }, this);
  }

  /** Cleans an absolute path; one that climbs over the root of a tree that is no file system is refused. */
  #clean(path: string, wanted: string): string {
    const clean = cleanAbsolute(wanted);
    if (this.context.wholeFileSystem && this.repo === undefined) return clean;
    if (resolvePath('', wanted) === undefined) {
      throw failure(`security; '${path}' leads out of the tree of files at '${this.root}'`);
    }
    return clean;
  }

  #refuseCycle(folder: string): void {
    for (let at: Loader | undefined = this; at !== undefined; at = at.referrer) {
      if (at.volume !== this.volume || !isWithin(folder, at.folder)) continue;
      throw failure(
        `cycle detected: candidate root '${absolute(this.volume, folder)}' contains visited root '${at.root}'`,
      );
    }
  }

  #refuseRepoCycle(spec: RepoSpec): void {
    for (let at: Loader | undefined = this; at !== undefined; at = at.referrer) {
      if (at.repo === undefined || !at.repo.raw.startsWith(spec.raw)) continue;
      throw failure(
        `cycle detected: URI '${spec.raw}' referenced by previous URI '${at.repo.raw}'`,
      );
    }
  }

  #read(clean: string): LoadedFile {
    const found = locateFor(this.volume, clean, { shown: clean, opening: `open ${clean}` });
    if (found.kind === 'directory') throw failure(`read ${clean}: is a directory`);
    return this.#readAt(found.path, clean);
  }

  #readAt(path: string, clean: string): LoadedFile {
    const { tree } = this.volume;
    const bytes = tree.readFile(path);
    if (bytes === undefined) throw failure(`open ${clean}: no such file or directory`);
    this.context.countFile(clean, bytes.byteLength);
    return { bytes, id: tree.stat(path)?.id ?? '', path };
  }

  #loadRemote(url: string): LoadedFile {
    requireAdmitted(url, this.context.remotePolicy);
    const bytes = take(
      this.context.remote?.file(url) ?? noRemote(url),
      () => this.context.openRequests.push({ kind: 'file', url }),
      url,
    );
    this.context.countFile(url, bytes.byteLength);
    return { bytes, id: `url ${url}`, path: url };
  }
}

function noRemote(what: string): RemoteAnswer<never> {
  return { kind: 'failed', message: `no way to fetch '${what}' is set up for this build` };
}

function take<T>(answer: RemoteAnswer<T>, open: () => void, what: string): T {
  switch (answer.kind) {
    case 'found':
      return answer.content;
    case 'pending':
      open();
      throw failure(`remote content '${what}' has to be fetched first`, { pending: true });
    case 'failed':
      throw failure(answer.message, answer.http === true ? { http: true } : {});
  }
}

const FORCED_GIT =
  "Warning: Forcing the git protocol using the 'git::' URL prefix is not supported. Kustomize currently strips this invalid prefix, but will stop doing so in a future release. Please remove the 'git::' prefix from your configuration.";

/** A loader at the folder of a repository elsewhere. */
export function enterRepository(context: BuildContext, spec: RepoSpec, referrer?: Loader): Loader {
  if (/^git::/i.test(spec.raw)) context.warn(FORCED_GIT, 'KUSTOMIZE_LOGGED');
  requireAdmitted(spec.cloneUrl, context.remotePolicy);
  const tree = take(
    context.remote?.repository(spec) ?? noRemote(spec.raw),
    () => context.openRequests.push({ kind: 'repository', spec }),
    spec.raw,
  );
  const volume: Volume = { tree, mount: cleanAbsolute(`/${spec.cloneUrl}`), resolved: new Map() };
  const wanted = cleanAbsolute(`${volume.mount}/${spec.path}`);
  const found = locate(volume, cleanAbsolute(`${volume.mount}/${spec.path}`));
  if (found.kind !== 'directory') {
    throw failure(`'${wanted}' refers to file '${baseName(found.path)}'; expecting directory`);
  }
  return new Loader(context, { volume, folder: found.path, repo: spec }, referrer);
}

/** The folder at an absolute path, without links. `shown` is the path as it was given, for messages. */
export function confirmFolder(volume: Volume, path: string, shown = path): string {
  const found = within(
    () => 'not a valid directory',
    () => locateFor(volume, cleanAbsolute(path), { shown }),
  );
  if (found.kind !== 'directory') throw failure(`'${shown}': file is not directory`);
  return found.path;
}

export function absolute(volume: Volume, path: string): string {
  return path === '' ? volume.mount || '/' : `${volume.mount}/${path}`;
}

/** The path in the volume, or undefined when it lies outside. */
function inVolume(volume: Volume, clean: string): string | undefined {
  if (volume.mount === '') return clean.slice(1);
  if (clean === volume.mount) return '';
  return clean.startsWith(`${volume.mount}/`) ? clean.slice(volume.mount.length + 1) : undefined;
}

interface Located {
  readonly path: string;
  readonly kind: 'file' | 'directory';
}

/** Follows all links of an absolute path; nothing outside the volume is looked at. */
function locate(volume: Volume, clean: string): Located {
  return locateFor(volume, clean, { shown: clean });
}

function locateFor(
  volume: Volume,
  clean: string,
  { shown, opening }: { readonly shown: string; readonly opening?: string },
): Located {
  const start = inVolume(volume, clean);
  const fail = (at: string, why: string) =>
    failure(
      opening === undefined
        ? `evalsymlink failure on '${shown}' : ${at === '' ? '' : `lstat ${at}: `}${why}`
        : `${opening}: ${why}`,
    );
  if (start === undefined) throw fail(clean, 'no such file or directory');
  let pending = start === '' ? [] : start.split('/');
  let at = '';
  let kind: Located['kind'] = 'directory';
  // Folders are resolved once: most paths of a build share them.
  const parent = parentPath(start);
  const known = start === '' ? undefined : volume.resolved.get(parent);
  if (known !== undefined) {
    at = known;
    pending = pending.slice(-1);
  }
  for (let links = 0; pending.length > 0; ) {
    const next = joinPath(at, pending[0]!);
    const entry = volume.tree.stat(next);
    if (entry === undefined) throw fail(absolute(volume, next), 'no such file or directory');
    if (entry.kind === 'symlink') {
      if (++links > LINKS_MAX) throw fail('', 'EvalSymlinks: too many links');
      const target = volume.tree.readLink(next) ?? '';
      const path = inVolume(
        volume,
        cleanAbsolute(target.startsWith('/') ? target : `${absolute(volume, at)}/${target}`),
      );
      if (path === undefined) throw fail(absolute(volume, next), 'link leads out of the tree');
      pending = [...(path === '' ? [] : path.split('/')), ...pending.slice(1)];
      at = '';
      kind = 'directory';
      continue;
    }
    kind = entry.kind;
    if (kind === 'file' && pending.length > 1) throw fail('', 'not a directory');
    at = next;
    pending = pending.slice(1);
    if (pending.length === 1 && joinPath(parent, pending[0]!) === start) {
      volume.resolved.set(parent, at);
    }
  }
  return { path: at, kind };
}

/** Cleans an absolute path lexically, as Go's filepath.Clean. */
export function cleanAbsolute(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** Cleans a relative path lexically; it may go up. */
export function cleanRelative(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else parts.push(part);
  }
  return parts.length === 0 ? '.' : parts.join('/');
}
