import {
  compare,
  describe,
  isList,
  isNumber,
  isRecord,
  JqError,
  type JqValue,
  plainNumbers,
  sortedKeys,
} from './values.ts';

const TEXT_MAX = 1 << 22;

/** Arithmetic and comparison, with jq's meanings for strings, lists and objects. */
export function applyOperator(operator: string, left: JqValue, right: JqValue): JqValue {
  switch (operator) {
    case '==':
      return compare(left, right) === 0;
    case '!=':
      return compare(left, right) !== 0;
    case '<':
      return compare(left, right) < 0;
    case '<=':
      return compare(left, right) <= 0;
    case '>':
      return compare(left, right) > 0;
    case '>=':
      return compare(left, right) >= 0;
    case '+':
      return add(left, right);
    case '-':
      return subtract(left, right);
    case '*':
      return multiply(left, right);
    case '/':
      return divide(left, right);
    default:
      return modulo(left, right);
  }
}

function add(left: JqValue, right: JqValue): JqValue {
  if (left === null) return right;
  if (right === null) return left;
  if (isNumber(left) && isNumber(right)) return Number(left) + Number(right);
  if (typeof left === 'string' && typeof right === 'string') return bounded(left + right);
  if (isList(left) && isList(right)) return [...left, ...right];
  if (isRecord(left) && isRecord(right)) return { ...left, ...right };
  throw new JqError(`cannot add: ${describe(left)} and ${describe(right)}`);
}

function subtract(left: JqValue, right: JqValue): JqValue {
  if (isNumber(left) && isNumber(right)) return Number(left) - Number(right);
  if (isList(left) && isList(right)) {
    return left.filter((item) => !right.some((other) => compare(item, other) === 0));
  }
  throw new JqError(`cannot subtract: ${describe(left)} and ${describe(right)}`);
}

function multiply(left: JqValue, right: JqValue): JqValue {
  if (isNumber(left) && isNumber(right)) return Number(left) * Number(right);
  const [text, count] = typeof left === 'string' ? [left, right] : [right, left];
  if (typeof text === 'string' && isNumber(count)) {
    const times = Math.max(1, Math.floor(Number(count)));
    if (Number(count) <= 0) return null;
    if (text.length * times > TEXT_MAX) throw new JqError('the repeated string is too long');
    return text.repeat(times);
  }
  if (isRecord(left) && isRecord(right)) return merge(left, right);
  throw new JqError(`cannot multiply: ${describe(left)} and ${describe(right)}`);
}

function merge(
  left: { readonly [key: string]: JqValue | undefined },
  right: { readonly [key: string]: JqValue | undefined },
): JqValue {
  const result: { [key: string]: JqValue | undefined } = { ...left };
  for (const [key, value] of Object.entries(right)) {
    const old = Object.hasOwn(left, key) ? left[key] : undefined;
    result[key] = isRecord(old) && isRecord(value) ? merge(old, value) : value;
  }
  return result;
}

function divide(left: JqValue, right: JqValue): JqValue {
  if (isNumber(left) && isNumber(right)) {
    if (Number(right) === 0) {
      throw new JqError(`cannot divide ${describe(left)} by: ${describe(right)}`);
    }
    return Number(left) / Number(right);
  }
  if (typeof left === 'string' && typeof right === 'string') {
    return left === '' ? [] : left.split(right);
  }
  throw new JqError(`cannot divide: ${describe(left)} and ${describe(right)}`);
}

function modulo(left: JqValue, right: JqValue): JqValue {
  if (!isNumber(left) || !isNumber(right)) {
    throw new JqError(`cannot modulo: ${describe(left)} and ${describe(right)}`);
  }
  const divisor = Math.trunc(Number(right));
  if (divisor === 0) throw new JqError(`cannot modulo ${describe(left)} by: ${describe(right)}`);
  return Math.trunc(Number(left)) % Math.abs(divisor) || 0;
}

function bounded(text: string): string {
  if (text.length > TEXT_MAX) throw new JqError('the string is too long');
  return text;
}

