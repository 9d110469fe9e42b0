import { CapstanError } from '@capstan/lib-std';
import { Decoder, type NumberMode, type YamlValue } from './decode.ts';
import { YamlErrorCode, yamlError } from './errors.ts';
import { DEFAULT_LIMITS, type YamlLimits } from './limits.ts';
import type { YamlNode } from './node.ts';
import { NodeParser } from './node-parser.ts';

/**
 * All documents of a stream as go.yaml.in/yaml/v3's Decoder reads them into nodes, comments and positions kept. An empty
 * stream has none. Throws with Go's own text (`yaml: line 3: …`), code `YAML_SYNTAX`.
 */
export function parseDocuments(text: string, limits: Partial<YamlLimits> = {}): YamlNode[] {
  const bounds = { ...DEFAULT_LIMITS, ...limits };
  checkText(text, bounds);
  const parser = new NodeParser(text, 'v3', bounds);
  const documents: YamlNode[] = [];
  for (let node = parser.next(); node !== undefined; node = parser.next()) documents.push(node);
  return documents;
}

/**
 * The first document of `text` as go.yaml.in/yaml/v3 reads it; nothing when there is none. What comes after it is not
 * looked at, except for the few tokens that comments need.
 */
export function parseDocument(
  text: string,
  limits: Partial<YamlLimits> = {},
): YamlNode | undefined {
  const bounds = { ...DEFAULT_LIMITS, ...limits };
  checkText(text, bounds);
  return new NodeParser(text, 'v3', bounds).next();
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
    checkText(text, limits);
    const node = new NodeParser(text, 'v2', limits).next();
    if (node === undefined) return null;
    return new Decoder({
      numbers: options.numbers ?? 'json',
      strict,
      dialect: 'v2',
      limits,
    }).decode(node);
  } catch (error) {
    if (!(error instanceof CapstanError)) throw error;
    throw new CapstanError(error.code, `error converting YAML to JSON: ${error.message}`, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}

/** What `toYaml` reads back from the JSON it writes first. */
export function parseForMarshal(json: string): YamlValue {
  checkText(json, DEFAULT_LIMITS);
  const limits = DEFAULT_LIMITS;
  const node = new NodeParser(json, 'v2', limits).next();
  if (node === undefined) return null;
  return new Decoder({ numbers: 'json', strict: false, dialect: 'v2', limits }).decode(node);
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

function checkText(text: string, limits: YamlLimits): void {
  if (text.length > limits.lengthMax) {
    throw yamlError(
      `document of ${text.length} characters is longer than the ${limits.lengthMax} allowed`,
      YamlErrorCode.limit,
    );
  }
  if (FORBIDDEN.test(text)) throw yamlError('control characters are not allowed');
}
