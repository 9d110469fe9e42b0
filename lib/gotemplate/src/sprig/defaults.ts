import { deepEqual } from '../compare.ts';
import { isTrue } from '../truth.ts';
import { type GoValue, typeOf } from '../value.ts';
import { anything, type Functions, fixed, flag, text, variadic } from './define.ts';

/** Sprig's defaults and reflection. */
export function defaultFunctions(): Functions {
  return [
    ['default', variadic([anything], anything, pickDefault)],
    ['empty', fixed([anything], isEmpty)],
    ['coalesce', variadic([], anything, coalesce)],
    ['all', variadic([], anything, (values) => values.every((value) => !isEmpty(value)))],
    ['any', variadic([], anything, (values) => values.some((value) => !isEmpty(value)))],
    ['ternary', fixed([anything, anything, flag], (yes, no, condition) => (condition ? yes : no))],
    ['typeOf', fixed([anything], typeText)],
    ['typeIs', fixed([text, anything], (target, value) => target === typeText(value))],
    ['typeIsLike', fixed([text, anything], isLike)],
    ['kindOf', fixed([anything], kindOf)],
    ['kindIs', fixed([text, anything], (target, value) => target === kindOf(value))],
    ['deepEqual', fixed([anything, anything], deepEqual)],
  ];
}

function pickDefault(fallback: GoValue, given: readonly GoValue[]): GoValue {
  const [first] = given;
  return given.length === 0 || isEmpty(first) ? fallback : first;
}

/** Sprig's empty: the zero value of the type, or of no length. */
export function isEmpty(value: GoValue): boolean {
  return !isTrue(value);
}

function coalesce(values: readonly GoValue[]): GoValue {
  return values.find((value) => !isEmpty(value)) ?? null;
}

function typeText(value: GoValue): string {
  return value === null || value === undefined ? '<nil>' : typeOf(value).text;
}

function isLike(target: string, value: GoValue): boolean {
  const type = typeText(value);
  return target === type || `*${target}` === type;
}

function kindOf(value: GoValue): string {
  return value === null || value === undefined ? 'invalid' : typeOf(value).kind;
}
