import { regexTest } from '@capstan/lib-gotemplate';
import { FORMATS } from './formats.ts';
import { display, quoted, type SchemaError } from './schema-error.ts';

/** A schema as parsed JSON: a boolean or a mapping of keywords. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

export interface SchemaLimits {
  /** Schemas applied in one validation. */
  readonly stepsMax: number;
  /** Nested applications. */
  readonly depthMax: number;
}

export const SCHEMA_LIMITS: SchemaLimits = { stepsMax: 2_000_000, depthMax: 200 };

/** A schema that cannot be used: a reference that leads nowhere or outside, or a bound that was passed. */
export class SchemaFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SchemaFault';
  }
}

/**
 * Checks a value against a JSON schema (drafts 4 to 2020-12), with the failures in the words of the validator that helm
 * uses (santhosh-tekuri/jsonschema v6). References lead inside the schema only: nothing is ever fetched; a schema that
 * refers to itself without end, or is too deep, ends in SchemaFault.
 */
export function validateSchema(
  schema: JsonSchema,
  value: unknown,
  limits: SchemaLimits = SCHEMA_LIMITS,
): readonly SchemaError[] {
  const run = new SchemaRun(schema, limits);
  return flatten(run.check(schema, value, { path: [], depth: 0, active: [] }).errors);
}

interface Place {
  readonly path: readonly string[];
  readonly depth: number;
  /** Schemas being applied to this very value: meeting one again is an endless reference. */
  readonly active: readonly object[];
}

interface Outcome {
  readonly errors: readonly SchemaError[];
  /** Property names and item indexes that some keyword looked at. */
  readonly evaluated: ReadonlySet<string>;
}

type Keywords = { readonly [keyword: string]: unknown };

/** In the order in which the original names them. */
const TYPES = ['null', 'boolean', 'number', 'integer', 'string', 'array', 'object'];

const NOTHING: ReadonlySet<string> = new Set();

class SchemaRun {
  readonly #root: JsonSchema;
  readonly #limits: SchemaLimits;
  readonly #draft: number;
  readonly #patterns = new Map<string, (text: string) => boolean>();
  #steps = 0;

  constructor(root: JsonSchema, limits: SchemaLimits) {
    this.#root = root;
    this.#limits = limits;
    this.#draft = draftOf(root);
  }

  check(schema: JsonSchema, value: unknown, place: Place): Outcome {
    if (++this.#steps > this.#limits.stepsMax || place.depth > this.#limits.depthMax) {
      throw new SchemaFault('the schema is too deep or takes too many steps');
    }
    if (schema === true) return { errors: [], evaluated: NOTHING };
    if (schema === false) return failed(plain(place, 'false schema'));
    if (place.active.includes(schema)) {
      throw new SchemaFault('the schema refers to itself without end');
    }
    const here: Place = { ...place, depth: place.depth + 1, active: [...place.active, schema] };
    const early = this.#checkKind(schema, value, here);
    if (early !== null) return failed(early);
    const errors: SchemaError[] = [];
    const evaluated = new Set<string>();
    const add = (outcome: Outcome): void => {
      errors.push(...group(here, outcome.errors));
      if (outcome.errors.length === 0) for (const name of outcome.evaluated) evaluated.add(name);
    };
    const reference = this.#reference(schema, value, here);
    if (reference !== null) {
      if (this.#draft < 2019) return reference;
      add(reference);
    }
    if (Array.isArray(value)) this.#checkArray(schema, value, { here, errors, evaluated });
    else if (isObject(value)) this.#checkObject(schema, value, { here, errors, evaluated, add });
    else if (typeof value === 'string') errors.push(...this.#checkString(schema, value, here));
    else if (isNumber(value)) errors.push(...checkNumber(schema, value, here));
    this.#checkLogic(schema, value, { here, errors, evaluated, add });
    this.#checkUnevaluated(schema, value, { here, errors, evaluated });
    return { errors, evaluated };
  }

  #checkKind(schema: Keywords, value: unknown, place: Place): SchemaError | null {
    const types =
      schema['type'] === undefined
        ? []
        : TYPES.filter((type) => [schema['type']].flat().includes(type));
    const type = typeOf(value);
    const fits = types.includes(type) || (types.includes('integer') && isInteger(value));
    if (types.length > 0 && !fits) return plain(place, `got ${type}, want ${types.join(' or ')}`);
    if (Object.hasOwn(schema, 'const') && !isEqual(value, schema['const'])) {
      const wanted = schema['const'];
      const simple = typeof wanted !== 'object' || wanted === null;
      return plain(place, simple ? `value must be ${display(wanted)}` : "'const' failed");
    }
    const options = schema['enum'];
    if (Array.isArray(options) && !options.some((option) => isEqual(value, option))) {
      return plain(place, enumText(options));
    }
    const format = schema['format'];
    if (typeof format === 'string' && typeof value === 'string' && this.#draft < 2019) {
      const known = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
      const problem = known?.(value);
      if (problem !== undefined) {
        return plain(place, `${display(value)} is not valid ${format}: ${problem}`);
      }
    }
    return null;
  }

  #reference(schema: Keywords, value: unknown, place: Place): Outcome | null {
    const reference = schema['$ref'] ?? schema['$dynamicRef'] ?? schema['$recursiveRef'];
    if (typeof reference !== 'string') return null;
    const outcome = this.check(this.#resolve(reference), value, place);
    if (outcome.errors.length === 0) return outcome;
    return {
      errors: [
        {
          path: place.path,
          message: 'validation failed',
          causes: flatten(outcome.errors),
          kind: 'reference',
        },
      ],
      evaluated: NOTHING,
    };
  }

  #resolve(reference: string): JsonSchema {
    const hash = reference.indexOf('#');
    const document = hash < 0 ? reference : reference.slice(0, hash);
    const fragment = decodeURIComponent(hash < 0 ? '' : reference.slice(hash + 1));
    const base = document === '' ? this.#root : findById(this.#root, document);
    if (base === undefined) {
      throw new SchemaFault(
        `the schema refers to ${quoted(reference)}, which is not in it; references outside are not followed`,
      );
    }
    const found =
      fragment === '' || fragment.startsWith('/')
        ? atPointer(base, fragment)
        : findAnchor(base, fragment);
    if (found === undefined)
      throw new SchemaFault(`the schema refers to ${quoted(reference)}, which does not exist`);
    return found;
  }

