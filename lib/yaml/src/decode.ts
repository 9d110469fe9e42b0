import { CapstanError } from '@capstan/lib-std';
import { YamlErrorCode, yamlError } from './errors.ts';
import { unsupported } from './go-json.ts';
import { formatFloat32 } from './go-number.ts';
import { type GoSyntaxOptions, goSyntax } from './go-syntax.ts';
import { compareBytes } from './key-order.ts';
import type { YamlLimits } from './limits.ts';
import { Style, shortTag, type YamlNode } from './node.ts';
import { type Resolved, resolvePlain, resolveTagged } from './resolve.ts';
import type { Dialect } from './scanner.ts';
import { formatTimestamp } from './timestamp.ts';

/** A JSON value. Integers that a double cannot hold exactly are bigints. */
export type YamlValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | YamlValue[]
  | { [key: string]: YamlValue };
export type YamlObject = { [key: string]: YamlValue };

/**
 * How numbers come back. `json`: numbers, and bigints for integers beyond 2^53. `float64`: always numbers, rounded, as
 * Go's JSON decoder makes them when nobody asks for more (Helm's values, `fromYaml`). `kinds`: every YAML integer is a
 * bigint and every float a number, the distinction that Go makes when it decodes YAML into `interface{}`.
 */
export type NumberMode = 'json' | 'float64' | 'kinds';

export interface DecodeOptions {
  readonly numbers: NumberMode;
  /** Whether a key that a mapping already has is an error. Always so in v3. */
  readonly strict: boolean;
  readonly dialect: Dialect;
  readonly limits: YamlLimits;
}

/** Below this many decoded nodes Go lets 99 of 100 come from aliases; from the second bound on only 10. */
const ALIAS_RANGE_LOW = 400_000;
const ALIAS_RANGE_HIGH = 4_000_000;

/** The original names every pair of equal keys; a thousand are enough. */
const TYPE_ERRORS_MAX = 1000;

/**
 * Turns nodes into values as Go's libraries decode them into `interface{}` and then into JSON: aliases are expanded (each
 * use is a value of its own), merge keys merged, keys made strings. Every bound of aliases is checked while it counts.
 */
export class Decoder {
  private readonly options: DecodeOptions;
  private readonly typeErrors: string[] = [];
  private readonly open = new Set<YamlNode>();
  private decoded = 0;
  private aliased = 0;
  private aliasDepth = 0;
  /** Objects with keys that JSON cannot hold. They only count when they are still part of the value at the end. */
  private readonly problems: Problem[] = [];
  /** How error texts show keys that are no strings. */
  private readonly shownKeys = new Map<object, Map<string, string>>();
  /** Whether a NaN or infinity was seen; a later key of the same name may have replaced it. */
  private hasNonFinite = false;

  constructor(options: DecodeOptions) {
    this.options = options;
  }

  decode(node: YamlNode): YamlValue {
    const root = node.kind === 'document' ? node.content[0] : node;
    if (node.kind === 'document') this.count();
    const value = root === undefined ? null : this.value(root);
    if (this.typeErrors.length > 0) {
      throw yamlError(`unmarshal errors:\n  ${this.typeErrors.join('\n  ')}`, YamlErrorCode.value);
    }
    if (this.problems.length > 0 && this.options.dialect === 'v2') this.reportProblem(value);
    if (this.problems.length > 0 || this.hasNonFinite) this.refuse(value);
    return value;
  }

  private reportProblem(value: YamlValue): void {
    const objects = new Set<YamlValue>();
    collectObjects(value, objects);
    for (const object of objects) {
      const problem = this.problems.findLast(({ target }) => target === object);
      if (problem !== undefined) throw problemError(problem);
    }
  }

  /** Throws what encoding/json says about the first part of the value that it cannot write. */
  private refuse(value: YamlValue): void {
    if (typeof value === 'number' && !Number.isFinite(value)) throw unsupported(value);
    if (typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) {
      for (const item of value) this.refuse(item);
      return;
    }
    const problem = this.problems.find(({ target }) => target === value);
    if (problem !== undefined) throw problemError(problem);
    for (const key of Object.keys(value).sort(compareBytes)) this.refuse(value[key] ?? null);
  }

