import type { Definition, Node, Pattern } from './syntax.ts';
import {
  deletePaths,
  describe,
  getPath,
  isList,
  isNumber,
  isRecord,
  isTrue,
  JqError,
  type JqPath,
  type JqValue,
  readKey,
  setPath,
  slice,
  sortedKeys,
} from './values.ts';

/** Thrown when a query has used up its steps. No query can catch it. */
export class JqLimitError extends Error {}

/** A value, and where it was found in the input. */
export interface Item {
  readonly value: JqValue;
  /** undefined: nobody asked. `null`: it is no place of the input. */
  readonly path: JqPath | null | undefined;
}

export interface Budget {
  steps: number;
}

/** What a name means where it is used; the innermost comes first. */
export type Scope =
  | {
      readonly kind: 'variable';
      readonly name: string;
      readonly value: JqValue;
      readonly outer: Scope;
    }
  | {
      readonly kind: 'function';
      readonly id: string;
      readonly definition: Definition;
      readonly outer: Scope;
    }
  | {
      readonly kind: 'argument';
      readonly name: string;
      readonly node: Node;
      readonly scope: Scope;
      readonly outer: Scope;
    }
  | { readonly kind: 'label'; readonly name: string; readonly token: object; readonly outer: Scope }
  | undefined;

export interface Context {
  readonly budget: Budget;
  readonly builtins: ReadonlyMap<string, Builtin>;
  readonly definitions: ReadonlyMap<string, Definition>;
  readonly operators: (operator: string, left: JqValue, right: JqValue) => JqValue;
  readonly toText: (value: JqValue, format: string | undefined) => string;
}

/** A function in TypeScript; its arguments are queries on the same input. */
export type Builtin = (call: BuiltinCall) => Iterable<Item>;
export interface BuiltinCall {
  readonly item: Item;
  readonly args: readonly Node[];
  readonly scope: Scope;
  readonly context: Context;
}

class Break extends Error {
  readonly token: object;
  constructor(token: object) {
    super('break');
    this.token = token;
  }
}

/** All that a query gives for one input, one after the other. */
export function* evaluate(node: Node, item: Item, scope: Scope, context: Context): Generator<Item> {
  spend(context, 1);
  switch (node.kind) {
    case 'identity':
      yield item;
      return;
    case 'literal':
      yield made(node.value, item);
      return;
    case 'pipe':
      for (const inner of evaluate(node.left, item, scope, context)) {
        yield* evaluate(node.right, inner, scope, context);
      }
      return;
    case 'comma':
      yield* evaluate(node.left, item, scope, context);
      yield* evaluate(node.right, item, scope, context);
      return;
    case 'index':
      for (const key of values(node.key, item, scope, context)) {
        for (const target of evaluate(node.target, item, scope, context)) {
          if (!node.isOptional) yield child(target, key);
          else yield* forgiving(() => child(target, key));
        }
      }
      return;
    case 'slice':
      yield* sliced(node, item, scope, context);
      return;
    case 'iterate':
      for (const target of evaluate(node.target, item, scope, context)) {
        if (node.isOptional && !isList(target.value) && !isRecord(target.value)) continue;
        yield* children(target, context);
      }
      return;
    case 'recurse':
      yield* descend(item, context);
      return;
    case 'alternative':
      yield* alternative(node, item, scope, context);
      return;
    case 'if':
      for (const condition of values(node.condition, item, scope, context)) {
        const branch = isTrue(condition) ? node.then : node.otherwise;
        if (branch === undefined) yield item;
        else yield* evaluate(branch, item, scope, context);
      }
      return;
    case 'try':
      yield* attempt(node, item, scope, context);
      return;
    case 'bind':
      for (const value of values(node.source, item, scope, context)) {
        for (const inner of bind(node.pattern, value, scope, context)) {
          yield* evaluate(node.body, item, inner, context);
        }
      }
      return;
    case 'call':
      yield* call(node, item, scope, context);
      return;
    case 'define':
      yield* evaluate(node.body, item, define(node.definition, scope), context);
      return;
    default:
      yield* construct(node, item, scope, context);
  }
}

