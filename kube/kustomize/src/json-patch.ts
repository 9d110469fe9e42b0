import { messageOf } from '@capstan/lib-std';
import { parseJson, type YamlValue } from '@capstan/lib-yaml';
import { failure } from './failure.ts';
import { parseInteger } from './field-path.ts';
import { yamlValue } from './yaml-value.ts';

/** One operation of a JSON patch, as it was written. */
export type JsonOperation = { readonly [key: string]: YamlValue };

type JsonMap = { [key: string]: YamlValue };
type Container = JsonMap | YamlValue[];

/** Reads a JSON patch in JSON or YAML. Fails with Go's words when it is no list of objects. */
export function parseJsonPatch(text: string): readonly JsonOperation[] {
  const value = text.startsWith('[') ? parseStrictJson(text) : yamlValue(text);
  if (value === null) return [];
  if (!Array.isArray(value)) {
    throw failure(
      `json: cannot unmarshal ${jsonKind(value)} into Go value of type jsonpatch.Patch`,
    );
  }
  return value.map((operation) => {
    if (operation === null) return {};
    if (isMap(operation)) return operation;
    throw failure(
      `json: cannot unmarshal ${jsonKind(operation)} into Go value of type jsonpatch.Operation`,
    );
  });
}

function parseStrictJson(text: string): YamlValue {
  try {
    return parseJson(text);
  } catch (error) {
    throw failure(messageOf(error));
  }
}

function jsonKind(value: YamlValue): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'number';
  return typeof value;
}

function isMap(value: YamlValue | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Applies the operations to a document, which is changed. Follows gopkg.in/evanphx/json-patch.v4: negative indexes
 * count from the end, `replace` of a missing key adds it, a path through a missing value is an error.
 */
export function applyJsonPatch(
  document: YamlValue,
  operations: readonly JsonOperation[],
): YamlValue {
  if (!isMap(document) && !Array.isArray(document)) return document;
  const state = { root: document as Container };
  for (const operation of operations) apply(state, operation);
  return state.root;
}

interface State {
  root: Container;
}

const OPERATIONS: Readonly<Record<string, (state: State, operation: JsonOperation) => void>> = {
  add,
  remove,
  replace,
  move,
  test,
  copy,
};

function apply(state: State, operation: JsonOperation): void {
  const kind = typeof operation['op'] === 'string' ? operation['op'] : 'unknown';
  if (!Object.hasOwn(OPERATIONS, kind)) throw failure(`Unexpected kind: ${kind}`);
  OPERATIONS[kind]!(state, operation);
}

const MISSING = 'missing value';

/** A pointer of an operation. `terse` messages do not say why there is none. */
function pathOf(
  operation: JsonOperation,
  name: 'path' | 'from',
  { what, terse = false }: { readonly what: string; readonly terse?: boolean },
): string {
  const path = operation[name];
  if (typeof path === 'string') return path;
  const prefix = `${what} operation failed to decode ${name}`;
  if (terse) throw failure(`${prefix}: ${MISSING}`);
  if (path !== undefined && path !== null) {
    throw failure(
      `${prefix}: json: cannot unmarshal ${jsonKind(path)} into Go value of type string`,
    );
  }
  const detail = name === 'path' ? 'operation missing path field' : 'operation, missing from field';
  throw failure(`${prefix}: ${detail}: ${MISSING}`);
}

interface Spot {
  readonly container: Container;
  readonly key: string;
}

/** The container that a path ends in; undefined when there is none. */
function find(root: Container, path: string): Spot | undefined {
  const parts = path.split('/');
  if (parts.length < 2) return undefined;
  let container = root;
  for (const part of parts.slice(1, -1)) {
    const next = peek(container, decodeKey(part));
    if (!isMap(next) && !Array.isArray(next)) return undefined;
    container = next;
  }
  return { container, key: decodeKey(parts.at(-1)!) };
}

function decodeKey(part: string): string {
  return part.replace(/~[01]/g, (code) => (code === '~1' ? '/' : '~'));
}

function peek(container: Container, key: string): YamlValue | undefined {
  try {
    return get(container, key);
  } catch {
    return undefined;
  }
}

function get(container: Container, key: string): YamlValue | undefined {
  if (!Array.isArray(container)) return Object.hasOwn(container, key) ? container[key] : undefined;
  const index = arrayIndex(container, key);
  if (index >= container.length) throw badIndex(index);
  return container[index];
}

function arrayIndex(array: readonly YamlValue[], key: string): number {
  const index = parseInteger(key);
  if (index === undefined) throw failure(notANumber(key));
  if (index < -array.length) throw badIndex(index);
  return index < 0 ? index + array.length : index;
}

function notANumber(key: string): string {
  return `strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`;
}

function badIndex(index: number): unknown {
  return failure(`Unable to access invalid index: ${index}: invalid index referenced`);
}

function insert(container: Container, key: string, value: YamlValue): void {
  if (!Array.isArray(container)) {
    setOwn(container, key, value);
    return;
  }
  if (key === '-') {
    container.push(value);
    return;
  }
  const index = parseInteger(key);
  if (index === undefined) {
    throw failure(`value was not a proper array index: '${key}': ${notANumber(key)}`);
  }
  const size = container.length + 1;
  if (index >= size || index < -size) throw badIndex(index);
  container.splice(index < 0 ? index + size : index, 0, value);
}

function setOwn(map: JsonMap, key: string, value: YamlValue): void {
  Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
}

function removeKey(container: Container, key: string): void {
  if (!Array.isArray(container)) {
    if (!Object.hasOwn(container, key)) {
      throw failure(`Unable to remove nonexistent key: ${key}: ${MISSING}`);
    }
    delete container[key];
    return;
  }
  const index = parseInteger(key);
  if (index !== undefined && index >= container.length) throw badIndex(index);
  container.splice(arrayIndex(container, key), 1);
}

function inside<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw failure(`${what}: ${error instanceof Error ? error.message : error}`);
  }
}

