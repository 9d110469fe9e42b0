import type { Json, JsonObject } from '@capstan/kube-object';
import type { MergeType } from '@capstan/kube-schema';
import { goJson } from './go-text.ts';
import {
  type FieldPath,
  formatPath,
  type PathElement,
  readElement,
  sortElements,
} from './path-element.ts';
import { isMap } from './value.ts';

/**
 * A set of field paths, as a tree. `members` are the elements at this level that belong to the set; `children` hold what
 * lies deeper; being in `children` does not make an element a member. Built by `insert` and `at`, then treated as
 * immutable: the operations give new sets and may share subtrees. Each is linear in the sizes of the sets.
 */
export class FieldSet {
  readonly members: Set<PathElement>;
  readonly children: Map<PathElement, FieldSet>;

  constructor(
    members: Set<PathElement> = new Set(),
    children: Map<PathElement, FieldSet> = new Map(),
  ) {
    this.members = members;
    this.children = children;
  }

  static of(...paths: readonly FieldPath[]): FieldSet {
    const set = new FieldSet();
    for (const path of paths) set.insert(path);
    return set;
  }

  /** Adds one path (not its parents). The empty path is nobody's: it is ignored. */
  insert(path: FieldPath): void {
    let node: FieldSet = this;
    for (let i = 0; i < path.length - 1; i++) node = node.at(path[i]!);
    const last = path.at(-1);
    if (last !== undefined) node.members.add(last);
  }

  /** The child under `element`, made if there is none. */
  at(element: PathElement): FieldSet {
    let child = this.children.get(element);
    if (child === undefined) {
      child = new FieldSet();
      this.children.set(element, child);
    }
    return child;
  }

  has(path: FieldPath): boolean {
    let node: FieldSet | undefined = this;
    for (let i = 0; i < path.length - 1 && node !== undefined; i++)
      node = node.children.get(path[i]!);
    const last = path.at(-1);
    return node !== undefined && last !== undefined && node.members.has(last);
  }

  get isEmpty(): boolean {
    if (this.members.size > 0) return false;
    for (const child of this.children.values()) if (!child.isEmpty) return false;
    return true;
  }

  get size(): number {
    let size = this.members.size;
    for (const child of this.children.values()) size += child.size;
    return size;
  }

  equals(other: FieldSet): boolean {
    if (this === other) return true;
    if (this.members.size !== other.members.size || this.children.size !== other.children.size)
      return false;
    for (const member of this.members) if (!other.members.has(member)) return false;
    for (const [element, child] of this.children) {
      const match = other.children.get(element);
      if (match === undefined || !child.equals(match)) return false;
    }
    return true;
  }

  union(other: FieldSet): FieldSet {
    if (other.members.size === 0 && other.children.size === 0) return this;
    if (this.members.size === 0 && this.children.size === 0) return other;
    const members = new Set(this.members);
    for (const member of other.members) members.add(member);
    const children = new Map(this.children);
    for (const [element, child] of other.children) {
      const mine = children.get(element);
      children.set(element, mine === undefined ? child : mine.union(child));
    }
    return new FieldSet(members, children);
  }

  intersection(other: FieldSet): FieldSet {
    const result = new FieldSet();
    for (const member of this.members) if (other.members.has(member)) result.members.add(member);
    for (const [element, child] of this.children) {
      const match = other.children.get(element);
      const common = match?.intersection(child);
      if (common !== undefined && !common.isEmpty) result.children.set(element, common);
    }
    return result;
  }

  /** Members of this set that are not members of the other; a parent in `other` does not remove its children here. */
  difference(other: FieldSet): FieldSet {
    if (other.members.size === 0 && other.children.size === 0) return this;
    const result = new FieldSet();
    for (const member of this.members) if (!other.members.has(member)) result.members.add(member);
    for (const [element, child] of this.children) {
      const match = other.children.get(element);
      if (match === undefined) {
        result.children.set(element, child);
        continue;
      }
      const rest = child.difference(match);
      if (!rest.isEmpty) result.children.set(element, rest);
    }
    return result;
  }

