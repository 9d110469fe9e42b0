import type { FileTree } from './file-tree.ts';
import { joinPath, resolvePath } from './path.ts';

const LINKS_MAX = 40;

/** `escape`: a link leads out of the tree (or is absolute). `loop`: more than 40 links. */
export type ResolvedPath =
  | { readonly kind: 'found'; readonly path: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'escape'; readonly link: string }
  | { readonly kind: 'loop'; readonly link: string };

/**
 * Follows every symbolic link on the way to `path`, also in the middle. Nothing outside the tree is ever looked at:
 * absolute targets and targets over the root are `escape`, whatever stands there.
 */
export function resolveLinks(tree: FileTree, path: string): ResolvedPath {
  let pending = path === '' ? [] : path.split('/');
  let at = '';
  let links = 0;
  while (pending.length > 0) {
    const next = joinPath(at, pending[0]!);
    const entry = tree.stat(next);
    if (entry === undefined) return { kind: 'missing' };
    if (entry.kind !== 'symlink') {
      at = next;
      pending = pending.slice(1);
      continue;
    }
    if (++links > LINKS_MAX) return { kind: 'loop', link: next };
    const target = tree.readLink(next) ?? '';
    const resolved = target.startsWith('/') ? undefined : resolvePath(at, target);
    if (resolved === undefined) return { kind: 'escape', link: next };
    pending = [...(resolved === '' ? [] : resolved.split('/')), ...pending.slice(1)];
    at = '';
  }
  return { kind: 'found', path: at };
}
