import { quoteGo } from '@capstan/lib-yaml';
import {
  ALLOW_KIND_CHANGE,
  ALLOW_NAME_CHANGE,
  isInternalAnnotation,
  PREVIOUS_NAMES,
} from '../annotations.ts';
import type { BuildContext } from '../context.ts';
import { BuildFailure, failure, within } from '../failure.ts';
import { fromJson } from '../json-node.ts';
import { applyJsonPatch, type JsonOperation, parseJsonPatch } from '../json-patch.ts';
import type { PatchEntry, Selector } from '../kustomization.ts';
import type { Loader } from '../loader.ts';
import { fieldOf, isNilOrEmpty, scalarText } from '../node.ts';
import { resourcesFromFile, resourcesFromText } from '../read-resources.ts';
import { apiVersionOf, idKey, idText } from '../res-id.ts';
import type { Resource } from '../resource.ts';
import type { ResourceSet } from '../resource-set.ts';
import { resourceValue } from '../resource-text.ts';
import { select } from '../select.ts';
import { strategicMerge } from '../strategic-merge.ts';
import { decodeText } from '../utf8.ts';
import { yamlToJson } from '../yaml-value.ts';
import type { Transformer } from './transformer.ts';

/** Merges a patch into a resource, which keeps its name, namespace and kind unless the patch may change them. */
function mergeInto(resource: Resource, patch: Resource, context: BuildContext): void {
  const { name, namespace, kind } = resource;
  const keepsName = !patch.nameChangeAllowed;
  const keepsKind = !patch.kindChangeAllowed;
  if (!keepsName || !keepsKind) resource.storePreviousId();
  const root = resource.node;
  if (root === undefined || patch.node === undefined) return;
  const merged = strategicMerge(root, patch.node, {
    openApi: context.openApi,
    listIncrease: 'prepend',
  });
  if (merged === undefined) resource.node = undefined;
  if (resource.isNilOrEmpty) return;
  if (keepsKind) resource.setKind(kind);
  if (keepsName) resource.setName(name);
  resource.setNamespace(namespace);
}

/** Merges, and tells the set when an id has changed. */
function mergeWithin(
  resources: ResourceSet,
  resource: Resource,
  patch: Resource,
  context: BuildContext,
): void {
  const before = idKey(resource.curId);
  const previous = resource.annotation(PREVIOUS_NAMES);
  mergeInto(resource, patch, context);
  if (resource.isNilOrEmpty) resources.dropEmpties();
  else if (idKey(resource.curId) !== before || resource.annotation(PREVIOUS_NAMES) !== previous) {
    resources.idsChanged();
  }
}

/** As a patch for one of several targets: a copy, of the target's version, with labels and annotations as texts. */
function copyFor(resource: Resource, patch: Resource): Resource {
  const copy = patch.copy();
  const kind = patch.kind;
  copy.takeMetadataFrom(patch);
  copy.setApiVersion(apiVersionOf(resource.gvk));
  copy.setKind(kind);
  return copy;
}

function requireDistinct(resources: ResourceSet): void {
  const list = resources.list;
  resources.replaceAll([]);
  for (const resource of list) if (!resource.isNilOrEmpty) resources.append(resource);
}

function mergeSelected(
  resources: ResourceSet,
  selected: readonly Resource[],
  patch: Resource,
  context: BuildContext,
): void {
  for (const resource of selected) {
    mergeInto(resource, copyFor(resource, patch), context);
  }
  if (selected.length === 0) return;
  resources.idsChanged();
  requireDistinct(resources);
}

