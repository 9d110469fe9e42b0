import type { Json, JsonObject } from './object.ts';

/** The reasons of `metav1.StatusCause` for a field that is not as it must be. */
export type FieldErrorReason =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTooFew'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

/** What is wrong with a field of an object, as the API server reports it. `value` absent: it is not shown. */
export interface FieldError {
  readonly reason: FieldErrorReason;
  /** `spec.ports[0].port`; `<nil>` for the object itself. */
  readonly field: string;
  readonly value?: Json;
  /** The value as the message shows it, where that is not its JSON with sorted keys: a Go struct has an order of its own. */
  readonly shown?: string;
  readonly detail: string;
}

const titles: Readonly<Record<FieldErrorReason, string>> = {
  FieldValueNotFound: 'Not found',
  FieldValueRequired: 'Required value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  FieldValueTooFew: 'Too few',
  FieldValueTypeInvalid: 'Invalid value',
  InternalError: 'Internal error',
};

const withoutValue: ReadonlySet<FieldErrorReason> = new Set([
  'FieldValueRequired',
  'FieldValueForbidden',
  'FieldValueTooLong',
  'InternalError',
]);

/** `spec.replicas: Invalid value: -1: must be greater than or equal to 0` */
export function formatFieldError(error: FieldError): string {
  return `${error.field}: ${formatFieldErrorBody(error)}`;
}

/** The text without the field: what a status cause has as its message. */
export function formatFieldErrorBody({ reason, value, shown, detail }: FieldError): string {
  let text = titles[reason];
  if (withoutValue.has(reason)) return detail === '' ? text : `${text}: ${detail}`;
  if (shown !== undefined) text += `: ${shown}`;
  else if (value !== undefined)
    text += `: ${typeof value === 'number' ? goNumber(value) : sortedJson(value)}`;
  return detail === '' ? text : `${text}: ${detail}`;
}

/** One error as it is, several in brackets: the end of the server's message for an invalid object. */
export function formatFieldErrors(errors: readonly FieldError[]): string {
  const texts = [...new Set(errors.map(formatFieldError))];
  return texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`;
}

/** A number as Go prints it that is not within an object. */
function goNumber(value: number): string {
  const [digits = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (Number.isInteger(value) || (power >= -4 && power < 21)) return String(value);
  const sign = power < 0 ? '-' : '+';
  return `${digits}e${sign}${String(Math.abs(power)).padStart(2, '0')}`;
}

function sortedJson(value: Json): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) {
    const list: readonly Json[] = value;
    return `[${list.map(sortedJson).join(',')}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const map = value as JsonObject;
  const parts = Object.keys(map)
    .filter((key) => map[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${sortedJson(map[key] ?? null)}`);
  return `{${parts.join(',')}}`;
}

/** `supported values: "a", "b"` */
export function supportedValues(values: readonly string[]): string {
  return values.length === 0
    ? ''
    : `supported values: ${values.map((value) => JSON.stringify(value)).join(', ')}`;
}

/** A field's path, grown from the root: `child(child('', 'spec'), 'ports')` and `index(path, 0)`. */
export function childPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

export function indexPath(path: string, index: number | string): string {
  return `${path}[${index}]`;
}