  private count(): void {
    this.decoded++;
    if (this.aliasDepth === 0) return;
    this.aliased++;
    if (
      this.aliased > 100 &&
      this.decoded > 1000 &&
      this.aliased / this.decoded > allowedAliasRatio(this.decoded)
    ) {
      throw yamlError('document contains excessive aliasing', YamlErrorCode.limit);
    }
    if (this.aliased > this.options.limits.aliasNodesMax) {
      throw yamlError(
        `aliases expand to more than ${this.options.limits.aliasNodesMax} nodes`,
        YamlErrorCode.limit,
      );
    }
  }

  private value(node: YamlNode): YamlValue {
    this.count();
    switch (node.kind) {
      case 'scalar':
        return this.toJson(this.resolve(node));
      case 'mapping': {
        const target: YamlObject = {};
        this.mapping(node, { target, seen: new Set(), textKeys: hasStringKeys(node) });
        return target;
      }
      case 'sequence':
        return this.sequence(node);
      case 'alias':
        return this.throughAlias(node, (target) => this.value(target));
      default:
        return null;
    }
  }

  private throughAlias<T>(node: YamlNode, use: (target: YamlNode) => T): T {
    if (this.open.has(node)) {
      throw yamlError(`anchor '${node.value}' value contains itself`, YamlErrorCode.value);
    }
    this.open.add(node);
    this.aliasDepth++;
    const result = use(node.alias!);
    this.aliasDepth--;
    this.open.delete(node);
    return result;
  }

  private sequence(node: YamlNode): YamlValue[] {
    const items = new Array<YamlValue>(node.content.length);
    for (let i = 0; i < items.length; i++) items[i] = this.value(node.content[i]!);
    return items;
  }

  private resolve(node: YamlNode): Resolved {
    const { dialect } = this.options;
    const { tag, value } = node;
    if (tag === '!!str') return { tag, value };
    if ((node.style & Style.tagged) === 0) {
      if (dialect === 'v2' || tag === '') return resolvePlain(value, dialect);
    }
    const resolved = resolveTagged(tag, value, dialect);
    return tag === '!!binary' ? { tag, value: decodeBase64(value) } : resolved;
  }

  private toJson(resolved: Resolved): YamlValue {
    const { tag, value } = resolved;
    if (typeof value === 'number') {
      if (tag !== '!!float') return this.options.numbers === 'kinds' ? BigInt(value) : value;
      if (!Number.isFinite(value)) this.hasNonFinite = true;
      return value;
    }
    if (typeof value === 'bigint' && this.options.numbers === 'float64') return Number(value);
    if (tag === '!!timestamp' && this.options.dialect === 'v3' && typeof value === 'string') {
      return formatTimestamp(value);
    }
    return value;
  }

  /** Decodes entries. In v2 a merge takes effect where it stands; in v3 it fills what is missing. */
  private mapping(node: YamlNode, into: Target): void {
    const { content } = node;
    const { target } = into;
    const v3 = this.options.dialect === 'v3';
    if (v3) {
      if (this.reportDuplicates(node)) return;
      if (!into.textKeys) {
        this.problems.push({
          target,
          message: 'json: unsupported type: map[interface {}]interface {}',
        });
      }
    }
    let merge: YamlNode | undefined;
    for (let i = 0; i + 1 < content.length; i += 2) {
      const value = content[i + 1]!;
      if (!isMergeKey(content[i]!)) this.entry(content[i]!, value, into);
      else if (v3) merge = value;
      else this.merge(value, into);
    }
    if (merge === undefined) return;
    // The merge key counts among the keys that have precedence.
    into.seen.add('s<<');
    this.merge(merge, into);
  }

  private entry(keyNode: YamlNode, valueNode: YamlNode, into: Target): void {
    const { target, seen } = into;
    const v3 = this.options.dialect === 'v3';
    const key = v3 && into.textKeys ? this.textKey(keyNode) : this.key(keyNode);
    if (key === undefined) return;
    const known = seen.has(key.identity);
    // In v3 what was set before comes from a mapping with precedence; the value is not even decoded.
    if (v3 && known) return;
    const value = this.value(valueNode);
    if (known && this.options.strict) {
      const shown = key.unusable?.value === null ? '<nil>' : key.shown;
      this.typeErrors.push(`line ${valueNode.line}: key ${shown} already set in map`);
      return;
    }
    if (key.unusable !== undefined) {
      this.problems.push({ target, message: describeKey(key.unusable, value, this.shownKeys) });
    }
    seen.add(key.identity);
    if (!key.identity.startsWith('s')) {
      const shown = this.shownKeys.get(target) ?? new Map<string, string>();
      this.shownKeys.set(target, shown);
      shown.set(key.text, key.shown);
    }
    setProperty(target, key.text, value);
  }

