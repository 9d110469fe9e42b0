import { formatFloat, type YamlValue } from '@capstan/lib-yaml';
import type { BuildContext } from './context.ts';
import { BuildFailure, failure, withPrefix } from './failure.ts';
import { lookup, parseInteger, splitPathWithBrackets } from './field-path.ts';
import { applyFieldSpec } from './field-spec-filter.ts';
import type { VarEntry } from './kustomization.ts';
import { isStringValue, type KNode } from './node.ts';
import { toValue } from './node-value.ts';
import { compareText, gvkText, type ResId, sameGvk, sameId, splitApiVersion } from './res-id.ts';
import type { ResourceSet } from './resource-set.ts';
import type { TransformerConfig } from './transformer-config.ts';

/** A var, with its defaults filled in. */
export interface Var {
  readonly name: string;
  readonly target: ResId;
  readonly fieldPath: string;
  readonly file: number;
  /** The var and its path as they were written, for messages. */
  readonly written: string;
  readonly writtenPath: string;
}

export function readVar(entry: VarEntry, file: number): Var {
  const {
    apiVersion = '',
    group = '',
    version = '',
    kind = '',
    name = '',
    namespace = '',
  } = entry.objref ?? {};
  const parts = splitApiVersion(apiVersion);
  const slashes = apiVersion.split('/').length - 1;
  const writtenPath = entry.fieldref?.fieldPath ?? '';
  const target: ResId = {
    group: apiVersion !== '' && slashes === 1 ? parts.group : group,
    version: apiVersion !== '' && slashes <= 1 ? parts.version : version,
    kind,
    name,
    namespace,
    clusterScoped: false,
  };
  return {
    name: entry.name ?? '',
    target,
    fieldPath: writtenPath || 'metadata.name',
    file,
    written: `{${entry.name ?? ''} ${gvkText({ group, version, kind })} {${writtenPath}}}`,
    writtenPath,
  };
}

/** A var as Go prints it. */
function varText({ name, target }: Var, fieldPath: string): string {
  return `{${name} ${gvkText(target)} {${fieldPath}}}`;
}

/** The vars of one accumulation, by name. */
export class VarSet {
  readonly #vars = new Map<string, Var>();

  get list(): readonly Var[] {
    return [...this.#vars.values()].sort((a, b) => compareText(a.name, b.name));
  }

  add(list: Iterable<Var>): void {
    for (const entry of list) {
      if (this.#vars.has(entry.name)) throw failure(`var '${entry.name}' already encountered`);
      this.#vars.set(entry.name, entry);
    }
  }
}

/** Marks the resource that each var reads from; it is found by the ids it has at this layer. */
export function markVarSources(vars: readonly Var[], resources: ResourceSet): void {
  for (const entry of vars) {
    const { target } = entry;
    const matches = (id: ResId) =>
      target.namespace !== '' ? sameId(target, id) : id.name === target.name && sameGvk(id, target);
    const found = resources.matchingAnyId(target.name, matches);
    if (found.length > 1) {
      throw failure(
        `found ${found.length} resId matches for var ${varText(entry, entry.writtenPath)} (unable to disambiguate)`,
      );
    }
    const resource = found[0];
    if (resource !== undefined) resource.refVarNames = [...resource.refVarNames, entry.name];
  }
}

type VarValue = string | number | boolean;

interface Found {
  readonly value: VarValue | undefined;
  /** What stands in the field when it is no value of a var, as Go prints type and value. */
  readonly odd?: string;
  readonly file: number;
  readonly line: number;
}

/** Replaces `$(NAME)` in the fields that may hold vars. */
export function resolveVars(
  resources: ResourceSet,
  vars: VarSet,
  config: TransformerConfig,
  context: BuildContext,
): void {
  const values = new Map<string, Found>();
  for (const entry of vars.list) values.set(entry.name, readValue(entry, resources));
  if (values.size === 0) return;
  const used = new Set<string>();
  const replace = (node: KNode) => replaceIn(node, { values, used, context });
  for (const resource of resources.list) {
    for (const spec of config.varReference) applyFieldSpec(resource, spec, { set: replace });
  }
  const unused = [...values.keys()].filter((name) => !used.has(name));
  if (unused.length > 0) {
    context.warn(
      `well-defined vars that were never replaced: ${unused.join(',')}`,
      'KUSTOMIZE_LOGGED',
    );
  }
}

function readValue(entry: Var, resources: ResourceSet): Found {
  const resource = resources.list.find((known) => known.refVarNames.includes(entry.name));
  if (resource === undefined) {
    throw failure(
      `var '${varText(entry, entry.fieldPath)}' cannot be mapped to a field in the set of known resources`,
    );
  }
  const path = splitPathWithBrackets(entry.fieldPath, '.').flatMap((part) => {
    const index = /^(.*)\[(\d+)\]$/s.exec(part);
    if (index === null) return [part];
    return index[1] === '' ? [index[2]!] : [index[1]!, index[2]!];
  });
  let node: KNode | undefined;
  try {
    node = lookup(resource.node, path);
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
  }
  const value = node === undefined ? undefined : varValue(node);
  if (node === undefined || value === null) {
    throw failure(
      `field specified in var '${varText(entry, entry.fieldPath)}' not found in corresponding resource`,
    );
  }
  const odd = value === undefined ? { odd: goDescription(node) } : {};
  return { value, ...odd, file: node.file, line: node.line };
}

/** The value of a field: undefined for what cannot be put into a text, null for what cannot be read. */
function varValue(node: KNode): VarValue | undefined | null {
  if (node.kind !== 'scalar') return undefined;
  switch (node.tag) {
    case '!!int':
      return parseInteger(node.value) ?? null;
    case '!!float': {
      const value = Number(node.value.replace(/^\+?\.inf$/i, 'Infinity'));
      return Number.isNaN(value) ? null : value;
    }
    case '!!bool':
      if (/^(?:1|t|T|TRUE|true|True)$/.test(node.value)) return true;
      return /^(?:0|f|F|FALSE|false|False)$/.test(node.value) ? false : null;
    default:
      return node.value;
  }
}

function goDescription(node: KNode): string {
  const type = node.kind === 'sequence' ? '[]interface {}' : 'map[string]interface {}';
  return `type=${type} val=${goPlain(toValue(node))}`;
}

/** A value as Go prints it with `%v`. */
function goPlain(value: YamlValue): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goPlain).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const keys = Object.keys(value).sort(compareText);
  return `map[${keys.map((key) => `${key}:${goPlain(value[key]!)}`).join(' ')}]`;
}