/** What makes new values, and what folds. */
function* construct(node: Node, item: Item, scope: Scope, context: Context): Generator<Item> {
  switch (node.kind) {
    case 'variable':
      yield made(readVariable(node.name, scope), item);
      return;
    case 'array': {
      const list = node.body ? [...values(node.body, item, scope, context)] : [];
      yield made(list, item);
      return;
    }
    case 'object':
      for (const record of records(node.entries, item, scope, context)) yield made(record, item);
      return;
    case 'negate':
      for (const value of values(node.body, item, scope, context)) {
        if (!isNumber(value)) throw new JqError(`cannot negate: ${describe(value)}`);
        yield made(-value, item);
      }
      return;
    case 'and':
    case 'or':
      for (const left of values(node.left, item, scope, context)) {
        if (isTrue(left) === (node.kind === 'or')) yield made(isTrue(left), item);
        else {
          for (const right of values(node.right, item, scope, context)) {
            yield made(isTrue(right), item);
          }
        }
      }
      return;
    case 'binary':
      for (const right of values(node.right, item, scope, context)) {
        for (const left of values(node.left, item, scope, context)) {
          const value = context.operators(node.operator, left, right);
          spend(context, sizeOf(value));
          yield made(value, item);
        }
      }
      return;
    case 'text':
      for (const text of texts(node, 0, item, { scope, context })) yield made(text, item);
      return;
    case 'format':
      yield made(context.toText(item.value, node.name), item);
      return;
    case 'update':
      yield* update(node, item, scope, context);
      return;
    case 'reduce':
    case 'foreach':
      yield* fold(node, item, scope, context);
      return;
    case 'label': {
      const token = {};
      const inner: Scope = { kind: 'label', name: node.name, token, outer: scope };
      try {
        yield* evaluate(node.body, item, inner, context);
      } catch (error) {
        if (!(error instanceof Break) || error.token !== token) throw error;
      }
      return;
    }
    case 'break':
      throw new Break(findLabel(node.label ?? '', scope));
    default:
      throw new JqError(`cannot evaluate ${node.kind}`);
  }
}

export function spend(context: Context, steps: number): void {
  context.budget.steps -= steps;
  if (context.budget.steps < 0) throw new JqLimitError('the query takes too many steps');
}

/** Steps that making this value is worth. */
export function sizeOf(value: JqValue): number {
  if (typeof value === 'string') return 1 + (value.length >> 6);
  return isList(value) ? 1 + (value.length >> 2) : 1;
}

/** A value that is no place of the input. */
export function made(value: JqValue, { path }: Item): Item {
  return { value, path: path === undefined ? undefined : null };
}

/** The values alone; paths are not followed inside. */
export function* values(
  node: Node,
  item: Item,
  scope: Scope,
  context: Context,
): Generator<JqValue> {
  const plain = item.path === undefined ? item : { value: item.value, path: undefined };
  for (const { value } of evaluate(node, plain, scope, context)) yield value;
}

export function child(target: Item, key: JqValue): Item {
  return { value: readKey(target.value, key), path: extend(target, key) };
}

function extend({ value, path }: Item, key: JqValue): JqPath | undefined {
  if (path === undefined) return undefined;
  if (path === null) throw new JqError(`invalid path against: ${describe(value)}`);
  return [...path, key];
}

/** What `.[]` gives. */
export function* children(target: Item, context: Context): Generator<Item> {
  const { value } = target;
  if (isList(value)) {
    for (const index of value.keys()) {
      spend(context, 1);
      yield { value: value[index] ?? null, path: extend(target, index) };
    }
  } else if (isRecord(value)) {
    for (const key of sortedKeys(value)) {
      spend(context, 1);
      yield { value: value[key] ?? null, path: extend(target, key) };
    }
  } else throw new JqError(`cannot iterate over: ${describe(value)}`);
}

function* descend(item: Item, context: Context): Generator<Item> {
  yield item;
  if (!isList(item.value) && !isRecord(item.value)) return;
  for (const inner of children(item, context)) yield* descend(inner, context);
}

function* sliced(
  node: Extract<Node, { kind: 'slice' }>,
  item: Item,
  scope: Scope,
  context: Context,
): Generator<Item> {
  const bound = (side: Node | undefined) =>
    side === undefined ? [null] : values(side, item, scope, context);
  for (const from of bound(node.from)) {
    for (const to of bound(node.to)) {
      for (const target of evaluate(node.target, item, scope, context)) {
        const cut = (): Item => ({
          value: slice(target.value, from, to),
          path: extend(target, { end: to, start: from }),
        });
        if (!node.isOptional) yield cut();
        else yield* forgiving(cut);
      }
    }
  }
}

/** Nothing instead of an error. */
function* forgiving(read: () => Item): Generator<Item> {
  let found: Item;
  try {
    found = read();
  } catch (error) {
    if (error instanceof JqError) return;
    throw error;
  }
  yield found;
}

