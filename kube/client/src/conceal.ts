import type { Json } from '@capstan/kube-object';
import type { ApiStatus } from './api-error.ts';

/**
 * What an error about a Secret must not repeat: all values below `data` and `stringData`, and the values of a JSON patch. A
 * server quotes what it refuses ("expected string, got 12345").
 */
export function secretValues(body: Json | undefined): string[] {
  const found = new Set<string>();
  collect(body, false, found);
  // The longest first, so that a value is not left half hidden by a part of it.
  return [...found].sort((a, b) => b.length - a.length);
}

/** The status without these values, in its message and in its causes. */
export function concealIn(status: ApiStatus, values: readonly string[]): ApiStatus {
  if (values.length === 0) return status;
  const conceal = (text: string) =>
    values.reduce((hidden, value) => hidden.replaceAll(value, '******'), text);
  return {
    ...status,
    message: conceal(status.message),
    causes: status.causes.map((cause) => ({ ...cause, message: conceal(cause.message) })),
  };
}

const holders = new Set(['data', 'stringData', 'value']);

function collect(value: Json | undefined, isSecret: boolean, found: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, isSecret, found);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      collect(member, isSecret || holders.has(key), found);
    }
  } else if (isSecret && value !== undefined && value !== null) {
    addValue(String(value), found);
  }
}

/** A value of one or two characters would blank out half of every sentence and hides nothing. */
function addValue(text: string, found: Set<string>): void {
  if (text.length < 3) return;
  found.add(text);
  const plain = Buffer.from(text, 'base64').toString('utf8');
  if (plain.length >= 3 && !plain.includes('\ufffd')) found.add(plain);
  found.add(Buffer.from(text).toString('base64'));
}
