import { isEmptyMap } from './map.ts';
import {
  GoComplex,
  GoInt,
  GoKeyedMap,
  GoMap,
  GoNil,
  GoObject,
  GoScalar,
  type GoValue,
} from './value.ts';

/** Whether a value counts as true in `if`, `and`, `or`: it is not the zero value of its type, nor empty. */
export function isTrue(value: GoValue): boolean {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'string':
      return value !== '';
    case 'number':
      return value !== 0;
    case 'bigint':
      return value !== 0n;
    case 'undefined':
      return false;
    default:
  }
  if (value === null || value === undefined) return false;
  if (value instanceof GoObject) return isTrueObject(value);
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length > 0;
  return !isEmptyMap(value);
}

function isTrueObject(value: GoObject): boolean {
  if (value instanceof GoInt) return value.value !== 0 && value.value !== 0n;
  if (value instanceof GoMap) return !isEmptyMap(value.data);
  if (value instanceof GoScalar) return isTrue(value.value);
  if (value instanceof GoNil) return false;
  if (value instanceof GoKeyedMap) return value.entries.size > 0;
  if (value instanceof GoComplex) return value.real !== 0 || value.imaginary !== 0;
  return true;
}