  private merge(source: YamlNode, into: Target): void {
    if (source.kind !== 'sequence') {
      this.mergeOne(source, into);
      return;
    }
    const { content } = source;
    // Earlier ones take precedence: v3 keeps what is there, v2 writes over it and so goes backwards.
    if (this.options.dialect === 'v3') {
      for (const item of content) this.mergeOne(item, into);
    } else {
      for (let i = content.length - 1; i >= 0; i--) this.mergeOne(content[i]!, into);
    }
  }

  private mergeOne(source: YamlNode, into: Target): void {
    const mapping = source.kind === 'alias' ? source.alias : source;
    if (mapping?.kind !== 'mapping') {
      throw yamlError(
        'map merge requires map or sequence of maps as the value',
        YamlErrorCode.value,
      );
    }
    this.count();
    if (source.kind !== 'alias') {
      this.mapping(source, into);
      return;
    }
    this.throughAlias(source, (found) => {
      this.count();
      this.mapping(found, into);
    });
  }

  private reportDuplicates(node: YamlNode): boolean {
    const { content } = node;
    const groups = new Map<string, YamlNode[]>();
    for (let i = 0; i < content.length; i += 2) {
      const key = content[i]!;
      const identity = `${key.kind} ${key.value}`;
      const group = groups.get(identity);
      if (group === undefined) groups.set(identity, [key]);
      else group.push(key);
    }
    if (groups.size * 2 >= content.length) return false;
    const place = new Map(content.map((key, i) => [key, i]));
    const pairs: [YamlNode, YamlNode][] = [];
    for (const group of groups.values()) {
      for (let i = 0; i < group.length && pairs.length < TYPE_ERRORS_MAX; i++) {
        for (let j = i + 1; j < group.length; j++) pairs.push([group[i]!, group[j]!]);
      }
    }
    pairs.sort(([a, c], [b, d]) => place.get(a)! - place.get(b)! || place.get(c)! - place.get(d)!);
    for (const [first, again] of pairs.slice(0, TYPE_ERRORS_MAX)) {
      this.typeErrors.push(
        `line ${again.line}: mapping key ${goSyntax(again.value)} already defined at line ${first.line}`,
      );
    }
    return true;
  }

  /** A key's text in JSON, and what tells it from other keys: `1` and `"1"` are two keys to YAML. */
  private key(node: YamlNode): Key | undefined {
    this.count();
    const errors = this.typeErrors.length;
    if (node.kind === 'alias') return this.throughAlias(node, (target) => this.key(target));
    if (node.kind !== 'scalar') {
      const value = node.kind === 'mapping' ? this.collectionKey(node) : this.sequence(node);
      const textMaps = this.options.dialect === 'v3';
      if (textMaps && this.typeErrors.length > errors) return undefined;
      const shown = goSyntax(value, { textMaps, shownKeys: this.shownKeys });
      throw yamlError(`invalid map key: ${shown}`, YamlErrorCode.value);
    }
    const resolved = this.resolve(node);
    const { tag, value } = resolved;
    if (typeof value === 'string') {
      return { identity: `s${value}`, text: value, shown: goSyntax(value) };
    }
    const text = tag === '!!float' && typeof value === 'number' ? floatKey(value) : String(value);
    const shown = typeof value === 'number' || value === null ? goSyntax(value) : text;
    // Not a number is not equal to itself, as a key neither.
    const identity = Number.isNaN(value) ? `${tag}${node.line}:${node.column}` : tag + text;
    const key: Key = { identity, text, shown };
    const isUint64 = typeof value === 'bigint' && value >= 2n ** 63n;
    return value === null || isUint64 ? { ...key, unusable: resolved } : key;
  }

  /** A key of a map whose keys are strings by type: the text of any scalar but null. */
  private textKey(node: YamlNode): Key | undefined {
    this.count();
    if (node.kind === 'alias') return this.throughAlias(node, (target) => this.textKey(target));
    if (node.kind === 'scalar') {
      const { tag, value } = this.resolve(node);
      if (value === null) return undefined;
      const text = tag === '!!binary' && typeof value === 'string' ? value : node.value;
      return { identity: `s${text}`, text, shown: goSyntax(text) };
    }
    const tag = node.tag === '' ? (node.kind === 'mapping' ? '!!map' : '!!seq') : node.tag;
    const shown = tag === '!!map' || tag === '!!seq' ? tag : `${tag} \`\``;
    this.typeErrors.push(`line ${node.line}: cannot unmarshal ${shown} into string`);
    return undefined;
  }

