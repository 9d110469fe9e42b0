import {
  ANY,
  type CallContext,
  DICT,
  ExecError,
  GoError,
  GoFunc,
  type GoImplementation,
  GoNil,
  type GoType,
  type GoValue,
  goJson,
  LIST,
  LimitError,
  parseJson,
  quote,
  STRING,
} from '@capstan/lib-gotemplate';
import { parseYaml, toYaml } from '@capstan/lib-yaml';
import { durationFunctions } from './duration-functions.ts';
import { plainValue } from './plain-value.ts';
import { prettyYaml } from './pretty-yaml.ts';
import { fromToml, GoPanic, toToml } from './toml.ts';

/** Answers `lookup`: an object, a list of objects when `name` is '', or {} when there is none. */
export type Lookup = (query: {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}) => GoValue;

/** What the functions of one render share; handed to the template engine as its host. */
export interface RenderHost {
  /** How often each named template is open: endless recursion ends in an error, not in a crash. */
  readonly included: Map<string, number>;
  readonly lookup: Lookup | null;
  /** Lint: what `required` and `fail` would refuse goes through. */
  readonly lint: boolean;
}

const INCLUDE_DEPTH_MAX = 1000;
const WARN_START = 'HELM_ERR_START';
const WARN_END = 'HELM_ERR_END';

/** The message of `required` or `fail` inside an error text; undefined when there is none. */
export function warningIn(message: string): string | undefined {
  return new RegExp(`${WARN_START}(.*)${WARN_END}`, 's').exec(message)?.[1];
}

/** The functions that Helm adds to Sprig's (helm's documentation, "Template Function List"). */
export function helmFunctions(): readonly (readonly [string, GoFunc])[] {
  const text = (call: (value: GoValue) => GoValue): GoImplementation => {
    return (_context, [value]) => call(value);
  };
  return [
    define('include', [STRING, ANY], '(string, error)', include),
    define('tpl', [STRING, ANY], '(string, error)', renderInline),
    define('required', [STRING, ANY], '(interface {}, error)', required),
    define('fail', [STRING], '(string, error)', fail),
    define('lookup', [STRING, STRING, STRING, STRING], '(map[string]interface {}, error)', lookUp),
    define('getHostByName', [STRING], 'string', () => ''),
    define('toYaml', [ANY], 'string', text(yamlText)),
    define('mustToYaml', [ANY], 'string', text(yamlText)),
    define('fromYaml', [STRING], 'map[string]interface {}', text(fromYaml)),
    define('fromYamlArray', [STRING], '[]interface {}', text(fromYamlArray)),
    define('toJson', [ANY], 'string', text(jsonText)),
    define('mustToJson', [ANY], 'string', text(jsonText)),
    define('fromJson', [STRING], 'map[string]interface {}', text(fromJson)),
    define('fromJsonArray', [STRING], '[]interface {}', text(fromJsonArray)),
    define('toToml', [ANY], 'string', text(tomlText)),
    define('mustToToml', [ANY], 'string', text(toToml)),
    define('fromToml', [STRING], 'map[string]interface {}', text(readToml)),
    ...durationFunctions(),
    define('toYamlPretty', [ANY], 'string', text(quietlyPretty)),
  ];
}

function define(
  name: string,
  params: readonly GoType[],
  results: string,
  call: GoImplementation,
): readonly [string, GoFunc] {
  return [name, new GoFunc({ params, results }, call)];
}

function hostOf(context: CallContext): RenderHost {
  return context.host as RenderHost;
}

function include(context: CallContext, [given, data]: GoValue[]): GoValue {
  const name = String(given);
  const { included } = hostOf(context);
  const open = included.get(name) ?? 0;
  if (open > INCLUDE_DEPTH_MAX) {
    throw new GoError(
      `rendering template has a nested reference name: ${name}: unable to execute template`,
    );
  }
  included.set(name, open + 1);
  try {
    return context.render(name, data);
  } finally {
    included.set(name, open);
  }
}

