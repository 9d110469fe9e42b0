import { indirect } from '../fields.ts';
import { valueText } from '../fmt.ts';
import { listOf } from '../map.ts';
import { parseFloatText, parseInteger } from '../number.ts';
import { fromBytes } from '../text.ts';
import {
  GoInt,
  type GoList,
  GoScalar,
  type GoValue,
  INT64,
  normalInt,
  STRINGS,
  typedSlice,
} from '../value.ts';

/** The text of a value: what %v prints, but the content of a string, of bytes, of an error. */
export function textOf(value: GoValue): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return fromBytes(value);
  return valueText(value);
}

/** Sprig's toStrings: the items of a list as texts without the nil ones; anything else is one item. */
export function textsOf(value: GoValue): string[] {
  if (value === null || value === undefined) return [];
  const items = listOf(value);
  if (items === undefined) return [textOf(value)];
  const out: string[] = [];
  for (const item of items) {
    if (item !== null && item !== undefined) out.push(textOf(item));
  }
  return out;
}

export function textList(items: string[]): GoList {
  return typedSlice(STRINGS, items);
}

const INT64_LIMIT = 2 ** 63;

/** A float as int64: cut off; what does not fit becomes the least int64, as on amd64. */
export function truncateFloat(value: number): number | bigint {
  if (Number.isNaN(value) || value >= INT64_LIMIT || value < -INT64_LIMIT) return -(1n << 63n);
  const whole = Math.trunc(value);
  return Number.isSafeInteger(whole) ? whole + 0 : BigInt(whole);
}

/** cast.ToInt64: what cannot be read is zero. */
export function toInt64(given: GoValue): number | bigint {
  const value = indirect(given);
  switch (typeof value) {
    case 'number':
      return truncateFloat(value);
    case 'string':
      return integerText(value);
    case 'boolean':
      return value ? 1 : 0;
    case 'bigint':
      return normalInt(INT64, value);
    default:
  }
  // Other named types are no numbers to the cast library; durations and such read as zero.
  if (value instanceof GoInt) return value.type.named === true ? 0 : normalInt(INT64, value.value);
  if (value instanceof GoScalar) {
    if (value.type.text === 'json.Number') return integerText(String(value.value));
    if (value.type.text === 'float32') return truncateFloat(Number(value.value));
  }
  return 0;
}

function integerText(text: string): number | bigint {
  const parsed = parseInteger(trimZeroDecimal(text), 0);
  return parsed.error === undefined ? normalInt(INT64, parsed.value) : 0;
}

/** `8.00` is 8; `8.50` stays. */
function trimZeroDecimal(text: string): string {
  return text.replace(/\.0+$/, '');
}

/** cast.ToFloat64: what cannot be read is zero. */
export function toFloat64(given: GoValue): number {
  const value = indirect(given);
  switch (typeof value) {
    case 'number':
      return value;
    case 'string':
      return floatText(value);
    case 'boolean':
      return value ? 1 : 0;
    case 'bigint':
      return Number(value);
    default:
  }
  if (value instanceof GoInt) return value.type.named === true ? 0 : Number(value.value);
  if (value instanceof GoScalar) {
    if (value.type.text === 'json.Number') return floatText(String(value.value));
    if (value.type.text === 'float32') return Number(value.value);
  }
  return 0;
}

function floatText(text: string): number {
  const parsed = parseFloatText(text);
  return parsed.error === undefined ? parsed.value : 0;
}