  #checkObject(
    schema: Keywords,
    value: Keywords,
    run: Run & { readonly add: (outcome: Outcome) => void },
  ): void {
    const { here, errors, evaluated } = run;
    const names = Object.keys(value)
      .filter((name) => value[name] !== undefined)
      .sort();
    const limit = (keyword: string, wrong: (wanted: number) => boolean): void => {
      const wanted = schema[keyword];
      if (typeof wanted === 'number' && wrong(wanted)) {
        errors.push(plain(here, `${keyword}: got ${names.length}, want ${wanted}`));
      }
    };
    limit('minProperties', (wanted) => names.length < wanted);
    limit('maxProperties', (wanted) => names.length > wanted);
    const missing = strings(schema['required']).filter((name) => !Object.hasOwn(value, name));
    if (missing.length === 1) errors.push(plain(here, `missing property ${quoted(missing[0]!)}`));
    else if (missing.length > 1)
      errors.push(plain(here, `missing properties ${missing.map(quoted).join(', ')}`));
    this.#checkDependencies(schema, value, run);
    const additional: string[] = [];
    for (const name of names) {
      const found = this.#propertySchemas(schema, name);
      if (found === 'additional') {
        additional.push(name);
        continue;
      }
      for (const inner of found) {
        evaluated.add(name);
        errors.push(
          ...group(below(here, name), this.check(inner, value[name], below(here, name)).errors),
        );
      }
    }
    if (additional.length > 0) {
      errors.push(
        plain(here, `additional properties ${additional.map(quoted).join(', ')} not allowed`),
      );
    }
    const nameSchema = schema['propertyNames'];
    if (isSchema(nameSchema)) {
      for (const name of names) {
        const inner = this.check(nameSchema, name, { ...here, active: [] });
        if (inner.errors.length === 0) continue;
        const message = `invalid propertyName ${quoted(name)}`;
        errors.push({ path: here.path, message, causes: flatten(inner.errors), kind: 'plain' });
      }
    }
  }

  #propertySchemas(schema: Keywords, name: string): readonly JsonSchema[] | 'additional' {
    const found: JsonSchema[] = [];
    const own = keywords(schema['properties']);
    if (Object.hasOwn(own, name) && isSchema(own[name])) found.push(own[name]);
    for (const [pattern, inner] of Object.entries(keywords(schema['patternProperties']))) {
      if (isSchema(inner) && this.#pattern(pattern)(name)) found.push(inner);
    }
    if (found.length > 0) return found;
    const additional = schema['additionalProperties'];
    if (additional === false) return 'additional';
    return isSchema(additional) ? [additional] : [];
  }

  #checkDependencies(
    schema: Keywords,
    value: Keywords,
    run: Run & { readonly add: (outcome: Outcome) => void },
  ): void {
    const groups = ['dependencies', 'dependentSchemas', 'dependentRequired'];
    for (const [name, wanted] of groups.flatMap((keyword) =>
      Object.entries(keywords(schema[keyword])),
    )) {
      if (!Object.hasOwn(value, name)) continue;
      if (Array.isArray(wanted)) {
        const missing = strings(wanted).filter((other) => !Object.hasOwn(value, other));
        if (missing.length === 0) continue;
        const list = missing.map(quoted).join(', ');
        run.errors.push(plain(run.here, `properties ${list} required, if ${quoted(name)} exists`));
      } else if (isSchema(wanted)) run.add(this.check(wanted, value, run.here));
    }
  }

  #checkArray(schema: Keywords, value: readonly unknown[], { here, errors, evaluated }: Run): void {
    const limit = (keyword: string, wrong: (wanted: number) => boolean): void => {
      const wanted = schema[keyword];
      if (typeof wanted === 'number' && wrong(wanted)) {
        errors.push(plain(here, `${keyword}: got ${value.length}, want ${wanted}`));
      }
    };
    limit('minItems', (wanted) => value.length < wanted);
    limit('maxItems', (wanted) => value.length > wanted);
    if (schema['uniqueItems'] === true) errors.push(...duplicates(value, here));
    const prefix = [schema['prefixItems'], schema['items']].find(Array.isArray) ?? [];
    const rest = Array.isArray(schema['items']) ? schema['additionalItems'] : schema['items'];
    if (rest === false && Array.isArray(schema['items']) && value.length > prefix.length) {
      errors.push(
        plain(here, `last ${value.length - prefix.length} additionalItem(s) not allowed`),
      );
    }
    for (const [index, item] of value.entries()) {
      const inner: unknown = index < prefix.length ? prefix[index] : rest;
      if (!isSchema(inner) || (inner === false && Array.isArray(schema['items']))) continue;
      evaluated.add(String(index));
      const at = below(here, String(index));
      errors.push(...group(at, this.check(inner, item, at).errors));
    }
    this.#checkContains(schema, value, { here, errors, evaluated });
  }

  #checkContains(
    schema: Keywords,
    value: readonly unknown[],
    { here, errors, evaluated }: Run,
  ): void {
    const contains = schema['contains'];
    if (!isSchema(contains)) return;
    const failures: SchemaError[] = [];
    const matched: number[] = [];
    for (const [index, item] of value.entries()) {
      const at = below(here, String(index));
      const outcome = this.check(contains, item, at);
      if (outcome.errors.length > 0) failures.push(...group(at, outcome.errors));
      else matched.push(index);
    }
    if (this.#draft >= 2020) for (const index of matched) evaluated.add(String(index));
    const least = schema['minContains'];
    const most = schema['maxContains'];
    const found =
      matched.length === 0
        ? 'but none matched'
        : `but matched ${matched.length} items at ${matched.join(' ')}`;
    if (typeof least === 'number' && matched.length < least) {
      const message = `min ${least} items required to match contains schema, ${found}`;
      errors.push({ path: here.path, message, causes: failures, kind: 'plain' });
    } else if (least === undefined && matched.length === 0) {
      errors.push({
        path: here.path,
        message: 'no items match contains schema',
        causes: failures,
        kind: 'plain',
      });
    }
    if (typeof most === 'number' && matched.length > most) {
      errors.push(plain(here, `max ${most} items required to match contains schema, ${found}`));
    }
  }

  #checkString(schema: Keywords, value: string, here: Place): readonly SchemaError[] {
    const errors: SchemaError[] = [];
    const length = [...value].length;
    const { minLength, maxLength, pattern } = schema as Readonly<Record<string, unknown>>;
    if (typeof minLength === 'number' && length < minLength) {
      errors.push(plain(here, `minLength: got ${length}, want ${minLength}`));
    }
    if (typeof maxLength === 'number' && length > maxLength) {
      errors.push(plain(here, `maxLength: got ${length}, want ${maxLength}`));
    }
    if (typeof pattern === 'string' && !this.#pattern(pattern)(value)) {
      errors.push(plain(here, `${quoted(value)} does not match pattern ${quoted(pattern)}`));
    }
    return errors;
  }

  #checkLogic(
    schema: Keywords,
    value: unknown,
    run: Run & { readonly add: (outcome: Outcome) => void },
  ): void {
    const { here, errors, evaluated, add } = run;
    const test = (inner: JsonSchema): Outcome => this.check(inner, value, here);
    const not = schema['not'];
    if (isSchema(not) && test(not).errors.length === 0) errors.push(plain(here, "'not' failed"));
    const merge = (outcomes: readonly Outcome[]): void => {
      for (const outcome of outcomes) for (const name of outcome.evaluated) evaluated.add(name);
    };
    for (const keyword of ['allOf', 'anyOf', 'oneOf'] as const) {
      const inner = schemas(schema[keyword]);
      if (inner.length === 0) continue;
      const outcomes = inner.map(test);
      const passed = outcomes.filter((outcome) => outcome.errors.length === 0);
      merge(passed);
      const message = logicFailure(keyword, outcomes);
      if (message === null) continue;
      const causes = message.causes
        ? outcomes.flatMap((outcome) => group(here, outcome.errors))
        : [];
      errors.push({ path: here.path, message: message.text, causes, kind: 'plain' });
    }
    const condition = schema['if'];
    if (!isSchema(condition)) return;
    const outcome = test(condition);
    merge(outcome.errors.length === 0 ? [outcome] : []);
    const branch = schema[outcome.errors.length === 0 ? 'then' : 'else'];
    if (isSchema(branch)) add(test(branch));
  }

  #checkUnevaluated(schema: Keywords, value: unknown, { here, errors, evaluated }: Run): void {
    if (this.#draft < 2019) return;
    const keyword = Array.isArray(value) ? 'unevaluatedItems' : 'unevaluatedProperties';
    const inner = schema[keyword];
    if (!isSchema(inner) || typeof value !== 'object' || value === null) return;
    for (const [name, item] of Object.entries(value)) {
      if (evaluated.has(name)) continue;
      evaluated.add(name);
      const at = below(here, name);
      errors.push(...group(at, this.check(inner, item, at).errors));
    }
  }

  #pattern(source: string): (text: string) => boolean {
    let pattern = this.#patterns.get(source);
    if (pattern === undefined) {
      try {
        pattern = regexTest(source);
      } catch {
        throw new SchemaFault(`${quoted(source)} is not a valid pattern`);
      }
      this.#patterns.set(source, pattern);
    }
    return pattern;
  }
}

