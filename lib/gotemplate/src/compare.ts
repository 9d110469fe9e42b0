import { sprint, sprintf } from './fmt.ts';
import { PartCount } from './limits.ts';
import { sortedEntries } from './map.ts';
import { compareText } from './text.ts';
import {
  GoComplex,
  GoError,
  GoInt,
  GoNil,
  GoPointer,
  GoScalar,
  GoStruct,
  type GoType,
  type GoValue,
  isIntKind,
  isUintKind,
  typeOf,
} from './value.ts';

type BasicKind = 'bool' | 'complex' | 'int' | 'float' | 'string' | 'uint';

function basicKind(type: GoType): BasicKind | undefined {
  const { kind } = type;
  if (kind === 'string' || kind === 'bool') return kind;
  if (isIntKind(kind)) return 'int';
  if (isUintKind(kind)) return 'uint';
  if (kind === 'float32' || kind === 'float64') return 'float';
  return kind === 'complex64' || kind === 'complex128' ? 'complex' : undefined;
}

type Ordered = string | number | bigint | boolean;

/** The JavaScript value of a basic Go value. */
function plainValue(value: GoValue): Ordered {
  if (value instanceof GoInt || value instanceof GoScalar) return value.value;
  return typeof value === 'object' || value === undefined ? '' : value;
}

/** The template function eq: arg1 equals one of the others. Throws GoError for what cannot be compared. */
export function equalsAny(first: GoValue, others: readonly GoValue[]): boolean {
  if (others.length === 0) throw new GoError('missing argument for comparison');
  if (typeof first === 'string') {
    const [other] = others;
    if (others.length === 1 && typeof other === 'string') return first === other;
  }
  return others.some((other) => equals(first, other));
}

function equals(a: GoValue, b: GoValue): boolean {
  const typeA = typeOf(a);
  const typeB = typeOf(b);
  const kindA = basicKind(typeA);
  const kindB = basicKind(typeB);
  if (kindA !== kindB) {
    if (isMixedInteger(kindA, kindB)) return sameInteger(plainValue(a), plainValue(b));
    if (isAbsent(a) || isAbsent(b)) return false;
    throw new GoError(`incompatible types for comparison: ${typeA.text} and ${typeB.text}`);
  }
  if (kindA === undefined) return equalsOther(a, b);
  if (a instanceof GoComplex && b instanceof GoComplex) {
    return a.real === b.real && a.imaginary === b.imaginary;
  }
  const x = plainValue(a);
  const y = plainValue(b);
  return kindA === 'int' || kindA === 'uint' ? sameInteger(x, y) : x === y;
}

function isMixedInteger(a: BasicKind | undefined, b: BasicKind | undefined): boolean {
  return (a === 'int' && b === 'uint') || (a === 'uint' && b === 'int');
}

function sameInteger(a: Ordered, b: Ordered): boolean {
  return typeof a === typeof b ? a === b : String(a) === String(b);
}

function isAbsent(value: GoValue): boolean {
  return value === undefined || value === null;
}

function isNil(value: GoValue): boolean {
  return isAbsent(value) || value instanceof GoNil;
}

function equalsOther(a: GoValue, b: GoValue): boolean {
  const typeA = typeOf(a);
  const typeB = typeOf(b);
  if (typeA.kind !== typeB.kind && !isAbsent(a) && !isAbsent(b)) {
    throw new GoError(
      `non-comparable types ${shown(a)}: ${typeA.text}, ${typeB.text}: ${sprint([b])}`,
    );
  }
  if (isNil(a) || isNil(b)) return isNil(a) === isNil(b);
  if (!isComparable(typeB)) {
    throw new GoError(`non-comparable type ${shown(b)}: ${typeB.text}`);
  }
  return identical(a, b);
}

/** Go's messages print the value as a string, whatever it is. */
function shown(value: GoValue): string {
  return sprintf('%s', [value]);
}

function isComparable(type: GoType): boolean {
  if (type.kind === 'slice' || type.kind === 'map' || type.kind === 'func') return false;
  if (type.kind === 'struct') return (type.fields ?? []).every((field) => isComparable(field.type));
  return type.kind !== 'array' || type.elem === undefined || isComparable(type.elem);
}

/** Go's == on two values of any comparable type. */
export function identical(a: GoValue, b: GoValue): boolean {
  const typeA = typeOf(a);
  if (typeA.text !== typeOf(b).text) return false;
  if (a instanceof GoPointer && b instanceof GoPointer) return a === b || a.elem === b.elem;
  if (a instanceof GoStruct && b instanceof GoStruct) {
    return (typeA.fields ?? []).every((f) => identical(a.values[f.name], b.values[f.name]));
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => identical(item, b[index]));
  }
  if (basicKind(typeA) !== undefined) return equals(a, b);
  return a === b;
}

/** The template function lt. */
export function isLess(a: GoValue, b: GoValue): boolean {
  const typeA = typeOf(a);
  const typeB = typeOf(b);
  const kindA = basicKind(typeA);
  const kindB = basicKind(typeB);
  if (kindA === undefined || kindB === undefined) {
    throw new GoError('invalid type for comparison');
  }
  if (kindA !== kindB && !isMixedInteger(kindA, kindB)) {
    throw new GoError(`incompatible types for comparison: ${typeA.text} and ${typeB.text}`);
  }
  if (kindA === 'bool' || kindA === 'complex') throw new GoError('invalid type for comparison');
  const x = plainValue(a);
  const y = plainValue(b);
  if (typeof x === 'string' && typeof y === 'string') return compareText(x, y) < 0;
  return x < y;
}

/** The template function le: less, or equal. */
export function isLessOrEqual(a: GoValue, b: GoValue): boolean {
  return isLess(a, b) || equals(a, b);
}

/** reflect.DeepEqual */
export function deepEqual(a: GoValue, b: GoValue): boolean {
  return sameParts(a, b, new PartCount());
}

function sameParts(a: GoValue, b: GoValue, parts: PartCount): boolean {
  if (a === b) return !(typeof a === 'number' && Number.isNaN(a));
  if (isAbsent(a) || isAbsent(b)) return isAbsent(a) && isAbsent(b);
  parts.add();
  const typeA = typeOf(a);
  if (typeA.text !== typeOf(b).text) return false;
  if (a instanceof GoNil || b instanceof GoNil) return a instanceof GoNil && b instanceof GoNil;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameParts(item, b[index], parts));
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return a.length === b.length && a.every((byte, index) => byte === b[index]);
  }
  if (a instanceof GoStruct && b instanceof GoStruct) {
    const fields = typeA.fields ?? [];
    if (fields.length === 0) return identicalHidden(a, b);
    return fields.every((f) => sameParts(a.values[f.name], b.values[f.name], parts));
  }
  if (a instanceof GoPointer && b instanceof GoPointer) return sameParts(a.elem, b.elem, parts);
  if (typeA.kind === 'map') return sameMaps(a, b, parts);
  return typeA.kind !== 'func' && identical(a, b);
}

/** Structs whose fields only the host knows (times, versions) are equal when they print alike. */
function identicalHidden(a: GoStruct, b: GoStruct): boolean {
  return a.hidden === b.hidden || sprint([a]) === sprint([b]);
}

function sameMaps(a: GoValue, b: GoValue, parts: PartCount): boolean {
  const left = [...sortedEntries(a)];
  const right = [...sortedEntries(b)];
  if (left.length !== right.length) return false;
  return left.every(([key, value], index) => {
    const other = right[index];
    return (
      other !== undefined && sameParts(key, other[0], parts) && sameParts(value, other[1], parts)
    );
  });
}
