import type { Json } from '@capstan/kube-object';
import { isList, isRecord } from './field-path.ts';

/** A parsed jq path expression of the plain subset: members, elements, `[]`, and `select` by equality, joined by pipes. */
export type PlainPath = readonly PlainStep[];
type PlainStep =
  | { readonly kind: 'member'; readonly name: string }
  | { readonly kind: 'element'; readonly index: number }
  | { readonly kind: 'each' }
  | {
      readonly kind: 'select';
      readonly path: PlainPath;
      readonly operator: '==' | '!=';
      readonly value: Json;
    };

/**
 * Parses `.spec.template.spec.containers[] | select(.name == "web") | .image` and the like; undefined for anything that
 * needs a real jq. Linear in the length of the text.
 */
export function parsePlainPath(text: string): PlainPath | undefined {
  const reader = { text, at: 0 };
  const path = readPath(reader);
  skipSpace(reader);
  return path !== undefined && reader.at === text.length ? path : undefined;
}

interface Reader {
  readonly text: string;
  at: number;
}

function readPath(reader: Reader): PlainPath | undefined {
  const steps: PlainStep[] = [];
  do {
    skipSpace(reader);
    const stage = reader.text.startsWith('select', reader.at)
      ? readSelect(reader)
      : readStage(reader);
    if (stage === undefined) return undefined;
    steps.push(...stage);
    skipSpace(reader);
  } while (eat(reader, '|'));
  return steps;
}

function readStage(reader: Reader): PlainStep[] | undefined {
  const steps: PlainStep[] = [];
  const start = reader.at;
  for (;;) {
    if (eat(reader, '.')) {
      const name = readName(reader);
      if (name !== undefined) steps.push({ kind: 'member', name });
      else if (reader.text[reader.at] !== '[' && reader.at !== start + 1) return undefined;
    } else if (reader.text[reader.at] === '[' && reader.at > start) {
      const step = readBrackets(reader);
      if (step === undefined) return undefined;
      steps.push(step);
    } else break;
    eat(reader, '?');
  }
  return reader.at === start ? undefined : steps;
}

function readName(reader: Reader): string | undefined {
  if (reader.text[reader.at] === '"') return readString(reader);
  const match = /^[A-Za-z_]\w*/.exec(reader.text.slice(reader.at, reader.at + 256));
  if (match === null) return undefined;
  reader.at += match[0].length;
  return match[0];
}

function readBrackets(reader: Reader): PlainStep | undefined {
  reader.at++;
  skipSpace(reader);
  if (eat(reader, ']')) return { kind: 'each' };
  if (reader.text[reader.at] === '"') {
    const name = readString(reader);
    skipSpace(reader);
    return name !== undefined && eat(reader, ']') ? { kind: 'member', name } : undefined;
  }
  const match = /^-?\d{1,9}/.exec(reader.text.slice(reader.at, reader.at + 12));
  if (match === null) return undefined;
  reader.at += match[0].length;
  skipSpace(reader);
  return eat(reader, ']') ? { kind: 'element', index: Number(match[0]) } : undefined;
}

function readSelect(reader: Reader): PlainStep[] | undefined {
  reader.at += 'select'.length;
  skipSpace(reader);
  if (!eat(reader, '(')) return undefined;
  skipSpace(reader);
  const path = readStage(reader);
  skipSpace(reader);
  const operator = eat(reader, '==') ? '==' : eat(reader, '!=') ? '!=' : undefined;
  skipSpace(reader);
  const value = readLiteral(reader);
  skipSpace(reader);
  if (path === undefined || operator === undefined || value === undefined) return undefined;
  return eat(reader, ')') ? [{ kind: 'select', path, operator, value }] : undefined;
}

function readLiteral(reader: Reader): Json | undefined {
  if (reader.text[reader.at] === '"') return readString(reader);
  const match = /^(?:true|false|null|-?\d{1,15}(?:\.\d{1,9})?)/.exec(
    reader.text.slice(reader.at, reader.at + 32),
  );
  if (match === null) return undefined;
  reader.at += match[0].length;
  const value: Json = JSON.parse(match[0]);
  return value;
}

function readString(reader: Reader): string | undefined {
  let end = reader.at + 1;
  while (end < reader.text.length && reader.text[end] !== '"')
    end += reader.text[end] === '\\' ? 2 : 1;
  const literal = reader.text.slice(reader.at, end + 1);
  // Interpolation needs a real jq.
  if (literal.includes('\\(') || end >= reader.text.length) return undefined;
  reader.at = end + 1;
  try {
    return String(JSON.parse(literal));
  } catch {
    return undefined;
  }
}

function skipSpace(reader: Reader): void {
  while (/\s/.test(reader.text[reader.at] ?? '')) reader.at++;
}

function eat(reader: Reader, token: string): boolean {
  if (!reader.text.startsWith(token, reader.at)) return false;
  reader.at += token.length;
  return true;
}

export type ConcretePath = readonly (string | number)[];

/** The places in `value` that the path names; only those that exist. */
export function findPlaces(value: Json, path: PlainPath): readonly ConcretePath[] {
  let places: { readonly at: ConcretePath; readonly value: Json | undefined }[] = [
    { at: [], value },
  ];
  for (const step of path) {
    places = places.flatMap((place) =>
      advance(place.value, step).map(({ part, value: inner }) => ({
        at: part === undefined ? place.at : [...place.at, part],
        value: inner,
      })),
    );
  }
  return places.filter((place) => place.value !== undefined).map(({ at }) => at);
}

function advance(
  value: Json | undefined,
  step: PlainStep,
): readonly { readonly part?: string | number; readonly value: Json | undefined }[] {
  switch (step.kind) {
    case 'member':
      return isRecord(value) ? [{ part: step.name, value: value[step.name] }] : [];
    case 'element': {
      if (!isList(value)) return [];
      const index = step.index < 0 ? value.length + step.index : step.index;
      return [{ part: index, value: value[index] }];
    }
    case 'each':
      if (isList(value)) return value.map((item, part) => ({ part, value: item }));
      if (isRecord(value))
        return Object.entries(value).map(([part, item]) => ({ part, value: item }));
      return [];
    case 'select': {
      const [found] = findPlaces(value ?? null, step.path);
      const actual = found === undefined ? null : readPlace(value ?? null, found);
      return (actual === step.value) === (step.operator === '==') ? [{ value }] : [];
    }
  }
}

export function readPlace(value: Json | undefined, place: ConcretePath): Json | undefined {
  let current = value;
  for (const part of place) {
    if (typeof part === 'number') current = isList(current) ? current[part] : undefined;
    else current = isRecord(current) ? current[part] : undefined;
  }
  return current;
}

/** RFC 6901; undefined for what is no pointer. Numbers name elements of lists and members of objects alike. */
export function parsePointer(text: string): readonly string[] | undefined {
  if (text === '') return [];
  if (!text.startsWith('/')) return undefined;
  return text
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The place a pointer names in `value`; undefined when it is not there. */
export function findPointer(value: Json, pointer: readonly string[]): ConcretePath | undefined {
  const place: (string | number)[] = [];
  let current: Json | undefined = value;
  for (const part of pointer) {
    if (isList(current) && /^\d{1,9}$/.test(part)) {
      place.push(Number(part));
      current = current[Number(part)];
    } else if (isRecord(current)) {
      place.push(part);
      current = current[part];
    } else return undefined;
    if (current === undefined) return undefined;
  }
  return place;
}
