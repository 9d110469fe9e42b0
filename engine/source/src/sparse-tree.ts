import { type FileTree, joinPath, resolvePath } from '@capstan/lib-files';
import { CapstanError } from '@capstan/lib-std';

/**
 * Only files whose path starts with one of the given folders, as go-git's sparse checkout selects them (a plain prefix, so
 * `app` takes `apple/` too). Throws SPARSE_MISSING when one of them leads to nothing.
 */
export function sparseTree(tree: FileTree, given: readonly string[]): FileTree {
  const prefixes = given.map((text) => {
    const path = resolvePath('', text);
    if (path !== undefined && tree.stat(path) !== undefined) return text.replace(/^\.\//, '');
    throw new CapstanError(
      'SPARSE_MISSING',
      `failed to sparse checkout directories : sparse checkout dir '${text}' does not exist in repository`,
      { hint: 'correct spec.sparseCheckout' },
    );
  });
  const isShown = (path: string): boolean =>
    prefixes.some((prefix) => path.startsWith(prefix) || prefix.startsWith(`${path}/`)) ||
    path === '';
  return {
    stat: (path) => (isShown(path) ? tree.stat(path) : undefined),
    readFile: (path) => (isShown(path) ? tree.readFile(path) : undefined),
    readLink: (path) => (isShown(path) ? tree.readLink(path) : undefined),
    readDirectory: (path) =>
      isShown(path)
        ? tree.readDirectory(path)?.filter(({ name }) => isShown(joinPath(path, name)))
        : undefined,
  };
}
