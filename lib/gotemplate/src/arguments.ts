import { indirect } from './fields.ts';
import type { NumberNode, OperandNode } from './nodes.ts';
import { nodeText } from './nodes.ts';
import {
  ANY,
  GoComplex,
  GoInt,
  GoNil,
  GoPointer,
  GoScalar,
  type GoType,
  type GoValue,
  INT,
  isIntKind,
  isUintKind,
  normalInt,
  REFLECT,
  STRING,
  typeOf,
} from './value.ts';

/** Whether nil may be given for a parameter of a type. */
export function canBeNil(type: GoType): boolean {
  if (type === REFLECT) return true;
  return ['chan', 'func', 'interface', 'map', 'ptr', 'slice'].includes(type.kind);
}

/** What a parameter gets for nil. */
export function nilFor(type: GoType): GoValue {
  if (type === REFLECT) return undefined;
  return type.kind === 'interface' ? null : new GoNil(type);
}

/**
 * Whether a value of one type may be given for a parameter of another: the same type, an interface it satisfies, or the
 * same shape when at most one of the two is named.
 */
export function isAssignable(from: GoType, to: GoType): boolean {
  if (from === to || from.text === to.text) return true;
  if (to.kind === 'interface') {
    if (to.text === ANY.text) return true;
    return to.text === 'error' && from.stringer !== undefined;
  }
  if (from.kind !== to.kind || (from.named === true && to.named === true)) return false;
  if (from.kind === 'slice') return from.elem?.text === to.elem?.text;
  if (from.kind === 'map')
    return from.key?.text === to.key?.text && from.elem?.text === to.elem?.text;
  return false;
}

/**
 * Checks a value against the type of a parameter and returns what the function gets. The message is returned for what
 * does not fit.
 */
export function fitValue(value: GoValue, type: GoType): { readonly fits: GoValue } | string {
  if (value === undefined) {
    return canBeNil(type) ? { fits: nilFor(type) } : `invalid value; expected ${type.text}`;
  }
  if (type === REFLECT || type.text === ANY.text) return { fits: value };
  if (value === null) {
    return canBeNil(type) && type.kind === 'interface'
      ? { fits: null }
      : `wrong type for value; expected ${type.text}; got ${ANY.text}`;
  }
  const actual = typeOf(value);
  if (isAssignable(actual, type)) return { fits: value };
  if (actual.kind === 'ptr' && actual.elem !== undefined && isAssignable(actual.elem, type)) {
    if (value instanceof GoPointer) return { fits: indirect(value) };
    return `dereference of nil pointer of type ${type.text}`;
  }
  return `wrong type for value; expected ${type.text}; got ${actual.text}`;
}

/** A literal for a parameter of a type, or the message for one that does not fit. */
export function literalFor(node: OperandNode, type: GoType): { readonly fits: GoValue } | string {
  if (type === REFLECT || type.text === ANY.text) return idealLiteral(node);
  const { kind } = type;
  if (kind === 'bool') {
    return node.kind === 'bool' ? { fits: node.value } : `expected bool; found ${nodeText(node)}`;
  }
  if (kind === 'string') {
    if (node.kind !== 'string') return `expected string; found ${nodeText(node)}`;
    return { fits: type === STRING ? node.value : new GoScalar(type, node.value) };
  }
  if (isIntKind(kind)) {
    if (node.kind !== 'number' || node.int === undefined) {
      return `expected integer; found ${nodeText(node)}`;
    }
    return { fits: new GoInt(type, normalInt(type, node.int)) };
  }
  if (isUintKind(kind)) {
    if (node.kind !== 'number' || node.uint === undefined) {
      return `expected unsigned integer; found ${nodeText(node)}`;
    }
    return { fits: new GoInt(type, normalInt(type, node.uint)) };
  }
  return otherLiteral(node, type);
}

function otherLiteral(node: OperandNode, type: GoType): { readonly fits: GoValue } | string {
  const { kind } = type;
  if (kind === 'float32' || kind === 'float64') {
    if (node.kind !== 'number' || node.float === undefined) {
      return `expected float; found ${nodeText(node)}`;
    }
    return { fits: kind === 'float64' ? node.float : new GoScalar(type, Math.fround(node.float)) };
  }
  if (kind === 'complex64' || kind === 'complex128') {
    if (node.kind !== 'number' || node.complex === undefined) {
      return `expected complex; found ${nodeText(node)}`;
    }
    return { fits: new GoComplex(node.complex.real, node.complex.imaginary, type) };
  }
  return `can't handle ${nodeText(node)} for arg of type ${type.text}`;
}

/** A literal where any type may stand: ideal constants become int, float64 or complex128. */
export function idealLiteral(node: OperandNode): { readonly fits: GoValue } | string {
  switch (node.kind) {
    case 'bool':
    case 'string':
      return { fits: node.value };
    case 'number':
      return idealNumber(node);
    default:
      return `can't handle assignment of ${nodeText(node)} to empty interface argument`;
  }
}

function idealNumber(node: NumberNode): { readonly fits: GoValue } | string {
  if (node.complex !== undefined) {
    return { fits: new GoComplex(node.complex.real, node.complex.imaginary) };
  }
  const hexInteger = /^0[xX]/.test(node.text) && node.text.length > 2 && !/[pP]/.test(node.text);
  const looksFloat = /[.eEpP]/.test(node.text) && !hexInteger && !node.text.startsWith("'");
  if (node.float !== undefined && looksFloat) return { fits: node.float };
  if (node.int !== undefined) return { fits: new GoInt(INT, normalInt(INT, node.int)) };
  return `${node.text} overflows int`;
}
