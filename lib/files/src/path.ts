/**
 * Paths inside a FileTree: '/' between names, no leading or trailing '/', '' is the root. A path that would leave the
 * root does not exist as a value: the functions here return undefined instead.
 */

/** Resolves `path` against directory `base`; undefined when it climbs over the root. An absolute path starts at the root. */
export function resolvePath(base: string, path: string): string | undefined {
  const parts = path.startsWith('/') || base === '' ? [] : base.split('/');
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}

export function joinPath(base: string, name: string): string {
  return base === '' ? name : name === '' ? base : `${base}/${name}`;
}

/** The directory that holds `path`; '' for an entry of the root. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Whether `path` is `directory` or lies below it. */
export function isWithin(directory: string, path: string): boolean {
  return directory === '' || path === directory || path.startsWith(`${directory}/`);
}

/** The path from directory `from` to `to`, both in the same tree: '../x/y', '.' when equal. */
export function relativePath(from: string, to: string): string {
  const a = from === '' ? [] : from.split('/');
  const b = to === '' ? [] : to.split('/');
  let same = 0;
  while (same < a.length && same < b.length && a[same] === b[same]) same++;
  const parts = [...a.slice(same).map(() => '..'), ...b.slice(same)];
  return parts.length === 0 ? '.' : parts.join('/');
}