function renderInline(context: CallContext, [given, data]: GoValue[]): GoValue {
  const text = String(given);
  try {
    return context.renderText('gotpl', text, data).replaceAll('<no value>', '');
  } catch (error) {
    if (!(error instanceof GoError) || error instanceof LimitError) throw error;
    const doing =
      error instanceof ExecError
        ? 'error during tpl function execution for'
        : 'cannot parse template';
    throw new GoError(`${doing} ${quote(text)}: ${error.message}`);
  }
}

function required(context: CallContext, [message, value]: GoValue[]): GoValue {
  if (value !== null && value !== undefined && value !== '') return value;
  if (hostOf(context).lint) return '';
  throw new GoError(`${WARN_START}${String(message)}${WARN_END}`);
}

function fail(context: CallContext, [message]: GoValue[]): GoValue {
  if (hostOf(context).lint) return '';
  throw new GoError(`${WARN_START}${String(message)}${WARN_END}`);
}

function lookUp(context: CallContext, args: GoValue[]): GoValue {
  const { lookup } = hostOf(context);
  if (lookup === null) return {};
  const [apiVersion = '', kind = '', namespace = '', name = ''] = args.map(String);
  return lookup({ apiVersion, kind, namespace, name });
}

/** Errors are swallowed inside of a template, as the original does. */
function yamlText(value: GoValue): string {
  try {
    return toYaml(plainValue(value)).replace(/\n$/, '');
  } catch {
    return '';
  }
}

function jsonText(value: GoValue): string {
  try {
    return goJson(value);
  } catch {
    return '';
  }
}

function fromYaml(text: GoValue): GoValue {
  return readAs(text, 'map', (source) => parseYaml(source, { numbers: 'float64' }), YAML_PREFIX);
}

function fromYamlArray(text: GoValue): GoValue {
  return readAs(text, 'array', (source) => parseYaml(source, { numbers: 'float64' }), YAML_PREFIX);
}

function fromJson(text: GoValue): GoValue {
  return isJsonNull(text) ? new GoNil(DICT) : readAs(text, 'map', parseJson, '');
}

function fromJsonArray(text: GoValue): GoValue {
  return isJsonNull(text) ? new GoNil(LIST) : readAs(text, 'array', parseJson, '');
}

/** JSON's null makes the map or list nil; YAML's leaves it empty. */
function isJsonNull(text: GoValue): boolean {
  return String(text).trim() === 'null';
}

/** The original gives the error's text for the value that cannot be written. */
function tomlText(value: GoValue): string {
  try {
    return toToml(value);
  } catch (error) {
    if (error instanceof GoPanic) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}

function readToml(text: GoValue): GoValue {
  try {
    return fromToml(String(text));
  } catch (error) {
    return { Error: error instanceof Error ? error.message : String(error) };
  }
}

function quietlyPretty(value: GoValue): string {
  try {
    return prettyYaml(value);
  } catch {
    return '';
  }
}

const YAML_PREFIX = 'error unmarshaling JSON: while decoding JSON: ';

function readAs(
  text: GoValue,
  wanted: 'map' | 'array',
  read: (source: string) => GoValue,
  prefix: string,
): GoValue {
  const failed = (message: string): GoValue => (wanted === 'map' ? { Error: message } : [message]);
  let value: GoValue;
  try {
    value = read(String(text));
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
  if (value === null || value === undefined) return wanted === 'map' ? {} : [];
  const found = Array.isArray(value)
    ? 'array'
    : typeof value === 'object'
      ? 'map'
      : scalarKind(value);
  if (found === wanted) return value;
  const target = wanted === 'map' ? 'map[string]interface {}' : '[]interface {}';
  const kind = found === 'map' ? 'object' : found;
  return failed(`${prefix}json: cannot unmarshal ${kind} into Go value of type ${target}`);
}

function scalarKind(value: GoValue): string {
  return typeof value === 'boolean' ? 'bool' : typeof value === 'bigint' ? 'number' : typeof value;
}
