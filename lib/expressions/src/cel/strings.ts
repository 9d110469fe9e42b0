import { formatText } from './format.ts';
import type { CelFunction, CelLibrary } from './functions.ts';
import { ArrayList, CelError, CelList, type CelValue, noSuchOverload } from './values.ts';

/** cel-go's `strings` extension in version 2; texts count in characters. */
export const STRINGS: CelLibrary = { functions: { ...places(), ...changes() } };

/** What later versions of the extension add. */
export const STRINGS_REVERSE: CelLibrary = {
  functions: {
    reverse: {
      overloads: ['string_reverse: string.() -> string'],
      call: ([text]) => [...textOf(text)].reverse().join(''),
    },
  },
};

function textOf(value: CelValue | undefined): string {
  if (typeof value === 'string') return value;
  throw noSuchOverload();
}

function intOf(value: CelValue | undefined): number {
  if (typeof value === 'bigint') return Number(value);
  throw noSuchOverload();
}

function places(): Record<string, CelFunction> {
  return {
    charAt: {
      overloads: ['string_char_at_int: string.(int) -> string'],
      call: ([text, place]) => {
        const chars = [...textOf(text)];
        const at = intOf(place);
        if (at < 0 || at > chars.length) throw new CelError(`index out of range: ${at}`);
        return chars[at] ?? '';
      },
    },
    indexOf: {
      overloads: [
        'string_index_of_string: string.(string) -> int',
        'string_index_of_string_int: string.(string, int) -> int',
      ],
      call: ([text, part, from]) => indexOf([...textOf(text)], [...textOf(part)], from),
    },
    lastIndexOf: {
      overloads: [
        'string_last_index_of_string: string.(string) -> int',
        'string_last_index_of_string_int: string.(string, int) -> int',
      ],
      call: ([text, part, from]) => lastIndexOf([...textOf(text)], [...textOf(part)], from),
    },
    substring: {
      overloads: [
        'string_substring_int: string.(int) -> string',
        'string_substring_int_int: string.(int, int) -> string',
      ],
      call: ([text, start, end]) => substring([...textOf(text)], start, end),
    },
  };
}

function startsAt(chars: readonly string[], part: readonly string[], at: number): boolean {
  return part.every((char, i) => chars[at + i] === char);
}

function indexOf(
  chars: readonly string[],
  part: readonly string[],
  from: CelValue | undefined,
): bigint {
  const start = from === undefined ? 0 : intOf(from);
  if (part.length === 0) return BigInt(start);
  if (start < 0) throw new CelError(`index out of range: ${start}`);
  for (let at = start; at + part.length <= chars.length; at++) {
    if (startsAt(chars, part, at)) return BigInt(at);
  }
  return -1n;
}

function lastIndexOf(
  chars: readonly string[],
  part: readonly string[],
  from: CelValue | undefined,
): bigint {
  const start = from === undefined ? chars.length : intOf(from);
  if (part.length === 0) return BigInt(start);
  if (start < 0) throw new CelError(`index out of range: ${start}`);
  if (from !== undefined && start >= chars.length) return -1n;
  for (let at = Math.min(start, chars.length - part.length); at >= 0; at--) {
    if (startsAt(chars, part, at)) return BigInt(at);
  }
  return -1n;
}

function substring(
  chars: readonly string[],
  from: CelValue | undefined,
  to: CelValue | undefined,
): string {
  const start = intOf(from);
  const end = to === undefined ? chars.length : intOf(to);
  if (start < 0 || start > chars.length) throw new CelError(`index out of range: ${start}`);
  if (end < 0 || end > chars.length) throw new CelError(`index out of range: ${end}`);
  if (start > end) {
    throw new CelError(`invalid substring range. start: ${start}, end: ${end}`);
  }
  return chars.slice(start, end).join('');
}

function changes(): Record<string, CelFunction> {
  const change = (id: string, run: (text: string) => string): CelFunction => ({
    overloads: [`${id}: string.() -> string`],
    call: ([text]) => run(textOf(text)),
  });
  return {
    lowerAscii: change('string_lower_ascii', (text) =>
      text.replace(/[A-Z]+/g, (upper) => upper.toLowerCase()),
    ),
    upperAscii: change('string_upper_ascii', (text) =>
      text.replace(/[a-z]+/g, (lower) => lower.toUpperCase()),
    ),
    trim: change('string_trim', (text) => text.replace(/^[\s\u0085]+|[\s\u0085]+$/g, '')),
    replace: {
      overloads: [
        'string_replace_string_string: string.(string, string) -> string',
        'string_replace_string_string_int: string.(string, string, int) -> string',
      ],
      call: ([text, from, to, limit]) =>
        replace(textOf(text), [textOf(from), textOf(to)], limit === undefined ? -1 : intOf(limit)),
    },
    split: {
      overloads: [
        'string_split_string: string.(string) -> list(string)',
        'string_split_string_int: string.(string, int) -> list(string)',
      ],
      call: ([text, separator, limit]) =>
        new ArrayList(
          split(textOf(text), textOf(separator), limit === undefined ? -1 : intOf(limit)),
        ),
    },
    join: {
      overloads: [
        'list_join: list(string).() -> string',
        'list_join_string: list(string).(string) -> string',
      ],
      call: ([list, separator]) => {
        if (!(list instanceof CelList)) throw noSuchOverload();
        return [...list].map(textOf).join(separator === undefined ? '' : textOf(separator));
      },
    },
    format: {
      overloads: ['string_format: string.(list(dyn)) -> string'],
      call: ([text, list]) => {
        if (!(list instanceof CelList)) throw noSuchOverload();
        return formatText(textOf(text), [...list]);
      },
    },
    'strings.quote': {
      overloads: ['strings_quote: (string) -> string'],
      call: ([text]) => quote(textOf(text)),
    },
  };
}

function replace(text: string, [from, to]: readonly [string, string], limit: number): string {
  let left = limit < 0 ? Infinity : limit;
  if (from === '') {
    const chars = [...text];
    const parts = chars.map((char) => (left-- > 0 ? `${to}${char}` : char));
    return parts.join('') + (left > 0 ? to : '');
  }
  return text.replaceAll(from, (found) => (left-- > 0 ? to : found));
}

function split(text: string, separator: string, limit: number): string[] {
  if (limit === 0) return [];
  const parts = separator === '' ? [...text] : text.split(separator);
  if (limit < 0 || parts.length <= limit) return parts;
  return [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)];
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

function quote(text: string): string {
  return `"${[...text].map((char) => ESCAPES[char] ?? char).join('')}"`;
}