  private collectionKey(node: YamlNode): YamlObject {
    const target: YamlObject = {};
    if (!hasStringKeys(node)) this.shownKeys.set(target, new Map());
    this.mapping(node, { target, seen: new Set(), textKeys: hasStringKeys(node) });
    return target;
  }
}

/** Where a mapping, and what it merges, is decoded to. */
interface Target {
  readonly target: YamlObject;
  readonly seen: Set<string>;
  /** In v3: whether all keys of the mapping itself are strings, which makes those that it merges strings too. */
  readonly textKeys: boolean;
}

interface Key {
  /** Tells keys apart that JSON would not: `1` and `"1"`. */
  readonly identity: string;
  readonly text: string;
  /** The key in an error text. */
  readonly shown: string;
  /** Set when JSON cannot hold the key. */
  readonly unusable?: Resolved;
}

interface Problem {
  readonly target: YamlObject;
  readonly message: string;
}

function collectObjects(value: YamlValue, into: Set<YamlValue>): void {
  if (typeof value !== 'object' || value === null) return;
  into.add(value);
  for (const item of Object.values(value)) collectObjects(item, into);
}

function describeKey(
  key: Resolved,
  value: YamlValue,
  shownKeys: GoSyntaxOptions['shownKeys'],
): string {
  const type = key.value === null ? '%!s(<nil>)' : 'uint64';
  const text = key.value === null ? '<nil>' : `0x${BigInt(key.value).toString(16)}`;
  const shown = value === null ? '<nil>' : goSyntax(value, { shownKeys: shownKeys ?? new Map() });
  return `unsupported map key of type: ${type}, key: ${text}, value: ${shown}`;
}

function problemError(problem: Problem): CapstanError {
  return new CapstanError(YamlErrorCode.value, problem.message, {
    hint: 'replace the key by a string',
  });
}

/** Sets an own property whatever its name: `__proto__` is a key like others. */
export function setProperty(target: YamlObject, name: string, value: YamlValue): void {
  if (name !== '__proto__') target[name] = value;
  else {
    Object.defineProperty(target, name, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
}

function allowedAliasRatio(decoded: number): number {
  if (decoded <= ALIAS_RANGE_LOW) return 0.99;
  if (decoded >= ALIAS_RANGE_HIGH) return 0.1;
  return 0.99 - (0.89 * (decoded - ALIAS_RANGE_LOW)) / (ALIAS_RANGE_HIGH - ALIAS_RANGE_LOW);
}

/** Whether a plain or so tagged `<<` stands as a key. */
function isMergeKey(key: YamlNode): boolean {
  if (key.kind !== 'scalar' || key.value !== '<<') return false;
  return key.tag === '' || key.tag === '!' || key.tag === '!!merge';
}

/** Whether v3 decodes the mapping into a map of strings, the only one that encoding/json takes. */
function hasStringKeys(node: YamlNode): boolean {
  for (let i = 0; i < node.content.length; i += 2) {
    const key = node.content[i]!;
    const target = key.kind === 'alias' ? key.alias : key;
    const tag = target === undefined ? '' : tagOf(target);
    if (tag !== '!!str' && tag !== '!!merge') return false;
  }
  return true;
}

function tagOf(node: YamlNode): string {
  if (node.tag !== '' && node.tag !== '!') return shortTag(node.tag);
  if (node.kind !== 'scalar') return '';
  return node.style === 0 ? resolvePlain(node.value, 'v3').tag : '!!str';
}

function floatKey(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  // Keys are printed with the precision of a float32, which is infinite where that is.
  if (!Number.isFinite(Math.fround(value))) return value > 0 ? '.inf' : '-.inf';
  return formatFloat32(value);
}

function decodeBase64(text: string): string {
  const plain = text.replace(/[\r\n]/g, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(plain)) {
    throw yamlError('!!binary value contains invalid base64 data', YamlErrorCode.value);
  }
  const octets = Uint8Array.from(atob(plain), (c) => c.charCodeAt(0));
  return decodeUtf8(octets);
}

/** UTF-8 as Go reads it: every octet that is part of nothing valid becomes U+FFFD. */
function decodeUtf8(octets: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let text = '';
  let at = 0;
  while (at < octets.length) {
    const lead = octets[at]!;
    const width = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    try {
      text += decoder.decode(octets.subarray(at, at + width));
      at += width;
    } catch {
      text += '\ufffd';
      at++;
    }
  }
  return text;
}
