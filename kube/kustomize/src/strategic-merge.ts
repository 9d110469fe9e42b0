import { failure } from './failure.ts';
import { matchElement } from './field-path.ts';
import { mergeLists } from './merge-lists.ts';
import {
  fieldOf,
  isMissingOrNull,
  type KNode,
  keyIndex,
  makeNode,
  nodeText,
  requireKind,
  setField,
} from './node.ts';
import type { OpenApi, SchemaNode } from './openapi.ts';
import { schemaComment } from './schema-comment.ts';

/** What a merge of two places gives; `keepNull` for a null that the target spells out. */
export interface Merged {
  readonly node: KNode | undefined;
  readonly keepNull?: boolean;
}

/** The two sides of a merge, and what the schema says of the place. */
export interface Place {
  readonly target: KNode | undefined;
  readonly patch: KNode | undefined;
  readonly schema: SchemaNode | undefined;
  readonly path: readonly string[];
}

export interface MergeContext {
  readonly openApi: Pick<OpenApi, 'schemaFor'>;
  /** Where new elements of merged lists go. */
  readonly listIncrease: 'prepend' | 'append';
}

/**
 * Applies a strategic merge patch as kyaml's merge2 does: the target is changed in place, nodes of the patch become
 * part of it. Returns undefined when the patch deletes the target.
 */
export function strategicMerge(
  target: KNode,
  patch: KNode,
  context: MergeContext,
): KNode | undefined {
  return mergePlace({ target, patch, schema: undefined, path: [] }, context).node;
}

export function mergePlace(at: Place, context: MergeContext): Merged {
  const place = { ...at, schema: schemaAt(at, context) };
  const { target, patch } = place;
  const leading = !isMissingOrNull(target) ? target : !isMissingOrNull(patch) ? patch : undefined;
  switch (leading?.kind) {
    case undefined:
      return mergeMaps(place, context);
    case 'mapping':
      requireKind(target, 'mapping');
      requireKind(patch, 'mapping');
      return mergeMaps(place, context);
    case 'sequence':
      requireKind(target, 'sequence');
      requireKind(patch, 'sequence');
      return place.schema?.strategy.split(',').includes('merge') === true
        ? { node: mergeLists(place, context) }
        : { node: patch ?? target };
    case 'scalar':
      requireKind(target, 'scalar');
      requireKind(patch, 'scalar');
      keepOrigin(target, patch);
      return { node: patch ?? target };
    default:
      return { node: undefined };
  }
}

/** A patch that says what is there already has not set it. */
function keepOrigin(target: KNode | undefined, patch: KNode | undefined): void {
  if (target === undefined || patch === undefined || target.value !== patch.value) return;
  patch.file = target.file;
  patch.line = target.line;
}

function schemaAt({ target, patch, schema }: Place, context: MergeContext): SchemaNode | undefined {
  const own = schemaComment(target) ?? schemaComment(patch);
  if (own !== undefined) return own;
  if (schema !== undefined) return schema;
  for (const side of [target, patch]) {
    if (isMissingOrNull(side) || side.kind !== 'mapping') continue;
    const kind = fieldOf(side, 'kind');
    const apiVersion = fieldOf(side, 'apiVersion');
    if (kind === undefined || apiVersion === undefined) continue;
    if (kind.value === '' || apiVersion.value === '') continue;
    const found = context.openApi.schemaFor(apiVersion.value, kind.value);
    if (found !== undefined) return found;
  }
  return undefined;
}

function mergeMaps(place: Place, context: MergeContext): Merged {
  const start = startOfMap(place);
  const into = start.node;
  if (into === undefined || into.kind !== 'mapping' || into.tag === '!!null') return start;
  const { patch } = place;
  for (const name of fieldNames(into, patch)) {
    const targetAt = keyIndex(into, name);
    const patchAt = patch === undefined || patch.kind !== 'mapping' ? -1 : keyIndex(patch, name);
    const target = into.content[targetAt + 1];
    const merged = mergePlace(
      {
        target: targetAt < 0 ? undefined : target,
        patch: patchAt < 0 ? undefined : patch!.content[patchAt + 1],
        schema: place.schema?.field(name),
        path: [...place.path, name],
      },
      context,
    );
    setField(into, name, merged.node, {
      keyStyle: patchAt < 0 ? 0 : patch!.content[patchAt]!.style,
      keepNull: merged.keepNull === true,
    });
  }
  return start;
}

/** The map that a merge of maps fills, or undefined when it is deleted. */
function startOfMap({ target, patch }: Place): Merged {
  takeComments(target, patch);
  if (isMissingOrNull(target)) {
    if (patch !== undefined && directiveOf(patch, true) === 'delete') return { node: undefined };
    const spelledNull: KNode | undefined = target;
    if (patch === undefined && spelledNull !== undefined && (spelledNull as KNode).value !== '') {
      return { node: makeNode('scalar', '!!null', (spelledNull as KNode).value), keepNull: true };
    }
    return { node: patch };
  }
  if (patch?.tag === '!!null') return { node: undefined };
  switch (directiveOf(patch, false)) {
    case 'delete':
      return { node: undefined };
    case 'replace':
      return { node: patch };
    case 'merge':
      return { node: target };
  }
}

type Directive = 'merge' | 'replace' | 'delete';

function isDirective(value: string): value is Directive {
  return value === 'merge' || value === 'replace' || value === 'delete';
}

/** The `$patch` directive of a patch, which is taken out of it. */
export function directiveOf(patch: KNode | undefined, lenient: boolean): Directive {
  if (patch === undefined) return 'merge';
  if (patch.kind === 'sequence') return directiveOfList(patch);
  if (patch.kind !== 'mapping') {
    if (lenient) return 'merge';
    throw failure(
      `no implemented strategic merge patch strategy for '${patch.tag || '!!str'}' ('${nodeText(patch)}')`,
    );
  }
  const at = keyIndex(patch, '$patch');
  const value = patch.content[at + 1];
  if (at < 0 || value === undefined) return 'merge';
  if (!isDirective(value.value)) {
    if (lenient) return 'merge';
    throw failure(`unknown patch strategy '${value.value}'`);
  }
  patch.content.splice(at, 2);
  return value.value;
}

/** A list is directed by an element that holds nothing but `$patch`. */
function directiveOfList(patch: KNode): Directive {
  const element = patch.content.find((item) => fieldOf(item, '$patch') !== undefined);
  if (element === undefined || element.content.length > 2) return 'merge';
  const { value } = fieldOf(element, '$patch')!;
  if (!isDirective(value)) throw failure(`unknown patch strategy '${value}'`);
  for (;;) {
    const found = matchElement(patch, ['$patch'], [value]);
    if (found === undefined) return value;
    patch.content.splice(patch.content.indexOf(found), 1);
  }
}

function fieldNames(target: KNode, patch: KNode | undefined): string[] {
  const names = new Set<string>();
  for (let i = 0; i < target.content.length; i += 2) names.add(target.content[i]!.value);
  if (patch !== undefined && patch !== target && patch.kind === 'mapping') {
    for (let i = 0; i < patch.content.length; i += 2) names.add(patch.content[i]!.value);
  }
  return [...names].sort();
}

/** Comments matter only where they carry a schema; the patch's take the place of the target's. */
export function takeComments(target: KNode | undefined, patch: KNode | undefined): void {
  if (target === undefined || patch === undefined) return;
  if (patch.footComment !== '') target.footComment = patch.footComment;
  if (patch.headComment !== '') target.headComment = patch.headComment;
  if (patch.lineComment !== '') target.lineComment = patch.lineComment;
}