/** The patches of `patchesStrategicMerge`: each is YAML itself, or the path of a file. */
export function strategicMergeTransformer(
  loader: Loader,
  config: { readonly paths: readonly string[]; readonly patches: string },
  file: (index: number) => number,
): Transformer {
  const { context } = loader;
  if (config.paths.length === 0 && config.patches === '') {
    throw failure('empty file path and empty patch content');
  }
  const patches = config.paths.flatMap((path, i) => {
    const inline = tryInline(context, path, file(i));
    if (inline !== undefined) return inline;
    return resourcesFromFile(context, loader.load(path), path);
  });
  if (config.patches !== '') patches.push(...fromInline(context, config.patches, file(0)));
  if (patches.length === 0) {
    throw failure(
      `patch appears to be empty; files=[${config.paths.join(' ')}], Patch=${config.patches}`,
    );
  }
  return {
    transform: (resources) => {
      for (const patch of patches) {
        const target = resources.patchTarget(patch.orgId);
        mergeWithin(resources, target, copyFor(target, patch), context);
      }
    },
  };
}

function fromInline(context: BuildContext, text: string, file: number): Resource[] {
  return resourcesFromText(context, () => text, { cacheKey: `inline ${text}`, file });
}

function tryInline(context: BuildContext, text: string, file: number): Resource[] | undefined {
  // A path on one line is never an object with a kind, and need not be parsed to know.
  if (!text.includes('\n') && !text.includes(':')) return undefined;
  try {
    return fromInline(context, text, file);
  } catch (error) {
    if (error instanceof BuildFailure) return undefined;
    throw error;
  }
}

/** One entry of `patches`: a strategic merge or JSON patch, inline or in a file, for its target or for what it names. */
export function patchTransformer(
  loader: Loader,
  entry: PatchEntry,
  options: { readonly file: number; readonly configText: () => string },
): Transformer {
  const text = (entry.patch ?? '').trim();
  const path = entry.path ?? '';
  if (text === '' && path === '') {
    throw failure(`must specify one of patch and path in\n${options.configText()}`);
  }
  if (text !== '' && path !== '') {
    throw failure(`patch and path can't be set at the same time\n${options.configText()}`);
  }
  const { context } = loader;
  const source = text !== '' ? `[patch: ${quoteGo(text)}]` : `[path: ${quoteGo(path)}]`;
  const read = text !== '' ? readInline(context, text, options.file) : readPatchFile(loader, path);
  const merges = tryMerges(read.merges);
  if (merges === undefined) {
    const operations = tryOperations(read.text(), source);
    return jsonTransformer({ operations, target: entry.target, source, file: read.file });
  }
  for (const patch of merges) {
    if (entry.options?.allowNameChange) patch.allow(ALLOW_NAME_CHANGE);
    if (entry.options?.allowKindChange) patch.allow(ALLOW_KIND_CHANGE);
  }
  return {
    transform: (resources) => applyMerges(resources, merges, entry.target, source, context),
  };
}

interface ReadPatch {
  readonly text: () => string;
  readonly merges: () => Resource[];
  readonly file: number;
}

function readInline(context: BuildContext, text: string, file: number): ReadPatch {
  return { text: () => text, merges: () => fromInline(context, text, file), file };
}

function readPatchFile(loader: Loader, path: string): ReadPatch {
  const { context } = loader;
  const loaded = within(
    () => `failed to get the patch file from path(${path})`,
    () => loader.load(path),
  );
  const file = context.sources.file(loaded.path);
  const text = () => decodeText(loaded.bytes);
  return {
    text,
    file,
    merges: () => resourcesFromText(context, text, { cacheKey: loaded.id, file }),
  };
}

function tryMerges(read: () => Resource[]): Resource[] | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof BuildFailure) return undefined;
    throw error;
  }
}

function tryOperations(text: string, source: string): readonly JsonOperation[] {
  try {
    return parseJsonPatch(text);
  } catch {
    throw failure(`unable to parse SM or JSON patch from ${source}`);
  }
}

