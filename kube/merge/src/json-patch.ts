import type { Json } from '@capstan/kube-object';
import { goPlain, goQuote } from './go-text.ts';
import { isMutableMap, type MutableJson, type MutableMap, mutableCopy } from './mutable.ts';
import { PatchError } from './patch-error.ts';
import { isList, isMap, own, put, valuesEqual } from './value.ts';

export interface JsonPatchLimits {
  readonly operationsMax: number;
  /** How much `copy` operations may add together, in bytes of JSON. */
  readonly copiedBytesMax: number;
}

/** What kube-apiserver allows. */
export const serverJsonPatchLimits: JsonPatchLimits = {
  operationsMax: 10_000,
  copiedBytesMax: 3 * 1024 * 1024,
};

/**
 * Applies a JSON patch (RFC 6902) with the behaviour and the error texts of evanphx/json-patch 4, which the API server uses:
 * negative indexes count from the end, `replace` of a missing key adds it, `test` against null passes if there is nothing.
 * All or nothing: the target is not changed.
 */
export function applyJsonPatch(
  target: Json,
  patch: Json,
  limits: JsonPatchLimits = serverJsonPatchLimits,
): Json {
  if (!isList(patch))
    throw new PatchError(
      'malformed',
      `json: cannot unmarshal ${jsonKind(patch)} into Go value of type jsonpatch.Patch`,
    );
  if (patch.length > limits.operationsMax)
    throw new PatchError(
      'malformed',
      `The allowed maximum operations in a JSON patch is ${limits.operationsMax}, got ${patch.length}`,
    );
  const state: State = { document: mutableCopy(target), copiedBytes: 0, limits };
  for (const operation of patch) {
    if (!isMap(operation) && operation !== null)
      throw new PatchError(
        'malformed',
        `json: cannot unmarshal ${jsonKind(operation)} into Go value of type jsonpatch.Operation`,
      );
    perform(state, readOperation(operation ?? {}));
  }
  return state.document;
}

interface State {
  document: MutableJson;
  copiedBytes: number;
  readonly limits: JsonPatchLimits;
}

interface Operation {
  readonly kind: string;
  readonly path: string | undefined;
  readonly from: string | undefined;
  /** undefined: the operation has no `value` at all. */
  readonly value: MutableJson | undefined;
}

function readOperation(operation: { readonly [key: string]: Json | undefined }): Operation {
  const text = (key: string): string | undefined => {
    const value = own(operation, key);
    return typeof value === 'string' ? value : undefined;
  };
  const value = own(operation, 'value');
  return {
    kind: text('op') ?? 'unknown',
    path: text('path'),
    from: text('from'),
    value: value === undefined ? undefined : mutableCopy(value),
  };
}

function perform(state: State, operation: Operation): void {
  const run = operations.get(operation.kind);
  if (run === undefined) throw fail(`Unexpected kind: ${operation.kind}`);
  run(state, operation);
}

const operations: ReadonlyMap<string, (state: State, operation: Operation) => void> = new Map([
  ['add', add],
  ['remove', remove],
  ['replace', replace],
  ['move', move],
  ['copy', copy],
  ['test', check],
]);

function fail(message: string): PatchError {
  return new PatchError('unprocessable', message);
}

function add(state: State, { path, value }: Operation): void {
  if (path === undefined) throw fail('add operation failed to decode path: missing value');
  const place = find(state, path);
  if (place === undefined)
    throw fail(`add operation does not apply: doc is missing path: "${path}": missing value`);
  within(`error in add for path: '${path}'`, () => insert(place, value ?? null));
}

function remove(state: State, { path }: Operation): void {
  if (path === undefined) throw fail('remove operation failed to decode path: missing value');
  const place = find(state, path);
  if (place === undefined)
    throw fail(`remove operation does not apply: doc is missing path: "${path}": missing value`);
  within(`error in remove for path: '${path}'`, () => drop(place));
}

function replace(state: State, { path, value }: Operation): void {
  if (path === undefined)
    throw fail(
      'replace operation failed to decode path: operation missing path field: missing value',
    );
  if (path === '') {
    if (!Array.isArray(value) && !isMutableMap(value))
      throw fail('replace operation value must be object or array: %!w(<nil>)');
    state.document = value;
    return;
  }
  const place = find(state, path);
  if (place === undefined)
    throw fail(`replace operation does not apply: doc is missing path: ${path}: missing value`);
  if (typeof look(place) === 'string')
    throw fail(`replace operation does not apply: doc is missing key: ${path}: missing value`);
  const { container, key } = place;
  if (Array.isArray(container)) container[indexOf(key, container.length)] = value ?? null;
  else put(container as Record<string, Json>, key, (value ?? null) as Json);
}

function move(state: State, { path, from }: Operation): void {
  if (from === undefined)
    throw fail(
      'move operation failed to decode from: operation, missing from field: missing value',
    );
  const source = find(state, from);
  if (source === undefined)
    throw fail(`move operation does not apply: doc is missing from path: ${from}: missing value`);
  const found = look(source);
  if (typeof found === 'string') throw fail(`error in move for path: '${source.key}': ${found}`);
  within(`error in move for path: '${source.key}'`, () => drop(source));
  if (path === undefined)
    throw fail('move operation failed to decode path: operation missing path field: missing value');
  const destination = find(state, path);
  if (destination === undefined)
    throw fail(
      `move operation does not apply: doc is missing destination path: ${path}: missing value`,
    );
  within(`error in move for path: '${path}'`, () => insert(destination, found.value ?? null));
}