/** The true values of the left side, errors left out; when there are none, the right side. */
function* alternative(
  node: Extract<Node, { kind: 'pipe' | 'comma' | 'alternative' | 'and' | 'or' }>,
  item: Item,
  scope: Scope,
  context: Context,
): Generator<Item> {
  let found = false;
  const left = evaluate(node.left, item, scope, context);
  for (;;) {
    let next: IteratorResult<Item>;
    try {
      next = left.next();
    } catch (error) {
      if (!(error instanceof JqError)) throw error;
      break;
    }
    if (next.done === true) break;
    if (!isTrue(next.value.value)) continue;
    found = true;
    yield next.value;
  }
  if (!found) yield* evaluate(node.right, item, scope, context);
}

/** Only errors of the body are caught, not those of what consumes it. */
function* attempt(
  node: Extract<Node, { kind: 'try' }>,
  item: Item,
  scope: Scope,
  context: Context,
): Generator<Item> {
  const body = evaluate(node.body, item, scope, context);
  for (;;) {
    let next: IteratorResult<Item>;
    try {
      next = body.next();
    } catch (error) {
      if (!(error instanceof JqError)) throw error;
      if (node.handler !== undefined) {
        yield* evaluate(node.handler, made(error.value, item), scope, context);
      }
      return;
    }
    if (next.done === true) return;
    yield next.value;
  }
}

function* bind(pattern: Pattern, value: JqValue, scope: Scope, context: Context): Generator<Scope> {
  if (pattern.kind === 'variable') {
    yield { kind: 'variable', name: pattern.name, value, outer: scope };
    return;
  }
  let scopes: Scope[] = [scope];
  const each = (expand: (scope: Scope) => Iterable<Scope>) => {
    scopes = scopes.flatMap((one) => [...expand(one)]);
  };
  if (pattern.kind === 'list') {
    if (value !== null && !isList(value)) {
      throw new JqError(`expected an array but got: ${describe(value)}`);
    }
    for (const [index, inner] of pattern.items.entries()) {
      each((one) => bind(inner, value?.[index] ?? null, one, context));
    }
  } else {
    for (const { key, variable, pattern: inner } of pattern.fields) {
      each(function* (one) {
        for (const name of values(key, { value, path: undefined }, one, context)) {
          const part = readKey(value, name);
          const named: Scope =
            variable === undefined
              ? one
              : { kind: 'variable', name: variable, value: part, outer: one };
          if (inner === undefined) yield named;
          else yield* bind(inner, part, named, context);
        }
      });
    }
  }
  yield* scopes;
}

function* records(
  entries: readonly (readonly [Node, Node])[],
  item: Item,
  scope: Scope,
  context: Context,
): Generator<JqValue> {
  const [entry, ...rest] = entries;
  if (entry === undefined) {
    yield {};
    return;
  }
  for (const key of values(entry[0], item, scope, context)) {
    if (typeof key !== 'string') {
      throw new JqError(`expected a string for object key but got: ${describe(key)}`);
    }
    for (const value of values(entry[1], item, scope, context)) {
      for (const tail of records(rest, item, scope, context)) {
        spend(context, 1);
        yield { [key]: value, ...(isRecord(tail) ? tail : {}) };
      }
    }
  }
}

function* texts(
  node: Extract<Node, { kind: 'text' }>,
  from: number,
  item: Item,
  { scope, context }: { scope: Scope; context: Context },
): Generator<string> {
  const part = node.parts[from];
  if (part === undefined) {
    yield '';
    return;
  }
  for (const rest of texts(node, from + 1, item, { scope, context })) {
    if (part.kind === 'literal') {
      yield `${part.value}${rest}`;
      continue;
    }
    for (const value of values(part, item, scope, context)) {
      const text = context.toText(value, node.format) + rest;
      spend(context, 1 + (text.length >> 6));
      yield text;
    }
  }
}

function* fold(
  node: Extract<Node, { kind: 'reduce' | 'foreach' }>,
  item: Item,
  scope: Scope,
  context: Context,
): Generator<Item> {
  for (const start of evaluate(node.start, item, scope, context)) {
    let state: Item | undefined = start;
    for (const value of values(node.source, item, scope, context)) {
      for (const inner of bind(node.pattern, value, scope, context)) {
        if (node.kind === 'reduce') {
          let last: Item | undefined;
          if (state !== undefined) {
            for (const next of evaluate(node.update, state, inner, context)) last = next;
          }
          state = last ?? state;
          continue;
        }
        if (state === undefined) continue;
        for (const next of evaluate(node.update, state, inner, context)) {
          state = next;
          if (node.extract === undefined) yield next;
          else yield* evaluate(node.extract, next, inner, context);
        }
      }
    }
    if (node.kind === 'reduce') yield state ?? made(null, item);
  }
}

