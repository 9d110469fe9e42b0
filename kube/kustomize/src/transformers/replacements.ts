import { goJson } from '@capstan/lib-yaml';
import type { BuildContext } from '../context.ts';
import { BuildFailure, failure, within, withPrefix } from '../failure.ts';
import { lookup, splitPathWithBrackets } from '../field-path.ts';
import type {
  FieldOptions,
  Replacement,
  SourceSelector,
  TargetSelector,
} from '../kustomization.ts';
import { parseLabelSelector } from '../label-selector.ts';
import { copyTree, isNilOrEmpty, type KNode, nodeText, overwrite, scalar } from '../node.ts';
import { toValue } from '../node-value.ts';
import { matchPath, parseStructured } from '../path-matcher.ts';
import { idText, isIdSelectedBy, type ResId } from '../res-id.ts';
import type { Resource } from '../resource.ts';
import type { ResourceSet } from '../resource-set.ts';
import { type CompiledSelector, compileSelector } from '../select.ts';
import type { Transformer } from './transformer.ts';

/** A replacement and the number of the statement or file it stands in. */
export interface PlacedReplacement {
  readonly replacement: Replacement;
  readonly file: number;
}

/** Copies values from one resource, or given ones, into fields of others. */
export function replacementTransformer(list: readonly PlacedReplacement[]): Transformer {
  return {
    transform: (resources, context) => {
      for (const { replacement, file } of list) {
        const { source, sourceValue, targets } = replacement;
        if ((sourceValue === undefined && source === undefined) || targets === undefined) {
          throw failure('replacements must specify a source and at least one target');
        }
        const value = sourceNode(resources, replacement, file);
        for (const target of targets) replaceIn(resources, { target, value, file }, context);
      }
      resources.idsChanged();
      resources.dropEmpties();
    },
  };
}

function sourceNode(
  resources: ResourceSet,
  { source, sourceValue }: Replacement,
  file: number,
): KNode {
  if (sourceValue !== undefined && source !== undefined) {
    throw failure('value and resource selectors are mutually exclusive');
  }
  if (sourceValue !== undefined) return scalar(sourceValue, file);
  const found = selectSource(resources, source!);
  const fieldPath = source!.fieldPath || 'metadata.name';
  const node = within(
    () => 'error looking up replacement source',
    () => lookup(found.node, splitPathWithBrackets(fieldPath, '.')),
  );
  if (node === undefined || isNilOrEmpty(node)) {
    throw failure(
      `fieldPath \`${fieldPath}\` is missing for replacement source ${idText(idOf(source!))}`,
    );
  }
  return refine(source!.options, node);
}

function idOf(source: SourceSelector): ResId {
  const { group = '', version = '', kind = '', name = '', namespace = '' } = source;
  return { group, version, kind, name, namespace, clusterScoped: false };
}

/** The present id and the previous ones, none of them known to be cluster-scoped: so the original compares them. */
function idsOf(resource: Resource): ResId[] {
  const current = {
    ...resource.gvk,
    name: resource.name,
    namespace: resource.namespace,
    clusterScoped: false,
  };
  return [current, ...resource.prevIds];
}

function selectSource(resources: ResourceSet, source: SourceSelector): Resource {
  const wanted = idOf(source);
  const candidates = wanted.name === '' ? resources.list : resources.withAnyName(wanted.name);
  let found: Resource | undefined;
  for (const resource of candidates) {
    if (!idsOf(resource).some((id) => isIdSelectedBy(id, wanted))) continue;
    if (found !== undefined) throw failure(`multiple matches for selector ${sourceText(source)}`);
    found = resource;
  }
  if (found === undefined) throw failure(`nothing selected by ${sourceText(source)}`);
  return found;
}

function sourceText(source: SourceSelector): string {
  const parts = [idText(idOf(source))];
  if (source.fieldPath) parts.push(source.fieldPath);
  const { delimiter = '', index = 0, create = false } = source.options ?? {};
  if (delimiter !== '' || create) parts.push(`${delimiter}(${index}), create=${create}`);
  return parts.join(':');
}

function refine(options: FieldOptions | undefined, node: KNode): KNode {
  if (!options?.delimiter) return node;
  if (node.kind !== 'scalar') {
    throw failure('delimiter option can only be used with scalar nodes');
  }
  const text = node.tag === '!!null' ? '' : node.value;
  const part = goSplit(text, options.delimiter)[options.index ?? 0];
  if (part === undefined) {
    throw failure(`options.index ${options.index ?? 0} is out of bounds for value ${text}`);
  }
  return { ...copyTree(node), value: part };
}

function goSplit(text: string, delimiter: string): string[] {
  return text.split(delimiter);
}

interface Replacing {
  readonly target: TargetSelector;
  readonly value: KNode;
  readonly file: number;
}

function replaceIn(resources: ResourceSet, replacing: Replacing, context: BuildContext): void {
  const { target } = replacing;
  if (target.select === undefined) throw failure('target must specify resources to select');
  const compile = (selector: NonNullable<TargetSelector['select']>) =>
    within(
      () => 'error creating target selector',
      () => compileSelector(context.cache, selector),
    );
  const chosen = compile(target.select);
  const rejected = (target.reject ?? []).filter((selector) => namesAnId(selector)).map(compile);
  for (const resource of resources.list) {
    const ids = idsOf(resource);
    if (!hasLabels(resource, target)) continue;
    if (rejected.some((selector) => ids.some((id) => matches(selector, id)))) continue;
    if (!ids.some((id) => matches(chosen, id))) continue;
    copyValue(resource, replacing, context);
  }
}