function copy(state: State, { path, from }: Operation): void {
  if (from === undefined)
    throw fail(
      'copy operation failed to decode from: operation, missing from field: missing value',
    );
  const source = find(state, from);
  if (source === undefined)
    throw fail(`copy operation does not apply: doc is missing from path: ${from}: missing value`);
  const found = look(source);
  if (typeof found === 'string') throw fail(`error in copy for from: '${from}': ${found}`);
  if (path === undefined) throw fail('copy operation failed to decode path: missing value');
  const destination = find(state, path);
  if (destination === undefined)
    throw fail(
      `copy operation does not apply: doc is missing destination path: ${path}: missing value`,
    );
  if (found.value !== undefined) {
    const limit = state.limits.copiedBytesMax;
    state.copiedBytes += sizeOf(found.value);
    if (state.copiedBytes > limit)
      throw fail(
        `Unable to complete the copy, the accumulated size increase of copy is ${state.copiedBytes}, exceeding the limit ${limit}`,
      );
  }
  const value = found.value === undefined ? null : mutableCopy(found.value as Json);
  within('error while adding value during copy', () => insert(destination, value));
}

function sizeOf(value: MutableJson): number {
  const text = JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'bigint' ? item.toString() : item,
  );
  return new TextEncoder().encode(text).length;
}

function check(state: State, { path, value }: Operation): void {
  if (path === undefined)
    throw fail('test operation failed to decode path: operation missing path field: missing value');
  const failed = fail(`testing value ${path} failed: test failed`);
  if (path === '') {
    if (value === undefined || !valuesEqual(state.document as Json, value as Json)) throw failed;
    return;
  }
  const place = find(state, path);
  if (place === undefined)
    throw fail(`test operation does not apply: is missing path: ${path}: missing value`);
  const found = look(place);
  if (typeof found === 'string') throw fail(`error in test for path: '${path}': ${found}`);
  const actual = found.value ?? null;
  if (value === undefined ? actual !== null : !valuesEqual(actual as Json, value as Json))
    throw failed;
}

interface Place {
  readonly container: MutableJson[] | MutableMap;
  readonly key: string;
}

/** The container that a pointer's last token is a key of; undefined if the way there does not exist. */
function find(state: State, path: string): Place | undefined {
  const tokens = path.split('/');
  if (tokens.length < 2) return undefined;
  let current: MutableJson | undefined = state.document;
  for (const token of tokens.slice(1, -1)) {
    if (!Array.isArray(current) && !isMutableMap(current)) return undefined;
    const found = look({ container: current, key: unescapeToken(token) });
    if (typeof found === 'string') return undefined;
    current = found.value;
  }
  if (!Array.isArray(current) && !isMutableMap(current)) return undefined;
  return { container: current, key: unescapeToken(tokens.at(-1)!) };
}

function unescapeToken(text: string): string {
  return text.replace(/~[01]/g, (token) => (token === '~1' ? '/' : '~'));
}

/** The value at a place (undefined if the map has no such key), or why a list has none. */
function look({ container, key }: Place): { readonly value: MutableJson | undefined } | string {
  if (!Array.isArray(container))
    return { value: Object.hasOwn(container, key) ? container[key] : undefined };
  try {
    return { value: container[indexOf(key, container.length)] };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function indexOf(key: string, length: number): number {
  const index = parseIndex(key);
  if (index >= length || index < -length) throw invalidIndex(index);
  return index < 0 ? index + length : index;
}

function parseIndex(key: string): number {
  if (!/^[-+]?\d+$/.test(key)) throw fail(`strconv.Atoi: parsing ${goQuote(key)}: invalid syntax`);
  return Number(key);
}

function invalidIndex(index: number): PatchError {
  return fail(`Unable to access invalid index: ${index}: invalid index referenced`);
}

function insert({ container, key }: Place, value: MutableJson): void {
  if (!Array.isArray(container)) {
    put(container as Record<string, Json>, key, value as Json);
    return;
  }
  if (key === '-') {
    container.push(value);
    return;
  }
  if (!/^[-+]?\d+$/.test(key))
    throw fail(
      `value was not a proper array index: '${key}': strconv.Atoi: parsing ${goQuote(key)}: invalid syntax`,
    );
  container.splice(indexOf(key, container.length + 1), 0, value);
}

function drop({ container, key }: Place): void {
  if (Array.isArray(container)) {
    container.splice(indexOf(key, container.length), 1);
    return;
  }
  if (!Object.hasOwn(container, key))
    throw fail(`Unable to remove nonexistent key: ${key}: missing value`);
  delete container[key];
}

function within(context: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    throw fail(`${context}: ${error instanceof Error ? error.message : goPlain(String(error))}`);
  }
}

function jsonKind(value: Json): string {
  if (value === null) return 'null';
  if (isList(value)) return 'array';
  if (isMap(value)) return 'object';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : 'number';
}