interface Run {
  readonly here: Place;
  readonly errors: SchemaError[];
  readonly evaluated: Set<string>;
}

function logicFailure(
  keyword: 'allOf' | 'anyOf' | 'oneOf',
  outcomes: readonly Outcome[],
): { readonly text: string; readonly causes: boolean } | null {
  const passed = outcomes.flatMap((outcome, index) => (outcome.errors.length === 0 ? [index] : []));
  if (keyword === 'allOf') {
    return passed.length === outcomes.length ? null : { text: "'allOf' failed", causes: true };
  }
  if (passed.length === 0) {
    return {
      text: keyword === 'anyOf' ? "'anyOf' failed" : "'oneOf' failed, none matched",
      causes: true,
    };
  }
  if (keyword === 'anyOf' || passed.length === 1) return null;
  return { text: `'oneOf' failed, subschemas ${passed[0]}, ${passed[1]} matched`, causes: false };
}

function checkNumber(
  schema: Keywords,
  value: number | bigint,
  here: Place,
): readonly SchemaError[] {
  const errors: SchemaError[] = [];
  const test = (keyword: string, wrong: (wanted: number) => boolean): void => {
    const wanted = schema[keyword];
    if (typeof wanted === 'number' && wrong(wanted)) {
      errors.push(plain(here, `${keyword}: got ${group3(value)}, want ${group3(wanted)}`));
    }
  };
  // Draft 4 writes exclusive bounds as booleans beside the bound.
  const exclusive = (keyword: string): boolean => schema[keyword] === true;
  test('minimum', (wanted) => (exclusive('exclusiveMinimum') ? value <= wanted : value < wanted));
  test('maximum', (wanted) => (exclusive('exclusiveMaximum') ? value >= wanted : value > wanted));
  test('exclusiveMinimum', (wanted) => value <= wanted);
  test('exclusiveMaximum', (wanted) => value >= wanted);
  test('multipleOf', (wanted) => !isMultiple(Number(value), wanted));
  return errors;
}

