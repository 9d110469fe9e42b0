/**
 * JSON as Kubernetes means it: integers are 64-bit. What JavaScript's number cannot hold exactly comes as bigint and goes
 * out digit by digit. The common case, a text without such a number, costs one scan more than JSON.parse.
 */
import type { Json } from '@capstan/kube-object';

/** Throws SyntaxError as JSON.parse does. */
export function parseJson(text: string): Json {
  if (!hasLongInteger.test(text)) return JSON.parse(text);
  return JSON.parse(text, reviveExactly);
}

/** Compact JSON. A bigint is written as an integer; `undefined` members are left out. */
export function formatJson(value: Json): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, (_key, member) =>
      typeof member === 'bigint' ? rawJson(String(member)) : member,
    );
  }
}

// 2^53 has 16 digits. A match inside a string only sends the text down the slow path.
const hasLongInteger = /[:,[]\s*-?\d{16,}/;

function reviveExactly(_key: string, value: unknown, ...[context]: { source?: string }[]): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}

function rawJson(text: string): unknown {
  // In every Node that runs this project, but not yet in the ES library of the compiler.
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
}
