import type { Json, JsonObject } from '@capstan/kube-object';
import { compileGlob, type FileTree, joinPath, resolvePath } from '@capstan/lib-files';
import type { KustomizeImage } from './render-spec.ts';

/** What `kustomize edit` takes in place of a part of an image that is to stay. */
const KEPT = '*';

type Entry = { readonly [field: string]: Json | undefined };

/**
 * As `kustomize edit set image`: an image stands for the whole entry of its name, so that what it does not name is gone, but
 * for parts that are `*`; entries are in the order of their names.
 */
export function editImages(given: readonly Json[], images: readonly KustomizeImage[]): Json {
  const entries = new Map<string, Entry>(images.map((image) => [image.name, { ...image }]));
  for (const item of given) {
    const known = item as JsonObject;
    const name = String(known['name'] ?? '');
    const wanted = entries.get(name);
    entries.set(name, wanted === undefined ? known : { ...wanted, ...keptParts(wanted, known) });
  }
  return [...entries.values()]
    .map((entry) => ({ ...entry, ...keptParts(entry, {}) }))
    .map((entry) => Object.fromEntries(Object.entries(entry).filter(([, part]) => part)) as Json)
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

function keptParts(wanted: Entry, known: Entry): Entry {
  const parts = ['newName', 'newTag', 'digest'].filter((part) => wanted[part] === KEPT);
  return Object.fromEntries(parts.map((part) => [part, known[part]]));
}

function nameOf(entry: Json): string {
  return String((entry as JsonObject)['name'] ?? '');
}

/** As `kustomize edit add component`: names may be patterns, and one that is there already is not there twice. */
export function editComponents(
  given: readonly Json[],
  paths: readonly string[],
  { tree, folder }: { readonly tree: FileTree; readonly folder: string },
): readonly Json[] {
  const found = paths.flatMap((path) => {
    const places = expandSegments(tree, folder, path.split('/'));
    return places.length === 0 ? [path] : places;
  });
  return [...new Set([...given, ...found])];
}

/** The paths that a pattern names, its `*` within one name; as they would be written in its place. */
function expandSegments(
  tree: FileTree,
  folder: string,
  [head = '', ...rest]: readonly string[],
): readonly string[] {
  const next = (name: string): readonly string[] => {
    const place = resolvePath(folder, name);
    if (place === undefined || tree.stat(place) === undefined) return [];
    if (rest.length === 0) return [name];
    return expandSegments(tree, place, rest).map((path) => joinPath(name, path));
  };
  if (!/[*?[]/.test(head)) return next(head);
  const fits = compileGlob(head, { separator: '/' });
  return (tree.readDirectory(folder) ?? [])
    .map(({ name }) => name)
    .filter(fits)
    .flatMap(next);
}

/** As `kustomize edit add label|annotation` reads a value: one pair of double quotes around it is not part of it. */
export function unquoted(values: { readonly [name: string]: string }) {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, /^"(.*)"$/s.exec(value)?.[1] ?? value]),
  );
}