/**
 * The original prints numbers through an English printer: digits in groups of three, and from a million on as a power of ten.
 */
function group3(value: number | bigint): string {
  const number = Number(value);
  const [mantissa = '', exponent = ''] = number.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6)
    return number.toLocaleString('en-US', { maximumFractionDigits: 20 });
  const digits = `${Math.abs(power)}`
    .padStart(2, '0')
    .replace(/\d/g, (digit) => SUPERSCRIPTS[Number(digit)]!);
  return `${mantissa}×10${power < 0 ? '⁻' : ''}${digits}`;
}

const SUPERSCRIPTS = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];

function isMultiple(value: number, of: number): boolean {
  const quotient = value / of;
  return Math.abs(quotient - Math.round(quotient)) < 1e-9 * Math.max(1, Math.abs(quotient));
}

function duplicates(value: readonly unknown[], here: Place): readonly SchemaError[] {
  for (let i = 0; i < value.length; i++) {
    for (let j = i + 1; j < value.length; j++) {
      if (isEqual(value[i], value[j])) return [plain(here, `items at ${i} and ${j} are equal`)];
    }
  }
  return [];
}

function enumText(options: readonly unknown[]): string {
  if (options.some((option) => typeof option === 'object' && option !== null))
    return "'enum' failed";
  const shown = options.map(display);
  return shown.length === 1
    ? `value must be ${shown[0]}`
    : `value must be one of ${shown.join(', ')}`;
}

