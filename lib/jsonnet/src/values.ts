import { jsonnetError, limitError } from './jsonnet-error.ts';
import type { Expression, Parameter, Visibility } from './syntax.ts';

export type Value = null | boolean | number | string | ArrayValue | ObjectValue | FunctionValue;

/** Something that is evaluated when it is first asked for. */
export class Thunk {
  #run: (() => Value) | undefined;
  #value: Value | undefined;
  #isRunning = false;

  constructor(run: () => Value) {
    this.#run = run;
  }

  static of(value: Value): Thunk {
    const thunk = new Thunk(() => value);
    thunk.#value = value;
    thunk.#run = undefined;
    return thunk;
  }

  force(): Value {
    if (this.#run === undefined) return this.#value!;
    if (this.#isRunning) throw limitError('infinite recursion: a value depends on itself');
    this.#isRunning = true;
    try {
      this.#value = this.#run();
      this.#run = undefined;
      return this.#value;
    } finally {
      this.#isRunning = false;
    }
  }
}

export type ArrayValue = readonly Thunk[];

/** Names and their values, one frame in another. */
export class Scope {
  readonly #names: ReadonlyMap<string, Thunk>;
  readonly #outer: Scope | undefined;
  readonly self: ObjectValue | undefined;
  /** Layers of `self` below this one are `super`. */
  readonly layer: number;

  constructor(
    names: ReadonlyMap<string, Thunk>,
    outer?: Scope,
    object?: { readonly self: ObjectValue; readonly layer: number },
  ) {
    this.#names = names;
    this.#outer = outer;
    this.self = object?.self ?? outer?.self;
    this.layer = object?.layer ?? outer?.layer ?? 0;
  }

  find(name: string): Thunk | undefined {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.#outer) {
      const found = scope.#names.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

export interface FunctionValue {
  readonly kind: 'function';
  readonly parameters: readonly (Parameter | { readonly name: string; readonly optional: true })[];
  call(args: readonly (Thunk | undefined)[]): Value;
}

export interface LayerField {
  readonly visibility: Visibility;
  readonly plus: boolean;
  /** In the scope of its object: with self, super and the object's own names. */
  evaluate(self: ObjectValue, layer: number): Value;
}

export interface Layer {
  readonly fields: ReadonlyMap<string, LayerField>;
  check(self: ObjectValue, layer: number): void;
}

/** An object: layers of fields, the later ones over the earlier. */
export class ObjectValue {
  readonly kind = 'object';
  readonly layers: readonly Layer[];
  readonly #values = new Map<string, Thunk>();
  #checked: 'no' | 'running' | 'yes' = 'no';
  #names: ReadonlyMap<string, boolean> | undefined;

  constructor(layers: readonly Layer[]) {
    this.layers = layers;
  }

  static of(fields: Iterable<readonly [string, Thunk]>): ObjectValue {
    const entries = [...fields].map(([name, thunk]): readonly [string, LayerField] => [
      name,
      { visibility: 'inherit', plus: false, evaluate: () => thunk.force() },
    ]);
    return new ObjectValue([{ fields: new Map(entries), check: () => undefined }]);
  }

  /** Names with whether each is visible; a plain colon keeps what an earlier layer says. */
  names(): ReadonlyMap<string, boolean> {
    if (this.#names === undefined) {
      const names = new Map<string, boolean>();
      for (const { fields } of this.layers)
        for (const [name, { visibility }] of fields)
          names.set(
            name,
            visibility === 'inherit' ? (names.get(name) ?? true) : visibility === 'visible',
          );
      this.#names = names;
    }
    return this.#names;
  }

  visibleNames(): readonly string[] {
    return [...this.names()]
      .flatMap(([name, isVisible]) => (isVisible ? [name] : []))
      .sort(byCodePoint);
  }

  has(name: string, below = this.layers.length): boolean {
    return this.layers.slice(0, below).some(({ fields }) => fields.has(name));
  }

  /** Its assertions are checked before anything of it is read. */
  check(): void {
    if (this.#checked !== 'no') return;
    this.#checked = 'running';
    for (const [index, layer] of this.layers.entries()) layer.check(this, index);
    this.#checked = 'yes';
  }

  get(name: string): Value | undefined {
    return this.find(name, this.layers.length);
  }

  /** The field as the layers below one have it; undefined: they have none. */
  find(name: string, below: number): Value | undefined {
    for (let index = below - 1; index >= 0; index--) {
      const field = this.layers[index]?.fields.get(name);
      if (field === undefined) continue;
      const key = `${index} ${name}`;
      let thunk = this.#values.get(key);
      if (thunk === undefined) {
        const at = index;
        thunk = new Thunk(() => field.evaluate(this, at));
        this.#values.set(key, thunk);
      }
      return thunk.force();
    }
    return undefined;
  }

  thunk(name: string): Thunk {
    return new Thunk(() => {
      this.check();
      return this.get(name) ?? null;
    });
  }
}

export function isFunction(value: Value): value is FunctionValue {
  return (
    typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'function'
  );
}

export function isArray(value: Value): value is ArrayValue {
  return Array.isArray(value);
}

export function typeName(value: Value): string {
  if (value === null) return 'null';
  if (isArray(value)) return 'array';
  if (value instanceof ObjectValue) return 'object';
  return isFunction(value) ? 'function' : typeof value;
}

/** Texts are compared by their code points, not by UTF-16 units. */
export function byCodePoint(left: string, right: string): number {
  if (left === right) return 0;
  const [a, b] = [left[Symbol.iterator](), right[Symbol.iterator]()];
  for (;;) {
    const [x, y] = [a.next(), b.next()];
    if (x.done === true) return y.done === true ? 0 : -1;
    if (y.done === true) return 1;
    if (x.value !== y.value) return (x.value.codePointAt(0) ?? 0) - (y.value.codePointAt(0) ?? 0);
  }
}

export function equalValues(left: Value, right: Value): boolean {
  if (isFunction(left) || isFunction(right))
    throw jsonnetError('cannot test equality of functions');
  if (isArray(left) && isArray(right)) {
    return (
      left.length === right.length &&
      left.every((item, i) => equalValues(item.force(), right[i]!.force()))
    );
  }
  if (left instanceof ObjectValue && right instanceof ObjectValue) {
    left.check();
    right.check();
    const [a, b] = [left.visibleNames(), right.visibleNames()];
    return (
      a.length === b.length &&
      a.every((name, i) => name === b[i]) &&
      a.every((name) => equalValues(left.get(name) ?? null, right.get(name) ?? null))
    );
  }
  return left === right;
}

export function compareValues(left: Value, right: Value): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (typeof left === 'string' && typeof right === 'string') return byCodePoint(left, right);
  if (isArray(left) && isArray(right)) {
    for (let i = 0; i < Math.min(left.length, right.length); i++) {
      const order = compareValues(left[i]!.force(), right[i]!.force());
      if (order !== 0) return order;
    }
    return left.length - right.length;
  }
  throw jsonnetError(`cannot compare ${typeName(left)} with ${typeName(right)}`);
}

export type { Expression };
