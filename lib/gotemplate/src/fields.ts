import type { Frame } from './execution.ts';
import { mapGet, mapIndex } from './map.ts';
import { quote } from './quote.ts';
import {
  ANY,
  type GoFunc,
  GoMap,
  GoNil,
  GoPointer,
  GoStruct,
  type GoType,
  type GoValue,
  isPlainDict,
  typeOf,
  zeroOf,
} from './value.ts';

/** Throws the error of the node that is being evaluated. */
export type Fail = (frame: Frame, message: string) => never;

/** What a field of a value is: a value, or a method that is to be called with the arguments at hand. */
export type FieldResult =
  | { readonly kind: 'value'; readonly value: GoValue }
  | { readonly kind: 'method'; readonly method: GoFunc };

/** The type an error message names: that of the container's elements for what comes out of a container. */
function staticType(value: GoValue, isInterface: boolean): string {
  return isInterface || value === null ? ANY.text : typeOf(value).text;
}

/** The full rules of `.Name` on a value. `hasArgs`: arguments or a piped value are given. */
export function lookUpField(
  receiver: GoValue,
  name: string,
  site: {
    readonly frame: Frame;
    readonly fail: Fail;
    readonly hasArgs: boolean;
    readonly isInterface: boolean;
  },
): FieldResult {
  const { frame, fail, hasArgs, isInterface } = site;
  if (receiver === undefined) {
    if (frame.execution.missingKey === 'error') {
      fail(frame, `nil data; no entry for key ${quote(name)}`);
    }
    return { kind: 'value', value: undefined };
  }
  const typeText = staticType(receiver, isInterface);
  if (receiver === null) return fail(frame, `nil pointer evaluating ${typeText}.${name}`);
  const method = typeOf(receiver).methods?.get(name);
  if (method !== undefined) return { kind: 'method', method: method(receiver) };
  const target = receiver instanceof GoPointer ? indirect(receiver) : receiver;
  const inner = target === receiver ? undefined : typeOf(target).methods?.get(name);
  if (inner !== undefined) return { kind: 'method', method: inner(target) };
  if (target instanceof GoNil && target.type.kind === 'ptr') {
    const fields = target.type.elem?.fields;
    if (fields === undefined || fields.some((field) => field.name === name)) {
      fail(frame, `nil pointer evaluating ${typeText}.${name}`);
    }
  }
  if (target instanceof GoStruct) {
    const found = fieldOf(target, name);
    if (found !== undefined) {
      if (!/^\p{Lu}/u.test(name)) {
        fail(frame, `${name} is an unexported field of struct type ${typeText}`);
      }
      if (hasArgs) fail(frame, `${name} has arguments but cannot be invoked as function`);
      return { kind: 'value', value: found.value ?? zeroOf(found.type) };
    }
  }
  if (hasStringKeys(target)) {
    if (hasArgs) fail(frame, `${name} is not a method but has arguments`);
    return { kind: 'value', value: entryOf(target, name, frame, fail) };
  }
  return fail(frame, `can't evaluate field ${name} in type ${typeText}`);
}

/** A field of a struct, or of a struct embedded in it. */
function fieldOf(
  struct: GoStruct,
  name: string,
): { readonly type: GoType; readonly value: GoValue } | undefined {
  const fields = struct.type.fields ?? [];
  const own = fields.find((field) => field.name === name);
  if (own !== undefined) return { type: own.type, value: struct.values[name] };
  for (const { embedded, name: inner } of fields) {
    const value = embedded === true ? struct.values[inner] : undefined;
    const found = value instanceof GoStruct ? fieldOf(value, name) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function hasStringKeys(value: GoValue): boolean {
  const type = typeOf(value);
  if (type.kind !== 'map') return false;
  return type.key?.text === 'string' || type.key?.kind === 'interface';
}

function entryOf(target: GoValue, name: string, frame: Frame, fail: Fail): GoValue {
  const value = entry(target, name);
  if (value !== undefined) return value;
  switch (frame.execution.missingKey) {
    case 'zero':
      return zeroOf(typeOf(target).elem ?? ANY);
    case 'error':
      return fail(frame, `map has no entry for key ${quote(name)}`);
    default:
      return undefined;
  }
}

function entry(target: GoValue, name: string): GoValue {
  if (target instanceof GoMap) return mapGet(target.data, name);
  if (target instanceof Map) return target.get(name);
  return isPlainDict(target) ? mapGet(target, name) : mapIndex(target, name);
}

/** Follows pointers to what they point at. */
export function indirect(value: GoValue): GoValue {
  let target = value;
  while (target instanceof GoPointer) target = target.elem;
  return target;
}

/** Whether what was read from a container is held there as an interface{}. */
export function elementsAreInterfaces(container: GoValue, name: string): boolean {
  const target = indirect(container);
  if (target instanceof GoStruct) {
    return fieldOf(target, name)?.type.kind === 'interface';
  }
  return typeOf(target).elem?.kind === 'interface';
}
