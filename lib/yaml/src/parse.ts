import { CapstanError } from '@capstan/lib-std';
import { Decoder, type NumberMode, type YamlValue } from './decode.ts';
import { YamlErrorCode, yamlError } from './errors.ts';
import { FastNodes } from './fast-nodes.ts';
import { FULL_SCAN, suitsFastReader } from './fast-reader.ts';
import { FastValues } from './fast-values.ts';
import { DEFAULT_LIMITS, type YamlLimits } from './limits.ts';
import type { YamlNode } from './node.ts';
import { NodeParser } from './node-parser.ts';
import type { Dialect } from './scanner.ts';

/**
 * All documents of a stream as go.yaml.in/yaml/v3's Decoder reads them into nodes, comments and positions kept. An empty
 * stream has none. Throws with Go's own text (`yaml: line 3: …`), code `YAML_SYNTAX`.
 */
export function parseDocuments(text: string, limits: Partial<YamlLimits> = {}): YamlNode[] {
  return readNodes(text, { ...DEFAULT_LIMITS, ...limits }, Number.POSITIVE_INFINITY);
}

/**
 * The first document of `text` as go.yaml.in/yaml/v3 reads it; nothing when there is none. What comes after it is not
 * looked at, except for the few tokens that comments need.
 */
export function parseDocument(
  text: string,
  limits: Partial<YamlLimits> = {},
): YamlNode | undefined {
  return readNodes(text, { ...DEFAULT_LIMITS, ...limits }, 1)[0];
}

function readNodes(text: string, limits: YamlLimits, count: number): YamlNode[] {
  checkLength(text, limits);
  let documents: YamlNode[] = [];
  let rest = text;
  let line: number | undefined;
  if (suitsFastReader(text)) {
    const fast = new FastNodes(`${text}\0`).read(count);
    documents = fast.documents;
    if (documents.length > 0) {
      if (fast.index >= text.length) return documents;
      rest = text.slice(fast.index);
      line = fast.line;
    }
  } else rest = readableText(text, 'v3', limits, count);
  const parser = new NodeParser(rest, 'v3', limits, line);
  if (documents.length >= count) parser.lookAhead();
  while (documents.length < count) {
    const node = parser.next();
    if (node === undefined) break;
    documents.push(node);
  }
  return documents;
}

export interface ParseOptions {
  readonly numbers?: NumberMode;
  readonly limits?: Partial<YamlLimits>;
}

/**
 * The first document of `text` as sigs.k8s.io/yaml v1.6.0 unmarshals it (go.yaml.in/yaml/v2, then JSON): YAML 1.1
 * booleans, octal and binary integers, merge keys, keys turned into strings, the last of equal keys. Timestamps stay
 * text; `.inf` and `.nan` are errors, since JSON has none. An empty text is null. Throws with that library's text.
 */
export function parseYaml(text: string, options: ParseOptions = {}): YamlValue {
  return unmarshal(text, options, false);
}

/** As `parseYaml`, but a key that stands twice in a mapping is an error, as with UnmarshalStrict. */
export function parseYamlStrict(text: string, options: ParseOptions = {}): YamlValue {
  return unmarshal(text, options, true);
}

function unmarshal(text: string, options: ParseOptions, strict: boolean): YamlValue {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  try {
    return readValue(text, options.numbers ?? 'json', strict, limits);
  } catch (error) {
    if (!(error instanceof CapstanError)) throw error;
    throw new CapstanError(error.code, `error converting YAML to JSON: ${error.message}`, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}

function readValue(
  text: string,
  numbers: NumberMode,
  strict: boolean,
  limits: YamlLimits,
): YamlValue {
  checkLength(text, limits);
  let readable = text;
  if (suitsFastReader(text)) {
    try {
      return new FastValues(`${text}\0`, numbers, strict).read();
    } catch (error) {
      if (error !== FULL_SCAN) throw error;
    }
  } else readable = readableText(text, 'v2', limits, 1);
  const node = new NodeParser(readable, 'v2', limits).next();
  if (node === undefined) return null;
  return new Decoder({ numbers, strict, dialect: 'v2', limits }).decode(node);
}

/** What `toYaml` reads back from the JSON it writes first. */
export function parseForMarshal(json: string): YamlValue {
  return readValue(json, 'json', false, DEFAULT_LIMITS);
}

/**
 * A node as go.yaml.in/yaml/v3 decodes it into `interface{}` and encoding/json then writes it: YAML 1.2 booleans, equal
 * keys are an error, timestamps become RFC 3339 text.
 */
export function nodeToValue(node: YamlNode, options: ParseOptions = {}): YamlValue {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  return new Decoder({
    numbers: options.numbers ?? 'json',
    strict: true,
    dialect: 'v3',
    limits,
  }).decode(node);
}

// What YAML text may not hold: control characters other than tab, line feed, return and NEL; lone surrogates.
const FORBIDDEN =
  /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** How many octets Go's reader decodes at a time. */
const CHUNK = 512;

/**
 * The text itself, or, when a forbidden character comes after all that is asked for (`count` documents), what stands
 * before it. Go meets such a character when it reads the chunk that holds it, and errors of the YAML before that chunk
 * come first.
 */
function readableText(text: string, dialect: Dialect, limits: YamlLimits, count: number): string {
  const at = text.search(FORBIDDEN);
  if (at < 0) return text;
  const chunkStart = at - (new TextEncoder().encode(text.slice(0, at)).length % CHUNK);
  const before = text.slice(0, Math.max(chunkStart, 0));
  if (before !== '') {
    const parser = new NodeParser(before, dialect, limits);
    try {
      for (let i = 0; i < count && parser.next() !== undefined; i++);
    } catch (error) {
      if (!parser.atEnd) throw error;
    }
    if (!parser.atEnd) return before;
  }
  throw yamlError('control characters are not allowed');
}

function checkLength(text: string, limits: YamlLimits): void {
  if (text.length <= limits.lengthMax) return;
  throw yamlError(
    `document of ${text.length} characters is longer than the ${limits.lengthMax} allowed`,
    YamlErrorCode.limit,
  );
}
