import { parseYamlStrict } from '@capstan/lib-yaml';
import { badRequest, tooLarge, unsupportedMediaType } from './api-error.ts';
import { type Draft, type DraftObject, isDraftObject } from './json.ts';

/** The bound of the real server for a request body. */
export const BODY_BYTES_MAX = 3 * 1024 * 1024;
/** As Go's encoding/json; also keeps every recursion over an object within the stack. */
const DEPTH_MAX = 1000;

const JSON_TYPE = 'application/json';
const YAML_TYPE = 'application/yaml';
export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';
export const BODY_TYPES: readonly string[] = [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE];

export function checkSize(body: string | Uint8Array | undefined): void {
  if (body === undefined) return;
  const size = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
  if (size > BODY_BYTES_MAX) {
    throw tooLarge(`Request entity too large: limit is ${BODY_BYTES_MAX}`);
  }
}

export function bodyText(body: string | Uint8Array | undefined): string {
  checkSize(body);
  if (body === undefined) return '';
  return typeof body === 'string' ? body : new TextDecoder().decode(body);
}

export function mediaType(header: string | undefined): string {
  return (header ?? '').split(';')[0]!.trim().toLowerCase();
}

/** A YAML parser as a port, so that JSON clients (all official ones) do not pay for it. */
export type ParseYaml = (text: string) => unknown;

/** How the server shows a body that it cannot read: as it is when it looks like JSON, else in hexadecimal. */
export function summarize(text: string): string {
  if (text === '') return '<empty>';
  const shown = text.startsWith('{') ? text : Buffer.from(text).toString('hex');
  return shown.length > 1024 ? `${shown.slice(0, 1024)} ...` : shown;
}

export interface ParsedBody extends TextComplaints {
  readonly value: Draft;
}

/** What only the text of a body tells. */
export interface TextComplaints {
  /** `duplicate field "spec.replicas"` for every key that stands twice. */
  readonly duplicates: readonly string[];
  /** These complaints and those of unknown fields, as they come in the text. */
  readonly inOrder?: (complaints: readonly string[]) => readonly string[];
}

export const NO_COMPLAINTS: TextComplaints = { duplicates: [] };

/** The body of a create or update as JSON. An absent content type counts as JSON, as upstream. */
export function parseBody(
  text: string,
  contentType: string | undefined,
  options: { readonly parseYaml: ParseYaml; readonly kind: string },
): ParsedBody {
  const type = mediaType(contentType) || JSON_TYPE;
  if (type === JSON_TYPE) {
    const prefix = `the object provided is unrecognized (must be of type ${options.kind}): couldn't get version/kind; json parse error: `;
    const suffix = ` (${summarize(text)})`;
    const parsed = parseJsonText(text, prefix, suffix);
    if (!isDraftObject(parsed.value)) {
      const given = Array.isArray(parsed.value) ? 'array' : typeof parsed.value;
      throw badRequest(
        `${prefix}json: cannot unmarshal ${given} into Go value of type ${TYPE_META}${suffix}`,
      );
    }
    return parsed;
  }
  if (type === YAML_TYPE) {
    try {
      const { value, problem } = readYaml(text, options.parseYaml);
      const duplicate = problem?.replace(/^error converting YAML to JSON: /, '');
      return { value: value as Draft, duplicates: duplicate === undefined ? [] : [duplicate] };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw badRequest(`error converting YAML to JSON: ${message}`);
    }
  }
  throw unsupportedMediaType(BODY_TYPES);
}

/** YAML, and what a strict reader says of it where an easy one takes it: that keys stand twice. Throws what both say. */
export function readYaml(
  text: string,
  parseYaml: ParseYaml,
): { readonly value: unknown; readonly problem?: string } {
  try {
    return { value: parseYamlStrict(text) };
  } catch (error) {
    const value = parseYaml(text);
    return { value, problem: error instanceof Error ? error.message : String(error) };
  }
}

export function parseJsonText(text: string, errorPrefix: string, errorSuffix = ''): ParsedBody {
  const scan = scanJson(text);
  if (scan.tooDeep) throw badRequest(`${errorPrefix}exceeded max depth${errorSuffix}`);
  try {
    const value = scan.hasLongNumber ? parseWithBigInts(text) : (JSON.parse(text) as Draft);
    const { duplicates } = scan;
    return { value, duplicates, inOrder: (complaints) => inOrderOf(text, complaints) };
  } catch (error) {
    throw badRequest(`${errorPrefix}${goJsonError(text, error)}${errorSuffix}`);
  }
}