/** The places that a query finds in a value. */
export function* pathsOf(
  node: Node,
  value: JqValue,
  scope: Scope,
  context: Context,
): Generator<JqPath> {
  for (const found of evaluate(node, { value, path: [] }, scope, context)) {
    if (found.path === null) throw new JqError(`invalid path with value: ${describe(found.value)}`);
    if (found.path !== undefined) yield found.path;
  }
}

function* update(
  node: Extract<Node, { kind: 'update' }>,
  item: Item,
  scope: Scope,
  context: Context,
): Generator<Item> {
  const { operator, left, right } = node;
  const paths = () => [...pathsOf(left, item.value, scope, context)];
  if (operator === '|=') {
    const change = (old: JqValue) => first(right, old, scope, context);
    yield made(modify(item.value, paths(), { change, context }), item);
    return;
  }
  for (const operand of values(right, item, scope, context)) {
    const change = (old: JqValue): JqValue => {
      if (operator === '=') return operand;
      if (operator === '//=') return isTrue(old) ? old : operand;
      return context.operators(operator.slice(0, -1), old, operand);
    };
    yield made(modify(item.value, paths(), { change, context }), item);
  }
}

/** Each place changed; those for which nothing comes out are removed. */
function modify(
  value: JqValue,
  paths: readonly JqPath[],
  { change, context }: { change: (old: JqValue) => JqValue | undefined; context: Context },
): JqValue {
  const removed: JqPath[] = [];
  const owned = new Set<object>();
  let result = value;
  for (const path of paths) {
    // A slice is replaced by copying its list.
    const size = path.some(isRecord) && isList(result) ? result.length : 0;
    spend(context, 1 + (size >> 4));
    const old = getPath(result, path);
    const next = change(old);
    // The change may hold the old value more than once.
    if (typeof old === 'object' && old !== null && owned.has(old)) owned.clear();
    if (next === undefined) removed.push(path);
    else result = setPath(result, path, next, owned);
  }
  return removed.length === 0 ? result : deletePaths(result, removed);
}

function first(node: Node, value: JqValue, scope: Scope, context: Context): JqValue | undefined {
  for (const found of values(node, { value, path: undefined }, scope, context)) return found;
  return undefined;
}

function define(definition: Definition, outer: Scope): Scope {
  const id = `${definition.name}/${definition.parameters.length}`;
  return { kind: 'function', id, definition, outer };
}

function* call(
  node: Extract<Node, { kind: 'call' }>,
  item: Item,
  scope: Scope,
  context: Context,
): Generator<Item> {
  const { name, args } = node;
  const id = `${name}/${args.length}`;
  for (let at = scope; at !== undefined; at = at.outer) {
    if (at.kind === 'argument' && args.length === 0 && at.name === name) {
      yield* evaluate(at.node, item, at.scope, context);
      return;
    }
    if (at.kind === 'function' && at.id === id) {
      yield* enter({ definition: at.definition, inside: at }, args, item, { scope, context });
      return;
    }
  }
  const builtin = context.builtins.get(id);
  if (builtin !== undefined) {
    yield* builtin({ item, args, scope, context });
    return;
  }
  const definition = context.definitions.get(id);
  if (definition === undefined) throw new JqError(`function not defined: ${id}`);
  const inside = define(definition, undefined);
  yield* enter({ definition, inside }, args, item, { scope, context });
}

/** Runs a definition; each combination of its `$` parameters is a run of its own. */
function* enter(
  { definition, inside }: { definition: Definition; inside: Scope },
  args: readonly Node[],
  item: Item,
  { scope, context }: { scope: Scope; context: Context },
): Generator<Item> {
  let scopes: Scope[] = [inside];
  for (const [index, parameter] of definition.parameters.entries()) {
    const node = args[index]!;
    const bare = parameter.startsWith('$') ? parameter.slice(1) : undefined;
    scopes = scopes.flatMap((outer): Scope[] => {
      if (bare === undefined) return [{ kind: 'argument', name: parameter, node, scope, outer }];
      return [...values(node, item, scope, context)].map(
        (value): Scope => ({
          kind: 'variable',
          name: bare,
          value,
          outer: { kind: 'argument', name: bare, node, scope, outer },
        }),
      );
    });
  }
  for (const inner of scopes) yield* evaluate(definition.body, item, inner, context);
}

function readVariable(name: string, scope: Scope): JqValue {
  for (let at = scope; at !== undefined; at = at.outer) {
    if (at.kind === 'variable' && at.name === name) return at.value;
  }
  if (name === 'ENV') return {};
  throw new JqError(`variable not defined: $${name}`);
}

function findLabel(name: string, scope: Scope): object {
  for (let at = scope; at !== undefined; at = at.outer) {
    if (at.kind === 'label' && at.name === name) return at.token;
  }
  throw new JqError(`label not defined: $${name}`);
}
