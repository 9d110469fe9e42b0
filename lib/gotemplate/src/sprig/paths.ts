import { type Functions, fixed, text } from './define.ts';

/** Go's path functions; the os forms are the same ones, as on Linux. */
export function pathFunctions(): Functions {
  const base = fixed([text], pathBase);
  const dir = fixed([text], pathDir);
  const clean = fixed([text], cleanPath);
  const ext = fixed([text], pathExtension);
  const isAbs = fixed([text], (path) => path.startsWith('/'));
  return [
    ['base', base],
    ['dir', dir],
    ['clean', clean],
    ['ext', ext],
    ['isAbs', isAbs],
    ['osBase', base],
    ['osDir', dir],
    ['osClean', clean],
    ['osExt', ext],
    ['osIsAbs', isAbs],
  ];
}

/** path.Base */
export function pathBase(path: string): string {
  if (path === '') return '.';
  let end = path.length;
  while (path[end - 1] === '/') end--;
  const trimmed = path.slice(0, end);
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

function pathDir(path: string): string {
  return cleanPath(path.slice(0, path.lastIndexOf('/') + 1));
}

/** path.Clean */
export function cleanPath(path: string): string {
  if (path === '') return '.';
  const rooted = path.startsWith('/');
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') out.push(part);
    else if (out.length > 0 && out.at(-1) !== '..') out.pop();
    else if (!rooted) out.push('..');
  }
  const joined = out.join('/');
  if (rooted) return `/${joined}`;
  return joined === '' ? '.' : joined;
}

function pathExtension(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot);
}