interface Replacing {
  readonly values: ReadonlyMap<string, Found>;
  readonly used: Set<string>;
  readonly context: BuildContext;
}

function replaceIn(node: KNode, replacing: Replacing): void {
  if (node.tag === '!!null') return;
  const { content } = node;
  switch (node.kind) {
    case 'scalar':
      if (isStringValue(node)) replaceScalar(node, replacing);
      return;
    case 'mapping':
      for (let i = 0; i + 1 < content.length; i += 2) {
        const key = content[i]!;
        if (!isStringValue(key)) {
          throw failure(`invalid map key: value='${key.value}', tag='${key.tag}'`);
        }
        if (isStringValue(content[i + 1])) replaceScalar(content[i + 1]!, replacing);
      }
      return;
    case 'sequence':
      for (const item of content) {
        if (!isStringValue(item)) throw failure('invalid value type expect a string');
        replaceScalar(item, replacing);
      }
      return;
    default:
      throw failure(`invalid type encountered ${node.kind}`);
  }
}

function replaceScalar(node: KNode, replacing: Replacing): void {
  const value = expand(node.value, replacing);
  if (typeof value === 'string') {
    replacing.context.countReplaced(value === node.value ? 0 : value.length);
    node.tag = '!!str';
    node.value = value;
  } else if (typeof value === 'boolean') {
    node.tag = '!!bool';
    node.value = String(value);
  } else {
    node.tag = Number.isInteger(value) ? '!!int' : '!!float';
    node.value = String(value);
  }
  node.style = 0;
}

/** Expands `$(NAME)`; `$$` is a dollar sign, and an unknown name stays as it is. */
function expand(text: string, { values, used, context }: Replacing): VarValue {
  if (!text.includes('$')) return text;
  let result = '';
  let from = 0;
  for (let at = text.indexOf('$'); at >= 0 && at + 1 < text.length; at = text.indexOf('$', from)) {
    result += text.slice(from, at);
    const next = text[at + 1]!;
    const close = next === '(' ? text.indexOf(')', at + 2) : -1;
    if (close < 0) {
      result += next === '$' ? '$' : `$${next}`;
      from = at + 2;
      continue;
    }
    const name = text.slice(at + 2, close);
    const found = values.get(name);
    from = close + 1;
    if (found?.odd !== undefined) {
      context.warn(`MakePrimitiveReplacer: bad replacement ${found.odd}`, 'KUSTOMIZE_LOGGED');
    }
    if (found?.value === undefined) {
      result += `$(${name})`;
      continue;
    }
    used.add(name);
    if (at === 0 && from === text.length) return found.value;
    result += typeof found.value === 'number' ? formatFloat(found.value) : String(found.value);
  }
  return result + text.slice(from);
}

/** Says for which vars a layer failed. */
export function inVars(error: unknown, vars: readonly Var[]): unknown {
  return withPrefix(error, `merging vars [${vars.map((entry) => entry.written).join(' ')}]`);
}