function failed(error: SchemaError): Outcome {
  return { errors: [error], evaluated: NOTHING };
}

function plain(place: Place, message: string): SchemaError {
  return { path: place.path, message, causes: [], kind: 'plain' };
}

/** Several failures of one inner schema are shown under one line. */
function group(place: Place, errors: readonly SchemaError[]): readonly SchemaError[] {
  if (errors.length < 2) return errors;
  return [{ path: place.path, message: 'validation failed', causes: errors, kind: 'group' }];
}

function flatten(errors: readonly SchemaError[]): readonly SchemaError[] {
  const only = errors.length === 1 ? errors[0] : undefined;
  return only?.kind === 'group' ? only.causes : errors;
}

function below(place: Place, name: string): Place {
  return { path: [...place.path, name], depth: place.depth, active: [] };
}

function draftOf(schema: JsonSchema): number {
  const id = typeof schema === 'object' ? schema['$schema'] : undefined;
  const match = typeof id === 'string' ? /draft-0?(\d+)|draft\/(\d{4})-/.exec(id) : null;
  return match === null ? 2020 : Number(match[1] ?? match[2]);
}

function atPointer(schema: JsonSchema, fragment: string): JsonSchema | undefined {
  let at: unknown = schema;
  for (const token of fragment.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = Reflect.get(at, name);
  }
  return isSchema(at) ? at : undefined;
}

function findAnchor(schema: JsonSchema, anchor: string): JsonSchema | undefined {
  return findSchema(schema, (found) => {
    const named = found['$anchor'] === anchor || found['$dynamicAnchor'] === anchor;
    return named || found['$id'] === `#${anchor}` || found['id'] === `#${anchor}`;
  });
}

function findById(schema: JsonSchema, id: string): JsonSchema | undefined {
  return findSchema(schema, (found) => [found['$id'], found['id']].some((own) => sameId(own, id)));
}

function sameId(own: unknown, id: string): boolean {
  if (typeof own !== 'string') return false;
  const clean = own.replace(/#$/, '');
  return clean === id || clean.endsWith(`/${id}`);
}

function findSchema(
  root: unknown,
  fits: (schema: Keywords) => boolean,
  depth = 0,
): JsonSchema | undefined {
  if (typeof root !== 'object' || root === null || depth > 200) return undefined;
  if (isObject(root) && fits(root)) return root;
  for (const inner of Object.values(root)) {
    const found = findSchema(inner, fits, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isObject(value: unknown): value is Keywords {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'boolean' || isObject(value);
}

function keywords(value: unknown): Keywords {
  return isObject(value) ? value : {};
}

function schemas(value: unknown): readonly JsonSchema[] {
  return Array.isArray(value) ? value.filter(isSchema) : [];
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function isInteger(value: unknown): boolean {
  return typeof value === 'bigint' || Number.isInteger(value);
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'bigint') return 'number';
  return typeof value;
}

function isEqual(a: unknown, b: unknown): boolean {
  if (isNumber(a) && isNumber(b)) return Number(a) === Number(b);
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => isEqual(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return a === b;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isEqual(a[name], b[name]))
  );
}
