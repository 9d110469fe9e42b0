import type { YamlNode } from '@capstan/lib-yaml';
import { failure, withPrefix } from './failure.ts';
import { fieldOf, getField, type KNode, makeNode, setField } from './node.ts';
import { idText } from './res-id.ts';
import type { Resource } from './resource.ts';
import type { FieldSpec } from './transformer-config.ts';

/** What to do at the fields that a spec names. */
export interface FieldAction {
  set(node: KNode): void;
  /** What a missing last field is created as, where the spec allows that. */
  readonly create?: {
    readonly kind: YamlNode['kind'];
    readonly tag: string;
    readonly file: number;
  };
}

/** Runs the action at every field that the spec names in the resource, when the spec is for its kind. */
export function applyFieldSpec(resource: Resource, spec: FieldSpec, action: FieldAction): void {
  const root = resource.node;
  if (root === undefined) return;
  if (spec.kind !== '' && spec.kind !== resource.kind) return;
  if (spec.group !== '' || spec.version !== '') {
    const { group, version } = resource.gvk;
    if (spec.group !== '' && spec.group !== group) return;
    if (spec.version !== '' && spec.version !== version) return;
  }
  visitFields(resource, root, spec, action);
}

/** As `applyFieldSpec`, for a spec that is known to be for the kind. */
export function visitFields(
  resource: Resource,
  root: KNode,
  spec: FieldSpec,
  action: FieldAction,
): void {
  try {
    visit(root, 0, spec, action);
  } catch (error) {
    const { group, version, kind } = resource.gvk;
    const id = { group, version, kind, name: resource.name, namespace: resource.namespace };
    throw withPrefix(error, `considering field '${spec.path}' of object ${idText(id)}`);
  }
}

function visit(node: KNode, at: number, spec: FieldSpec, action: FieldAction): void {
  if (at === spec.parts.length) {
    action.set(node);
    return;
  }
  if (node.tag === '!!null') return;
  switch (node.kind) {
    case 'sequence':
      for (const element of node.content.slice()) visitElement(element, at, spec, action);
      return;
    case 'mapping':
      visitMap(node, at, spec, action);
      return;
    case 'alias':
      if (node.alias !== undefined) visit(node.alias as KNode, at, spec, action);
      return;
    default:
      throw failure('expected sequence or mapping node');
  }
}

function visitElement(element: KNode, at: number, spec: FieldSpec, action: FieldAction): void {
  try {
    visit(element, at, spec, action);
  } catch (error) {
    throw withPrefix(error, `visit traversal on path: [${spec.parts.slice(at).join(' ')}]`);
  }
}

function visitMap(node: KNode, at: number, spec: FieldSpec, action: FieldAction): void {
  const part = spec.parts[at]!;
  const isList = part.endsWith('[]');
  const name = isList ? part.slice(0, -2) : part;
  if (name === '') throw failure('cannot set or create an empty field name');
  const isLast = at === spec.parts.length - 1;
  const create = spec.create && !isList ? action.create : undefined;
  const kind = create === undefined ? undefined : isLast ? create.kind : 'mapping';
  let field = fieldOf(node, name.trim());
  if (field === undefined && kind !== undefined) {
    field = setField(node, name, makeNode(kind, '', '', create!.file));
  }
  if (field === undefined) return;
  if (field.tag === '!!null') {
    const asKind = kind ?? (isList ? 'sequence' : undefined);
    if (asKind !== undefined) {
      field.kind = asKind;
      field.tag = isList ? '' : isLast ? create!.tag : '!!map';
    }
  }
  visit(field, at + 1, spec, action);
}

/** The node under `name`, made as a scalar when it is not there. */
export function getOrCreateScalar(node: KNode, name: string, file: number): KNode | undefined {
  const field = getField(node, name);
  if (field !== undefined || node.tag === '!!null') return field;
  return setField(node, name, makeNode('scalar', '', '', file));
}
