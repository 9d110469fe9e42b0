import { YamlErrorCode, yamlError } from './errors.ts';
import { formatFloat32 } from './go-number.ts';
import { goSyntax } from './go-syntax.ts';
import type { YamlLimits } from './limits.ts';
import { Style, type YamlNode } from './node.ts';
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
  /** The first value or key that JSON cannot hold; it only counts when the YAML itself was sound. */
  private jsonProblem = '';

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
    if (this.jsonProblem !== '') throw yamlError(this.jsonProblem, YamlErrorCode.value);
    return value;
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
        this.mapping(node, target, new Set());
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
      if (!Number.isFinite(value)) {
        const text = Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
        if (this.jsonProblem === '') this.jsonProblem = `json: unsupported value: ${text}`;
      }
      return value;
    }
    if (typeof value === 'bigint' && this.options.numbers === 'float64') return Number(value);
    if (tag === '!!timestamp' && this.options.dialect === 'v3' && typeof value === 'string') {
      return formatTimestamp(value);
    }
    return value;
  }

  /** Decodes entries into `target`. In v2 a merge takes effect where it stands; in v3 it fills what is missing. */
  private mapping(node: YamlNode, target: YamlObject, seen: Set<string>): void {
    const { content } = node;
    const v3 = this.options.dialect === 'v3';
    if (v3 && this.reportDuplicates(node)) return;
    let merge: YamlNode | undefined;
    for (let i = 0; i + 1 < content.length; i += 2) {
      const key = content[i]!;
      const value = content[i + 1]!;
      if (isMergeKey(key)) {
        if (v3) merge = value;
        else this.merge(value, target, seen);
        continue;
      }
      const { identity, text, unusable } = this.key(key);
      const known = seen.has(identity);
      // In v3 what was set before comes from a mapping with precedence; the value is not even decoded.
      if (v3 && known) continue;
      const decoded = this.value(value);
      if (unusable !== undefined) this.reportKey(unusable, decoded);
      if (known && this.options.strict) {
        this.typeErrors.push(`line ${value.line}: key ${goSyntax(text)} already set in map`);
        continue;
      }
      seen.add(identity);
      setProperty(target, text, decoded);
    }
    if (merge !== undefined) this.merge(merge, target, seen);
  }

  private merge(source: YamlNode, target: YamlObject, seen: Set<string>): void {
    if (source.kind !== 'sequence') {
      this.mergeOne(source, target, seen);
      return;
    }
    const { content } = source;
    // Earlier ones take precedence: v3 keeps what is there, v2 writes over it and so goes backwards.
    if (this.options.dialect === 'v3') {
      for (const item of content) this.mergeOne(item, target, seen);
    } else {
      for (let i = content.length - 1; i >= 0; i--) this.mergeOne(content[i]!, target, seen);
    }
  }

  private mergeOne(source: YamlNode, target: YamlObject, seen: Set<string>): void {
    const mapping = source.kind === 'alias' ? source.alias : source;
    if (mapping?.kind !== 'mapping') {
      throw yamlError(
        'map merge requires map or sequence of maps as the value',
        YamlErrorCode.value,
      );
    }
    this.count();
    if (source.kind !== 'alias') {
      this.mapping(source, target, seen);
      return;
    }
    this.throughAlias(source, (found) => {
      this.count();
      this.mapping(found, target, seen);
    });
  }

  private reportDuplicates(node: YamlNode): boolean {
    const { content } = node;
    const firsts = new Map<string, YamlNode>();
    let found = false;
    for (let i = 0; i < content.length; i += 2) {
      const key = content[i]!;
      const identity = `${key.kind} ${key.value}`;
      const first = firsts.get(identity);
      if (first === undefined) {
        firsts.set(identity, key);
        continue;
      }
      found = true;
      this.typeErrors.push(
        `line ${key.line}: mapping key ${goSyntax(key.value)} already defined at line ${first.line}`,
      );
    }
    return found;
  }

  /** A key's text in JSON, and what tells it from other keys: `1` and `"1"` are two keys to YAML. */
  private key(node: YamlNode): { identity: string; text: string; unusable?: Resolved } {
    this.count();
    if (node.kind === 'alias') return this.throughAlias(node, (target) => this.key(target));
    if (node.kind !== 'scalar') {
      const value = node.kind === 'mapping' ? this.collectionKey(node) : this.sequence(node);
      throw yamlError(`invalid map key: ${goSyntax(value)}`, YamlErrorCode.value);
    }
    const resolved = this.resolve(node);
    const { tag, value } = resolved;
    if (typeof value === 'string') return { identity: `s${value}`, text: value };
    const text = tag === '!!float' && typeof value === 'number' ? floatKey(value) : String(value);
    const identity = `${tag}${text}`;
    const isUint64 = typeof value === 'bigint' && value >= 2n ** 63n;
    if (value === null || isUint64) return { identity, text, unusable: resolved };
    return { identity, text };
  }

  private collectionKey(node: YamlNode): YamlObject {
    const target: YamlObject = {};
    this.mapping(node, target, new Set());
    return target;
  }

  private reportKey(key: Resolved, value: YamlValue): void {
    if (this.jsonProblem !== '') return;
    const type = key.value === null ? '%!s(<nil>)' : 'uint64';
    const text = key.value === null ? '<nil>' : `0x${BigInt(key.value).toString(16)}`;
    this.jsonProblem = `unsupported map key of type: ${type}, key: ${text}, value: ${goSyntax(value)}`;
  }
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

function floatKey(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  return formatFloat32(value);
}

function decodeBase64(text: string): string {
  const plain = text.replace(/[\r\n]/g, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(plain)) {
    throw yamlError('!!binary value contains invalid base64 data', YamlErrorCode.value);
  }
  const binary = atob(plain);
  return new TextDecoder().decode(Uint8Array.from(binary, (c) => c.charCodeAt(0)));
}
