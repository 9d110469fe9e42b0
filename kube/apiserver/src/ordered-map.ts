/**
 * A map sorted by key that is copied in O(1): a B-tree whose nodes belong to the map that made them. `fork` gives up
 * the ownership on both sides, so that either one copies a node the first time it changes it. get, set and delete are
 * O(log n); `entries` walks a range in key order, which is what a list with `limit` and `continue` needs.
 */
export class OrderedMap<V> {
  #root: Node<V>;
  #owner: object = {};

  constructor() {
    this.#root = newLeaf<V>(this.#owner);
  }

  get size(): number {
    return this.#root.count;
  }

  get(key: string): V | undefined {
    let node = this.#root;
    while (node.kind === 'branch') node = node.children[childIndex(node, key)]!;
    const at = search(node.keys, key);
    return at < node.keys.length && node.keys[at] === key ? node.values[at] : undefined;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  set(key: string, value: V): void {
    const root = this.#edit(this.#root);
    const sibling = this.#insert(root, key, value);
    if (sibling === undefined) {
      this.#root = root;
      return;
    }
    this.#root = {
      kind: 'branch',
      owner: this.#owner,
      keys: [firstKey(root), firstKey(sibling)],
      children: [root, sibling],
      count: root.count + sibling.count,
    };
  }

  /** Says whether the key was there. */
  delete(key: string): boolean {
    if (this.get(key) === undefined) return false;
    const root = this.#edit(this.#root);
    this.#remove(root, key);
    this.#root = root;
    while (this.#root.kind === 'branch' && this.#root.children.length === 1) {
      this.#root = this.#root.children[0]!;
    }
    if (this.#root.kind === 'branch' && this.#root.children.length === 0) {
      this.#root = newLeaf(this.#owner);
    }
    return true;
  }

  /** A copy that shares all nodes; from here on neither sees the other's changes. */
  fork(): OrderedMap<V> {
    const copy = new OrderedMap<V>();
    copy.#root = this.#root;
    this.#owner = {};
    return copy;
  }

  /** All entries with `from <= key` and, when given, `key < to`, in order. Do not change the map while iterating: fork it. */
  *entries(from = '', to?: string): Generator<readonly [string, V]> {
    const path: { node: Node<V>; at: number }[] = [];
    let node = this.#root;
    while (node.kind === 'branch') {
      const at = childIndex(node, from);
      path.push({ node, at });
      node = node.children[at]!;
    }
    let at = search(node.keys, from);
    for (;;) {
      for (; at < node.keys.length; at++) {
        const key = node.keys[at]!;
        if (to !== undefined && key >= to) return;
        yield [key, node.values[at]!];
      }
      const next = nextLeaf(path);
      if (next === undefined) return;
      node = next;
      at = 0;
    }
  }

  /** How many keys are smaller than `key`. */
  rank(key: string): number {
    let before = 0;
    let node = this.#root;
    while (node.kind === 'branch') {
      const at = childIndex(node, key);
      for (let i = 0; i < at; i++) before += node.children[i]!.count;
      node = node.children[at]!;
    }
    return before + search(node.keys, key);
  }

  #edit<N extends Node<V>>(node: N): N {
    if (node.owner === this.#owner) return node;
    const copy =
      node.kind === 'leaf'
        ? { ...node, owner: this.#owner, keys: [...node.keys], values: [...node.values] }
        : { ...node, owner: this.#owner, keys: [...node.keys], children: [...node.children] };
    return copy as N;
  }

  #insert(node: Node<V>, key: string, value: V): Node<V> | undefined {
    if (node.kind === 'leaf') return this.#insertInLeaf(node, key, value);
    const at = childIndex(node, key);
    const child = this.#edit(node.children[at]!);
    node.children[at] = child;
    const sibling = this.#insert(child, key, value);
    node.keys[at] = firstKey(child);
    if (sibling !== undefined) {
      node.keys.splice(at + 1, 0, firstKey(sibling));
      node.children.splice(at + 1, 0, sibling);
    }
    node.count = sum(node.children);
    if (node.children.length <= NODE_MAX) return undefined;
    const half = node.children.length >> 1;
    const right: Branch<V> = {
      kind: 'branch',
      owner: this.#owner,
      keys: node.keys.splice(half),
      children: node.children.splice(half),
      count: 0,
    };
    right.count = sum(right.children);
    node.count -= right.count;
    return right;
  }

  #insertInLeaf(node: Leaf<V>, key: string, value: V): Leaf<V> | undefined {
    const at = search(node.keys, key);
    if (node.keys[at] === key) {
      node.values[at] = value;
      return undefined;
    }
    node.keys.splice(at, 0, key);
    node.values.splice(at, 0, value);
    node.count++;
    if (node.keys.length <= NODE_MAX) return undefined;
    // Keys often come in order (generated names, imports): then the left node stays nearly full.
    const half = at === node.keys.length - 1 ? NODE_MAX - 2 : node.keys.length >> 1;
    const keys = node.keys.splice(half);
    const right: Leaf<V> = {
      kind: 'leaf',
      owner: this.#owner,
      keys,
      values: node.values.splice(half),
      count: keys.length,
    };
    node.count = node.keys.length;
    return right;
  }

  #remove(node: Node<V>, key: string): void {
    node.count--;
    if (node.kind === 'leaf') {
      const at = search(node.keys, key);
      node.keys.splice(at, 1);
      node.values.splice(at, 1);
      return;
    }
    const at = childIndex(node, key);
    const child = this.#edit(node.children[at]!);
    this.#remove(child, key);
    if (child.count === 0) {
      node.keys.splice(at, 1);
      node.children.splice(at, 1);
    } else {
      node.keys[at] = firstKey(child);
      node.children[at] = child;
    }
  }
}

const NODE_MAX = 64;

interface Leaf<V> {
  readonly kind: 'leaf';
  readonly owner: object;
  keys: string[];
  values: V[];
  count: number;
}
interface Branch<V> {
  readonly kind: 'branch';
  readonly owner: object;
  /** The smallest key of each child, or a smaller one. */
  keys: string[];
  children: Node<V>[];
  count: number;
}
type Node<V> = Leaf<V> | Branch<V>;

function newLeaf<V>(owner: object): Leaf<V> {
  return { kind: 'leaf', owner, keys: [], values: [], count: 0 };
}

function firstKey<V>(node: Node<V>): string {
  return node.keys[0] ?? '';
}

function sum<V>(children: readonly Node<V>[]): number {
  let count = 0;
  for (const child of children) count += child.count;
  return count;
}

/** The first index whose key is not smaller than `key`. */
function search(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The child that holds `key`, or would. */
function childIndex<V>(node: Branch<V>, key: string): number {
  const at = search(node.keys, key);
  return node.keys[at] === key ? at : Math.max(0, at - 1);
}

function nextLeaf<V>(path: { node: Node<V>; at: number }[]): Leaf<V> | undefined {
  while (path.length > 0) {
    const top = path[path.length - 1]!;
    top.at++;
    const child = top.node.kind === 'branch' ? top.node.children[top.at] : undefined;
    if (child === undefined) {
      path.pop();
      continue;
    }
    if (child.kind === 'leaf') return child;
    path.push({ node: child, at: -1 });
  }
  return undefined;
}
