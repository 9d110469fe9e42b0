import type { MergeList, MergeMap, MergeType } from '@capstan/kube-schema';
import { FieldSet } from './field-set.ts';
import type { FieldPath, PathElement } from './path-element.ts';

/**
 * A set written under an older schema, made to fit the one in force: where a list or map has become atomic, its owner owns
 * it whole instead of its parts. The other way round needs nothing. The same set comes back if all fits.
 */
export function reconcileWithSchema(set: FieldSet, type: MergeType): FieldSet {
  const changes = { remove: new FieldSet(), add: new FieldSet(), any: false };
  visit({ type, set, path: [], isWhole: false }, changes);
  return changes.any ? set.recursiveDifference(changes.remove).union(changes.add) : set;
}

interface Changes {
  readonly remove: FieldSet;
  readonly add: FieldSet;
  any: boolean;
}

interface Node {
  readonly type: MergeType;
  readonly set: FieldSet | undefined;
  readonly path: FieldPath;
  /** A member with nothing below it. */
  readonly isWhole: boolean;
}

function visit(node: Node, changes: Changes): void {
  if (node.type.map !== undefined) visitMap(node.type.map, node, changes);
  else if (node.type.scalar === undefined && node.type.list !== undefined)
    visitList(node.type.list, node, changes);
}

function visitMap(map: MergeMap, node: Node, changes: Changes): void {
  if (map.deduced) return;
  if (map.atomic && !node.isWhole) {
    if (node.set !== undefined && !node.set.isEmpty) ownWhole(node.path, changes);
    return;
  }
  descend(node, changes, (element) => {
    const named = element[0] === 'f' ? map.fields.get(element.slice(2))?.type : undefined;
    return named ?? map.element;
  });
}

function visitList(list: MergeList, node: Node, changes: Changes): void {
  if (list.atomic && !node.isWhole) {
    ownWhole(node.path, changes);
    return;
  }
  descend(node, changes, () => list.element);
}

function ownWhole(path: FieldPath, changes: Changes): void {
  changes.remove.insert(path);
  changes.add.insert(path);
  changes.any = true;
}

function descend(
  node: Node,
  changes: Changes,
  typeOf: (element: PathElement) => MergeType | undefined,
): void {
  if (node.set === undefined) return;
  const elements = new Set([...node.set.children.keys(), ...node.set.members]);
  for (const element of elements) {
    const type = typeOf(element);
    if (type === undefined) continue;
    const set = node.set.children.get(element);
    const isWhole = node.set.members.has(element) && set === undefined;
    visit({ type, set, path: [...node.path, element], isWhole }, changes);
  }
}