function operationValue(operation: JsonOperation): YamlValue {
  return structuredClone(operation['value'] ?? null);
}

function add(state: State, operation: JsonOperation): void {
  const path = pathOf(operation, 'path', { what: 'add', terse: true });
  const spot = find(state.root, path);
  if (spot === undefined) {
    throw failure(`add operation does not apply: doc is missing path: "${path}": ${MISSING}`);
  }
  inside(`error in add for path: '${path}'`, () =>
    insert(spot.container, spot.key, operationValue(operation)),
  );
}

function remove(state: State, operation: JsonOperation): void {
  const path = pathOf(operation, 'path', { what: 'remove', terse: true });
  const spot = find(state.root, path);
  if (spot === undefined) {
    throw failure(`remove operation does not apply: doc is missing path: "${path}": ${MISSING}`);
  }
  inside(`error in remove for path: '${path}'`, () => removeKey(spot.container, spot.key));
}

function replace(state: State, operation: JsonOperation): void {
  const path = pathOf(operation, 'path', { what: 'replace' });
  if (path === '') {
    const value = operationValue(operation);
    if (!isMap(value) && !Array.isArray(value)) {
      throw failure('replace operation value must be object or array: %!w(<nil>)');
    }
    state.root = value;
    return;
  }
  const spot = find(state.root, path);
  if (spot === undefined) {
    throw failure(`replace operation does not apply: doc is missing path: ${path}: ${MISSING}`);
  }
  try {
    get(spot.container, spot.key);
  } catch {
    throw failure(`replace operation does not apply: doc is missing key: ${path}: ${MISSING}`);
  }
  const value = operationValue(operation);
  if (Array.isArray(spot.container)) {
    spot.container[arrayIndex(spot.container, spot.key)] = value;
  } else {
    setOwn(spot.container, spot.key, value);
  }
}

function move(state: State, operation: JsonOperation): void {
  const from = pathOf(operation, 'from', { what: 'move' });
  const source = find(state.root, from);
  if (source === undefined) {
    throw failure(`move operation does not apply: doc is missing from path: ${from}: ${MISSING}`);
  }
  const value = inside(`error in move for path: '${source.key}'`, () => {
    const found = get(source.container, source.key);
    removeKey(source.container, source.key);
    return found ?? null;
  });
  const path = pathOf(operation, 'path', { what: 'move' });
  const spot = find(state.root, path);
  if (spot === undefined) {
    throw failure(
      `move operation does not apply: doc is missing destination path: ${path}: ${MISSING}`,
    );
  }
  inside(`error in move for path: '${path}'`, () => insert(spot.container, spot.key, value));
}

function copy(state: State, operation: JsonOperation): void {
  const from = pathOf(operation, 'from', { what: 'copy' });
  const source = find(state.root, from);
  if (source === undefined) {
    throw failure(`copy operation does not apply: doc is missing from path: ${from}: ${MISSING}`);
  }
  const value = inside(`error in copy for from: '${from}'`, () =>
    get(source.container, source.key),
  );
  const path = pathOf(operation, 'path', { what: 'copy', terse: true });
  const spot = find(state.root, path);
  if (spot === undefined) {
    throw failure(
      `copy operation does not apply: doc is missing destination path: ${path}: ${MISSING}`,
    );
  }
  inside('error while adding value during copy', () =>
    insert(spot.container, spot.key, structuredClone(value ?? null)),
  );
}

function test(state: State, operation: JsonOperation): void {
  const path = pathOf(operation, 'path', { what: 'test' });
  const wanted = operation['value'] ?? null;
  if (path === '') {
    if (!isEqual(state.root, wanted)) throw failure(`testing value ${path} failed: test failed`);
    return;
  }
  const spot = find(state.root, path);
  if (spot === undefined) {
    throw failure(`test operation does not apply: is missing path: ${path}: ${MISSING}`);
  }
  const value = inside(`error in test for path: '${path}'`, () => get(spot.container, spot.key));
  if (!isEqual(value ?? null, wanted)) throw failure(`testing value ${path} failed: test failed`);
}

function isEqual(a: YamlValue, b: YamlValue): boolean {
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => isEqual(item, b[i]!));
  }
  if (isMap(a)) {
    if (!isMap(b)) return false;
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key]!, b[key]!))
    );
  }
  return a === b;
}