function namesAnId(selector: NonNullable<TargetSelector['select']>): boolean {
  const { group, version, kind, name, namespace } = selector;
  return [group, version, kind, name, namespace].some((part) => part !== undefined && part !== '');
}

function matches(selector: CompiledSelector, id: ResId): boolean {
  return (
    selector.matchesGvk(id) &&
    selector.matchesName(id.name) &&
    selector.matchesNamespace(id.namespace)
  );
}

function hasLabels(resource: Resource, target: TargetSelector): boolean {
  const fits = (selector: NonNullable<TargetSelector['select']>) => {
    const annotations = parseLabelSelector(selector.annotationSelector ?? '');
    const labels = parseLabelSelector(selector.labelSelector ?? '');
    return annotations(resource.annotations) && labels(resource.labels);
  };
  if (!fits(target.select!)) return false;
  return !(target.reject ?? []).some(
    (selector) => (selector.annotationSelector || selector.labelSelector) && fits(selector),
  );
}

function copyValue(
  resource: Resource,
  { target, value, file }: Replacing,
  context: BuildContext,
): void {
  const root = resource.node!;
  const paths = target.fieldPaths?.length ? target.fieldPaths : ['metadata.name'];
  for (const fieldPath of paths) {
    const create = target.options?.create ? { kind: value.kind, file } : undefined;
    const path = splitPathWithBrackets(fieldPath, '.');
    const writing: Writing = { value, options: target.options, create, context, file };
    if (setInStructuredText(root, path, writing)) continue;
    let fields: KNode[];
    const problem = `unable to find${create === undefined ? '' : ' or create'} field ${JSON.stringify(fieldPath)} in replacement target`;
    try {
      fields = matchPath(root, path, { create, cache: context.cache });
    } catch (error) {
      throw withPrefix(error, problem);
    }
    if (fields.length === 0) throw failure(problem);
    for (const field of fields) setFieldValue(field, writing);
  }
}

interface Writing {
  readonly value: KNode;
  readonly options: FieldOptions | undefined;
  readonly create: { readonly kind: KNode['kind']; readonly file: number } | undefined;
  readonly context: BuildContext;
  readonly file: number;
}

function setFieldValue(field: KNode, { value, options, context, file }: Writing): void {
  const copy = copyTree(value);
  if (options?.delimiter) {
    if (field.kind !== 'scalar') {
      throw failure('delimiter option can only be used with scalar nodes');
    }
    const parts = goSplit(field.value, options.delimiter);
    const text = copy.tag === '!!null' ? '' : copy.value;
    const index = options.index ?? 0;
    if (index < 0) parts.unshift(text);
    else if (index >= parts.length) parts.push(text);
    else parts[index] = text;
    copy.value = parts.join(options.delimiter);
  }
  context.countReplaced(copy.value.length + copy.content.length);
  if (field.kind === 'scalar') {
    field.value = copy.value;
    field.file = file;
    field.line = 0;
  } else {
    overwrite(field, copy);
    stampFile(field, file);
  }
}

function stampFile(node: KNode, file: number): void {
  node.file = file;
  node.line = 0;
  for (const child of node.content) stampFile(child, file);
}

/**
 * Replaces inside a text that is itself YAML or JSON, when the path leads on from a scalar. Whatever goes wrong means
 * that the path is to be taken as it is.
 */
function setInStructuredText(root: KNode, path: readonly string[], writing: Writing): boolean {
  const at = scalarOnTheWay(root, path);
  if (at === undefined) return false;
  try {
    const tree = parseStructured(at.field.value);
    const fields = matchPath(tree, at.rest, {
      create: writing.create,
      cache: writing.context.cache,
    });
    if (fields.length === 0) return false;
    for (const field of fields) setFieldValue(field, writing);
    const written = writeStructured(tree, at.field.value);
    writing.context.countReplaced(written.length);
    at.field.value = written;
    at.field.file = writing.file;
    return true;
  } catch (error) {
    if (error instanceof BuildFailure) return false;
    throw error;
  }
}

function scalarOnTheWay(
  root: KNode,
  path: readonly string[],
): { readonly field: KNode; readonly rest: readonly string[] } | undefined {
  for (let i = 1; i < path.length; i++) {
    try {
      const field = lookup(root, path.slice(0, i));
      if (field === undefined || field.kind !== 'scalar') continue;
      if (field.value.trim() === '') continue;
      parseStructured(field.value);
      return { field, rest: path.slice(i) };
    } catch (error) {
      if (!(error instanceof BuildFailure)) throw error;
    }
  }
  return undefined;
}

function writeStructured(tree: KNode, original: string): string {
  const first = original.trim()[0];
  if (first !== '{' && first !== '[') return nodeText(tree).trim();
  const value = toValue(tree);
  return original.includes('\n') && original.includes('  ')
    ? goJson(value, { indent: '  ' })
    : goJson(value);
}
