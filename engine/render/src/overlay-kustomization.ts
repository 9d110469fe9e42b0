import type { Json, JsonObject } from '@capstan/kube-object';
import { type FileTree, joinPath, resolvePath } from '@capstan/lib-files';
import { CapstanError } from '@capstan/lib-std';
import { editComponents, editImages, unquoted } from './edit-kustomization.ts';
import type { KustomizeImage, KustomizeOptions, KustomizeOverlay } from './render-spec.ts';

/** The names a kustomization file may have, in the order of their rank. */
export const KUSTOMIZATION_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

type Fields = { [key: string]: Json | undefined };

/** The path of a folder's kustomization file; undefined when it has none. */
export function findKustomization(tree: FileTree, folder: string): string | undefined {
  return KUSTOMIZATION_NAMES.map((name) => joinPath(folder, name)).find(
    (path) => tree.stat(path)?.kind === 'file',
  );
}

/**
 * A kustomization for a folder that has none, as Flux makes it: every YAML file below, and every folder with a
 * kustomization of its own, which is not entered.
 */
export function generateKustomization(tree: FileTree, folder: string): JsonObject {
  const resources: string[] = [];
  const visit = (path: string, relative: string): void => {
    for (const entry of tree.readDirectory(path) ?? []) {
      const child = joinPath(path, entry.name);
      const name = `${relative}/${entry.name}`;
      if (entry.kind === 'directory') {
        if (findKustomization(tree, child) === undefined) visit(child, name);
        else resources.push(name);
      } else if (/\.ya?ml$/.test(entry.name)) resources.push(name);
    }
  };
  visit(folder, '.');
  const head = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' };
  // Kustomize refuses a kustomization that says nothing at all.
  return resources.length === 0 ? { ...head, namespace: '_placeholder' } : { ...head, resources };
}

/** The kustomization with the overlay's fields put in, each by the rule of the field: replaced, merged or added. */
export function overlayKustomization(
  kustomization: JsonObject,
  options: KustomizeOptions,
  place: { readonly tree: FileTree; readonly folder: string },
): JsonObject {
  const overlay = options.overlay ?? {};
  const fields: Fields = { ...kustomization };
  if (overlay.namespace !== undefined) fields['namespace'] = overlay.namespace;
  if (overlay.namePrefix !== undefined) fields['namePrefix'] = overlay.namePrefix;
  if (overlay.nameSuffix !== undefined) fields['nameSuffix'] = overlay.nameSuffix;
  if (overlay.buildMetadata !== undefined) fields['buildMetadata'] = [...overlay.buildMetadata];
  append(fields, 'patches', (overlay.patches ?? []).map(toJson));
  addComponents(fields, overlay, place);
  if (overlay.images !== undefined && overlay.images.length > 0) {
    const set = overlay.edits === true ? editImages : mergeImages;
    fields['images'] = set(list(fields['images']), overlay.images);
  }
  if (overlay.replicas !== undefined) {
    const others = list(fields['replicas']).filter(
      (item) => !overlay.replicas?.some(({ name }) => nameOf(item) === name),
    );
    fields['replicas'] = [...others, ...overlay.replicas.map(toJson)];
  }
  addLabels(fields, overlay);
  if (overlay.annotations !== undefined) {
    const own = mapping(fields['commonAnnotations']);
    if (overlay.forcesAnnotations !== true) refuseKnown('annotation', overlay.annotations, own);
    fields['commonAnnotations'] = { ...own, ...unquoted(overlay.annotations) };
  }
  return fields;
}

/** As `kustomize edit add` does without --force. */
function refuseKnown(what: string, added: { readonly [name: string]: string }, own: Fields): void {
  const known = Object.keys(added).find((name) => Object.hasOwn(own, name));
  if (known === undefined) return;
  throw new CapstanError(
    'KUSTOMIZATION_INVALID',
    `${what} ${known} already in kustomization file. Use --force to override.`,
    { hint: `let the overlay force its ${what}s, or remove this one from one of the two` },
  );
}