  /** As difference, but a member of `other` removes everything under it too. */
  recursiveDifference(other: FieldSet): FieldSet {
    const result = new FieldSet();
    for (const member of this.members) if (!other.members.has(member)) result.members.add(member);
    for (const [element, child] of this.children) {
      if (other.members.has(element)) continue;
      const match = other.children.get(element);
      const rest = match === undefined ? child : child.recursiveDifference(match);
      if (match === undefined || !rest.isEmpty) result.children.set(element, rest);
    }
    return result;
  }

  /** The members that have nothing under them. */
  leaves(): FieldSet {
    const result = new FieldSet();
    for (const member of this.members) if (!this.children.has(member)) result.members.add(member);
    for (const [element, child] of this.children) result.children.set(element, child.leaves());
    return result;
  }

  /** Adds the named fields of structs on the way to a member: `.spec` for `.spec.replicas`, but not a map's own keys. */
  withNamedFields(type: MergeType | undefined): FieldSet {
    const members = new Set(this.members);
    const children = new Map<PathElement, FieldSet>();
    for (const [element, child] of this.children) {
      const name = element[0] === 'f' ? element.slice(2) : undefined;
      const field = name === undefined ? undefined : type?.map?.fields.get(name);
      if (field !== undefined) members.add(element);
      children.set(element, child.withNamedFields(childType(type, element)));
    }
    return new FieldSet(members, children);
  }

  /** Every member's path in the order of FieldsV1, parents before what lies under them at each level. */
  *paths(prefix: FieldPath = []): Generator<FieldPath> {
    for (const member of sortElements([...this.members])) yield [...prefix, member];
    for (const element of sortElements([...this.children.keys()]))
      yield* this.children.get(element)!.paths([...prefix, element]);
  }

  /** One path a line, for people. */
  toString(): string {
    return [...this.paths()].map(formatPath).join('\n');
  }
}

function childType(type: MergeType | undefined, element: PathElement): MergeType | undefined {
  if (element[0] === 'f') {
    const map = type?.map;
    return map?.fields.get(element.slice(2))?.type ?? map?.element;
  }
  return element[0] === 'k' ? type?.list?.element : undefined;
}

/**
 * Reads the `fieldsV1` of a managedFields entry. Kinds of path elements from the future are dropped; a malformed one throws, and
 * so does anything but a map or null in the place of a level.
 * Bounded by the nesting that the JSON parser took before.
 */
export function parseFieldsV1(fields: Json): FieldSet {
  return readLevel(fields).children ?? new FieldSet();
}

function readLevel(level: Json): { children: FieldSet | undefined; isMember: boolean } {
  const fields = level ?? {};
  if (!isMap(fields)) throw new Error(`ReadMapCB: expect { or n, but found ${goJson(fields)[0]}`);
  let children: FieldSet | undefined;
  let isMember = false;
  for (const key of Object.keys(fields)) {
    const content = fields[key];
    if (content === undefined) continue;
    if (key === '.') {
      isMember = true;
      continue;
    }
    const element = readElement(key);
    if (element === undefined) continue;
    const inner = readLevel(content);
    if (inner.isMember || inner.children !== undefined) children ??= new FieldSet();
    if (inner.isMember) children?.members.add(element);
    if (inner.children !== undefined) children?.children.set(element, inner.children);
  }
  return { children, isMember: isMember || children === undefined };
}

/** Writes a set as `fieldsV1`, keys in the server's order. */
export function formatFieldsV1(set: FieldSet): JsonObject {
  return writeLevel(set, false);
}

function writeLevel(set: FieldSet, self: boolean): JsonObject {
  const out: Record<string, JsonObject> = {};
  if (self && (set.members.size > 0 || set.children.size > 0)) out['.'] = {};
  const elements =
    set.children.size === 0
      ? [...set.members]
      : [...new Set([...set.members, ...set.children.keys()])];
  for (const element of sortElements(elements)) {
    const child = set.children.get(element);
    out[element] = child === undefined ? {} : writeLevel(child, set.members.has(element));
  }
  return out;
}