/** As Go says it: `invalid character 'x' looking for beginning of value`, `unexpected end of JSON input`. */
export function goJsonError(text: string, error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  const at = /position (\d+)/.exec(message);
  const position = Number(at?.[1] ?? 0);
  if (
    text.trim() === '' ||
    position >= text.length ||
    /end of JSON input|Unterminated/.test(message)
  ) {
    return 'unexpected end of JSON input';
  }
  const character = at === null ? text.trim()[0] : text[Number(at[1])];
  return `invalid character '${quoteCharacter(character ?? '')}' looking for beginning of ${
    /property name/.test(message) ? 'object key string' : 'value'
  }`;
}

/** As Go writes a character that cannot be shown. */
function quoteCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0x20 && (code < 0x7f || code > 0xa0)) return character;
  const digits = code.toString(16);
  return code < 0x80 ? `\\x${digits.padStart(2, '0')}` : `\\u${digits.padStart(4, '0')}`;
}

function parseWithBigInts(text: string): Draft {
  const revive = (
    _key: string,
    value: unknown,
    context?: { readonly source?: string },
  ): unknown => {
    const source = context?.source;
    if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) {
      return value;
    }
    return /^-?\d+$/.test(source) ? BigInt(source) : value;
  };
  return JSON.parse(text, revive) as Draft;
}

interface JsonScan {
  readonly tooDeep: boolean;
  readonly duplicates: string[];
  readonly hasLongNumber: boolean;
}

interface Frame {
  readonly keys: Set<string> | undefined;
  key: string;
  index: number;
}

/**
 * One pass over the text for what JSON.parse does not tell: depth, keys that stand twice in an object, and integers too
 * long for a double. Malformed text is left to JSON.parse.
 */
function scanJson(text: string, onKey?: (path: string, isRepeated: boolean) => void): JsonScan {
  const stack: Frame[] = [];
  const duplicates: string[] = [];
  let hasLongNumber = false;
  let expectKey = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) {
      const end = stringEnd(text, i);
      if (expectKey) {
        const isRepeated = noteKey(stack, text.slice(i + 1, end));
        if (isRepeated) duplicates.push(`duplicate field ${JSON.stringify(pathOf(stack))}`);
        onKey?.(pathOf(stack), isRepeated);
        expectKey = false;
      }
      i = end;
    } else if (c === 0x7b || c === 0x5b) {
      if (stack.length >= DEPTH_MAX) return { tooDeep: true, duplicates, hasLongNumber };
      stack.push({ keys: c === 0x7b ? new Set() : undefined, key: '', index: 0 });
      expectKey = c === 0x7b;
    } else if (c === 0x7d || c === 0x5d) {
      stack.pop();
      expectKey = false;
    } else if (c === 0x2c) {
      const top = stack[stack.length - 1];
      if (top !== undefined) top.index++;
      expectKey = top?.keys !== undefined;
    } else if (c >= 0x30 && c <= 0x39) {
      const start = i;
      while (isDigit(text.charCodeAt(i + 1))) i++;
      if (i - start >= 15) hasLongNumber = true;
    }
  }
  return { tooDeep: false, duplicates, hasLongNumber };
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function stringEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end > 0) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

/** Whether the object that is being read has the key already. */
function noteKey(stack: readonly Frame[], key: string): boolean {
  const frame = stack[stack.length - 1];
  if (frame?.keys === undefined) return false;
  frame.key = key;
  const isRepeated = frame.keys.has(key);
  frame.keys.add(key);
  return isRepeated;
}

function inOrderOf(text: string, complaints: readonly string[]): readonly string[] {
  const places = new Map<string, number>();
  scanJson(text, (path, isRepeated) => {
    const complaint = `${isRepeated ? 'duplicate' : 'unknown'} field ${JSON.stringify(path)}`;
    if (!places.has(complaint)) places.set(complaint, places.size);
  });
  const placeOf = (complaint: string): number => places.get(complaint) ?? places.size;
  return complaints.toSorted((left, right) => placeOf(left) - placeOf(right));
}

function pathOf(stack: readonly Frame[]): string {
  let path = '';
  for (const frame of stack) {
    if (frame.keys === undefined) path += `[${frame.index}]`;
    else path += path === '' ? frame.key : `.${frame.key}`;
  }
  return path;
}

const TYPE_META =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/** The parsed body must be an object that says what it is. */
export function requireObject(value: Draft): DraftObject {
  if (isDraftObject(value)) return value;
  throw badRequest('the body of the request must be an object');
}
