import type { Core } from '@capstan/kube-apiserver';
import { isObject, listAt, objectAt, textAt, valueAt } from '@capstan/kube-apiserver';
import type { Json, KubeObject } from '@capstan/kube-object';

/** All that one container may write. */
const BYTES_MAX = 64 * 1024 * 1024;
/** How many containers keep what was written into them; the one that was not used longest is forgotten first. */
const CONTAINERS_MAX = 256;
const FOLDERS = ['/', '/bin', '/etc', '/home', '/root', '/tmp', '/usr', '/var', '/var/log'];

export class FileSystemError extends Error {}

/**
 * The files of a simulated container, in memory: folders that every image has, what commands wrote, and the ConfigMaps and
 * Secrets that its pod mounts, as they are at the moment.
 */
export class ContainerFiles {
  readonly #files = new Map<string, Uint8Array>();
  readonly #folders = new Set(FOLDERS);
  readonly #mounted: () => ReadonlyMap<string, Uint8Array>;

  constructor(mounted: () => ReadonlyMap<string, Uint8Array>) {
    this.#mounted = mounted;
  }

  read(path: string): Uint8Array | undefined {
    return this.#files.get(path) ?? this.#mounted().get(path);
  }

  isFolder(path: string): boolean {
    if (this.#folders.has(path)) return true;
    return [...this.#mounted().keys()].some((file) => file.startsWith(`${path}/`));
  }

  /** Names below a folder, sorted; undefined when it is none. */
  list(path: string): readonly string[] | undefined {
    if (!this.isFolder(path)) return undefined;
    const within = path === '/' ? '/' : `${path}/`;
    const all = [...this.#folders, ...this.#files.keys(), ...this.#mounted().keys()];
    const names = all
      .filter((item) => item.startsWith(within) && item !== within)
      .map((item) => item.slice(within.length).split('/')[0]!);
    return [...new Set(names)].sort();
  }

  /** Every file and folder at or below a path. */
  walk(path: string): readonly string[] {
    if (this.read(path) !== undefined) return [path];
    const below = this.list(path) ?? [];
    return [
      path,
      ...below.flatMap((name) => this.walk(path === '/' ? `/${name}` : `${path}/${name}`)),
    ];
  }

  write(path: string, content: Uint8Array): void {
    const parent = path.slice(0, path.lastIndexOf('/')) || '/';
    if (!this.isFolder(parent)) throw new FileSystemError(`${path}: No such file or directory`);
    if (this.isFolder(path)) throw new FileSystemError(`${path}: Is a directory`);
    let size = content.length;
    for (const bytes of this.#files.values()) size += bytes.length;
    if (size > BYTES_MAX) throw new FileSystemError(`${path}: No space left on device`);
    this.#files.set(path, content);
  }

  makeFolder(path: string, withParents: boolean): void {
    const parent = path.slice(0, path.lastIndexOf('/')) || '/';
    if (this.read(path) !== undefined || (this.isFolder(path) && !withParents)) {
      throw new FileSystemError(`can't create directory '${path}': File exists`);
    }
    if (!this.isFolder(parent)) {
      if (!withParents) {
        throw new FileSystemError(`can't create directory '${path}': No such file or directory`);
      }
      this.makeFolder(parent, true);
    }
    this.#folders.add(path);
  }

  /** Also what is below. */
  remove(path: string): void {
    for (const file of [...this.#files.keys()]) {
      if (file === path || file.startsWith(`${path}/`)) this.#files.delete(file);
    }
    for (const folder of [...this.#folders]) {
      if (folder === path || folder.startsWith(`${path}/`)) this.#folders.delete(folder);
    }
  }
}

/** The files of containers by the ids of their pods; each cluster (a fork is one) has its own. */
export class KeptFiles {
  readonly #clusters = new WeakMap<object, Map<string, ContainerFiles>>();

  of(core: Core, pod: KubeObject, container: string): ContainerFiles {
    const kept = this.#clusters.get(core) ?? new Map<string, ContainerFiles>();
    this.#clusters.set(core, kept);
    const key = `${pod.metadata.uid}/${container}`;
    const files = kept.get(key) ?? new ContainerFiles(() => mountedFiles(core, pod, container));
    kept.delete(key);
    kept.set(key, files);
    const [oldest] = kept.keys();
    if (kept.size > CONTAINERS_MAX && oldest !== undefined) kept.delete(oldest);
    return files;
  }
}

function mountedFiles(core: Core, pod: KubeObject, name: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>([
    ['/etc/hostname', Buffer.from(`${pod.metadata.name}\n`)],
  ]);
  const container = ['containers', 'initContainers', 'ephemeralContainers']
    .flatMap((field) => listAt(pod, 'spec', field))
    .find((item) => textAt(item, 'name') === name);
  for (const mount of listAt(container, 'volumeMounts')) {
    const volume = listAt(pod, 'spec', 'volumes').find(
      (item) => textAt(item, 'name') === textAt(mount, 'name'),
    );
    const path = textAt(mount, 'mountPath').replace(/\/$/, '');
    const part = textAt(mount, 'subPath');
    const sources = [volume, ...listAt(volume, 'projected', 'sources')];
    for (const [key, bytes] of sources.flatMap((source) => [...contentOf(core, pod, source)])) {
      if (part === '') files.set(`${path}/${key}`, bytes);
      else if (part === key) files.set(path, bytes);
    }
  }
  return files;
}

/** The files of one ConfigMap, Secret or service account token. */
function contentOf(core: Core, pod: KubeObject, source: Json | undefined): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  const add = (bucket: string, name: string, items: readonly Json[]): void => {
    const object = core.store.get(bucket, `${pod.metadata.namespace}/${name}`);
    const plain = bucket === '/configmaps' ? 'utf8' : 'base64';
    const all = new Map<string, Uint8Array>();
    for (const [key, text] of Object.entries(objectAt(object, 'data'))) {
      all.set(key, Buffer.from(String(text), plain));
    }
    for (const [key, text] of Object.entries(objectAt(object, 'binaryData'))) {
      all.set(key, Buffer.from(String(text), 'base64'));
    }
    for (const [key, bytes] of all) {
      const item = items.find((entry) => textAt(entry, 'key') === key);
      if (items.length === 0) found.set(key, bytes);
      else if (item !== undefined) found.set(textAt(item, 'path'), bytes);
    }
  };
  const { configMap, secret } = isObject(source) ? source : {};
  if (isObject(configMap))
    add('/configmaps', textAt(configMap, 'name'), listAt(configMap, 'items'));
  if (isObject(secret)) {
    add(
      '/secrets',
      textAt(secret, 'secretName') || textAt(secret, 'name'),
      listAt(secret, 'items'),
    );
  }
  const token = valueAt(source, 'serviceAccountToken');
  if (isObject(token)) found.set(textAt(token, 'path'), Buffer.from('simulated'));
  return found;
}