/** Whether every part of `part` is in `whole`: substrings, elements, fields. */
export function contains(whole: JqValue, part: JqValue): boolean {
  if (typeof whole === 'string' && typeof part === 'string') return whole.includes(part);
  if (isList(whole) && isList(part)) {
    return part.every((wanted) =>
      whole.some((item) => isSameKind(item, wanted) && contains(item, wanted)),
    );
  }
  if (isRecord(whole) && isRecord(part)) {
    return Object.entries(part).every(([key, wanted]) => {
      const item = Object.hasOwn(whole, key) ? whole[key] : undefined;
      if (item === undefined || wanted === undefined) return false;
      return isSameKind(item, wanted) && contains(item, wanted);
    });
  }
  if (!isSameKind(whole, part)) {
    throw new JqError(`contains cannot be applied to: ${describe(whole)} and ${describe(part)}`);
  }
  return compare(whole, part) === 0;
}

function isSameKind(a: JqValue, b: JqValue): boolean {
  if (isList(a) || isList(b)) return isList(a) && isList(b);
  return a === null || b === null ? a === b : typeof a === typeof b || (isNumber(a) && isNumber(b));
}

/** JSON with the keys in order. */
export function toJsonText(value: JqValue): string {
  if (isList(value)) return `[${value.map(toJsonText).join(',')}]`;
  if (isRecord(value)) {
    const fields = sortedKeys(value).map(
      (key) => `${JSON.stringify(key)}:${toJsonText(value[key] ?? null)}`,
    );
    return `{${fields.join(',')}}`;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return Number.isNaN(value) ? 'null' : `${value > 0 ? '' : '-'}1.7976931348623157e+308`;
  }
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value, plainNumbers);
}

/** `@text`, `@json`, `@base64` … of a value; undefined: as in a string. */
export function formatText(value: JqValue, format: string | undefined): string {
  const plain = typeof value === 'string' ? value : toJsonText(value);
  switch (format) {
    case undefined:
    case '@text':
      return plain;
    case '@json':
      return toJsonText(value);
    case '@html':
      return plain.replace(/[<>&'"]/g, (char) => `&${HTML[char] ?? ''};`);
    case '@uri':
      return encodeURIComponent(plain).replace(
        /[!'()*]/g,
        (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
      );
    case '@sh':
      return (isList(value) ? value : [value]).map(quoteForShell).join(' ');
    case '@csv':
    case '@tsv':
      return row(value, format);
    case '@base64':
      return btoa(binary(plain));
    case '@base64d':
      return decodeBase64(plain);
    default:
      throw new JqError(`format not defined: ${format}`);
  }
}

const HTML: Readonly<Record<string, string>> = {
  '<': 'lt',
  '>': 'gt',
  '&': 'amp',
  "'": '#39',
  '"': 'quot',
};

function quoteForShell(value: JqValue): string {
  if (isList(value) || isRecord(value))
    throw new JqError(`@sh cannot be applied to: ${describe(value)}`);
  return typeof value === 'string' ? `'${value.replaceAll("'", "'\\''")}'` : toJsonText(value);
}

function row(value: JqValue, format: '@csv' | '@tsv'): string {
  if (!isList(value)) throw new JqError(`${format} cannot be applied to: ${describe(value)}`);
  const cells = value.map((cell) => {
    if (cell === null) return '';
    if (typeof cell !== 'string') return toJsonText(cell);
    if (format === '@csv') return `"${cell.replaceAll('"', '""')}"`;
    return cell.replace(/[\t\r\n\\]/g, (char) => JSON.stringify(char).slice(1, -1));
  });
  return cells.join(format === '@csv' ? ',' : '\t');
}

function binary(text: string): string {
  let bytes = '';
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return bytes;
}

function decodeBase64(text: string): string {
  try {
    const bytes = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return new TextDecoder().decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));
  } catch {
    throw new JqError(`@base64d cannot be applied to: ${describe(text)}`);
  }
}