/** Whether an overlay would change anything. */
export function isEmptyOverlay(overlay: KustomizeOverlay | undefined): boolean {
  const {
    commonMetadata: _after,
    ignoreMissingComponents: _how,
    forcesLabels: _labels,
    forcesAnnotations: _annotations,
    edits: _rule,
    ...fields
  } = overlay ?? {};
  return Object.values(fields).every(
    (value) =>
      value === undefined ||
      value === false ||
      (Array.isArray(value) && value.length === 0) ||
      (typeof value === 'object' && Object.keys(value).length === 0),
  );
}

function addComponents(
  fields: Fields,
  overlay: KustomizeOverlay,
  place: { readonly tree: FileTree; readonly folder: string },
): void {
  const given = list(fields['components']);
  const paths = components(overlay, place);
  if (paths.length === 0) return;
  fields['components'] =
    overlay.edits === true ? editComponents(given, paths, place) : [...given, ...paths];
}

function components(
  { components: paths = [], edits = false, ignoreMissingComponents }: KustomizeOverlay,
  { tree, folder }: { readonly tree: FileTree; readonly folder: string },
): readonly string[] {
  return paths.filter((path) => {
    if (!edits && !isLocalPath(path)) {
      throw new CapstanError(
        'COMPONENT_REFUSED',
        `component path '${path}' must be local and relative`,
        {
          hint: 'give a path relative to the folder of the kustomization',
        },
      );
    }
    if (ignoreMissingComponents !== true) return true;
    const target = resolvePath(folder, path);
    if (target === undefined) return false;
    return edits ? findKustomization(tree, target) !== undefined : tree.stat(target) !== undefined;
  });
}

function isLocalPath(path: string): boolean {
  return !/^(?:git::|gh:|[a-z]+:\/\/|git@|github\.com[:/]|\/)/i.test(path);
}

/** Fields of one image are merged; tag and digest both choose the version, so that either clears the other. */
function mergeImages(given: readonly Json[], images: readonly KustomizeImage[]): Json {
  const merged = given.map((item) => ({ ...mapping(item) }));
  for (const image of images) {
    let found = merged.find((item) => item['name'] === image.name);
    if (found === undefined) {
      found = { name: image.name };
      merged.push(found);
    }
    const { newName = '', newTag = '', digest = '' } = image;
    if (newName !== '') found['newName'] = newName;
    if (newTag === '' && digest === '') continue;
    delete found['newTag'];
    delete found['digest'];
    if (newTag !== '') found['newTag'] = newTag;
    if (digest !== '') found['digest'] = digest;
  }
  return merged;
}

/** As `kustomize edit add label`: into the first entry that reaches as far, or into one of its own. */
function addLabels(fields: Fields, overlay: KustomizeOverlay): void {
  const { labels: given, forcesLabels = false, labelsInTemplates = false } = overlay;
  if (given === undefined || Object.keys(given).length === 0) return;
  const labels = unquoted(given);
  const refuse = (own: Fields) => (forcesLabels ? undefined : refuseKnown('label', labels, own));
  if (overlay.labelsWithoutSelector !== true) {
    if (labelsInTemplates) throw withoutSelector();
    const own = mapping(fields['commonLabels']);
    refuse(own);
    fields['commonLabels'] = { ...own, ...labels };
    return;
  }
  const entries = list(fields['labels']).map(mapping);
  const alike = entries.find(
    (one) =>
      one['includeSelectors'] !== true && (one['includeTemplates'] === true) === labelsInTemplates,
  );
  if (alike !== undefined) {
    const own = mapping(alike['pairs']);
    refuse(own);
    alike['pairs'] = { ...own, ...labels };
    fields['labels'] = entries;
    return;
  }
  const entry: Fields = { pairs: labels, includeSelectors: false };
  if (labelsInTemplates) entry['includeTemplates'] = true;
  append(fields, 'labels', [entry]);
}

function withoutSelector(): CapstanError {
  return new CapstanError(
    'KUSTOMIZATION_INVALID',
    'labels reach templates by themselves only where they do not reach selectors (--without-selector must be specified for --include-templates)',
    { hint: 'set labelWithoutSelector beside labelIncludeTemplates' },
  );
}

function append(fields: Fields, field: string, items: readonly Json[]): void {
  if (items.length > 0) fields[field] = [...list(fields[field]), ...items];
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function mapping(value: Json | undefined): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { ...(value as JsonObject) }
    : {};
}

function nameOf(value: Json): Json | undefined {
  return mapping(value)['name'];
}

function toJson(value: object): Json {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined));
}