function applyMerges(
  resources: ResourceSet,
  patches: readonly Resource[],
  target: Selector | undefined,
  source: string,
  context: BuildContext,
): void {
  if (target === undefined) {
    for (const patch of patches) {
      const resource = within(
        () => `no resource matches strategic merge patch ${quoteGo(idText(patch.orgId))}`,
        () => resources.patchTarget(patch.orgId),
      );
      mergeWithin(resources, resource, patch, context);
    }
    return;
  }
  if (patches.length > 1) {
    throw failure(
      `Multiple Strategic-Merge Patches in one \`patches\` entry is not allowed to set \`patches.target\` field: ${source}`,
    );
  }
  const patch = patches[0];
  if (patch === undefined) return;
  const selected = within(
    () => `unable to find patch target ${quoteGo(selectorText(target))} in \`resources\``,
    () => select(context.cache, resources, target),
  );
  mergeSelected(resources, selected, patch, context);
}

function selectorText(selector: Selector): string {
  const { group = '', version = '', kind = '', name = '', namespace = '' } = selector;
  const id = idText({ group, version, kind, name, namespace });
  return `${id}:a=${selector.annotationSelector ?? ''}:l=${selector.labelSelector ?? ''}`;
}

interface JsonPatchPlan {
  readonly operations: readonly JsonOperation[];
  readonly target: Selector | undefined;
  readonly source: string;
  readonly file: number;
}

function jsonTransformer({ operations, target, source, file }: JsonPatchPlan): Transformer {
  return {
    transform: (resources, context) => {
      if (operations.length === 0) return;
      if (target === undefined) {
        throw failure(`must specify a target for JSON patch ${source}`);
      }
      for (const resource of select(context.cache, resources, target)) {
        resource.storePreviousId();
        applyOperations(resource, operations, file);
      }
      resources.idsChanged();
    },
  };
}

/** Applies a JSON patch; the annotations that a build keeps for itself survive it. */
function applyOperations(
  resource: Resource,
  operations: readonly JsonOperation[],
  file: number,
): void {
  const kept = internalAnnotations(resource);
  const before = resource.node;
  const patched = applyJsonPatch(resourceValue(resource), operations);
  if (typeof patched !== 'object' || patched === null || Array.isArray(patched)) {
    throw failure('json: cannot unmarshal array into Go value of type map[string]interface {}');
  }
  resource.node = fromJson(patched, before, file);
  resource.setAnnotations((all) => {
    for (const [name, value] of kept) all.set(name, value);
  });
}

function internalAnnotations(resource: Resource): [string, string][] {
  const metadata = fieldOf(resource.node, 'metadata');
  const annotations = isNilOrEmpty(metadata) ? undefined : fieldOf(metadata, 'annotations');
  const kept: [string, string][] = [];
  for (let i = 0; annotations !== undefined && i + 1 < annotations.content.length; i += 2) {
    const name = annotations.content[i]!.value;
    if (isInternalAnnotation(name)) kept.push([name, scalarText(annotations.content[i + 1])]);
  }
  return kept;
}

/** One entry of the deprecated `patchesJson6902`. */
export function json6902Transformer(
  loader: Loader,
  config: { readonly target: Selector | undefined; readonly path: string; readonly jsonOp: string },
  file: number,
): Transformer {
  const { target, path } = config;
  if (!target?.name) throw failure('must specify the target name');
  if (path === '' && config.jsonOp === '') throw failure('empty file path and empty jsonOp');
  let text = config.jsonOp;
  let source = file;
  if (path !== '') {
    if (text !== '') throw failure('must specify a file path or jsonOp, not both');
    const loaded = loader.load(path);
    text = decodeText(loaded.bytes);
    source = loader.context.sources.file(loaded.path);
    if (text === '') throw failure(`patch file '${path}' empty seems to be empty`);
  }
  if (!text.startsWith('[')) text = yamlToJson(text);
  const operations = within(
    () => `decoding ${text}`,
    () => parseJsonPatch(text),
  );
  if (operations.length === 0) {
    throw failure(`patch appears to be empty; file=${path}, JsonOp=${text}`);
  }
  return {
    transform: (resources, context) => {
      for (const resource of select(context.cache, resources, target)) {
        applyOperations(resource, operations, source);
      }
      resources.idsChanged();
    },
  };
}
