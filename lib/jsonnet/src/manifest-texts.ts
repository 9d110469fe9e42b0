import { jsonnetError } from './jsonnet-error.ts';
import { escapeJson, numberText, toText } from './manifest.ts';
import { isArray, isFunction, ObjectValue, typeName, type Value } from './values.ts';

export interface YamlStyle {
  readonly indentsArrays: boolean;
  readonly quotesKeys: boolean;
}

/** YAML as std.manifestYamlDoc writes it: texts in quotes, or as blocks when they end with a line's end. */
export function manifestYaml(value: Value, style: YamlStyle): string {
  return yaml(value, '', style);
}

function yaml(value: Value, at: string, style: YamlStyle): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'string') return yamlText(value, at);
  if (isFunction(value)) throw jsonnetError(`Tried to manifest function at ${at}`);
  if (isArray(value)) {
    if (value.length === 0) return '[]';
    const items = value.map((item) => yamlItem(item.force(), at, style));
    return items.join(`\n${at}`);
  }
  value.check();
  const names = value.visibleNames();
  if (names.length === 0) return '{}';
  return names
    .map((name) => yamlMember(name, value.get(name) ?? null, { at, style }))
    .join(`\n${at}`);
}

function yamlText(text: string, at: string): string {
  if (text === '') return '""';
  if (!text.endsWith('\n')) return escapeJson(text);
  const lines = text.slice(0, -1).split('\n');
  return ['|', ...lines.map((line) => `${at}  ${line}`)].join('\n');
}

function isNested(value: Value): boolean {
  if (isArray(value)) return value.length > 0;
  return value instanceof ObjectValue && value.visibleNames().length > 0;
}

function yamlItem(item: Value, at: string, style: YamlStyle): string {
  if (isArray(item) && item.length > 0) {
    const inner = `${at}  `;
    return `-\n${inner}${yaml(item, inner, style)}`;
  }
  const inner = item instanceof ObjectValue && isNested(item) ? `${at}  ` : at;
  return `- ${yaml(item, inner, style)}`;
}

const BARE = /^[a-zA-Z0-9/_.-]+$/;
const WORDS = /^(?:true|false|yes|no|on|off|y|n|null|~|-|---|\.nan|[+-]?\.inf)$/i;

function keyText(name: string, { quotesKeys }: YamlStyle): string {
  const isPlain =
    BARE.test(name) && !WORDS.test(name) && !/^[-+]?[\d.][\d_.eExXobA-Fa-f:-]*$/.test(name);
  return quotesKeys || !isPlain ? escapeJson(name) : name;
}

function yamlMember(
  name: string,
  value: Value,
  { at, style }: { readonly at: string; readonly style: YamlStyle },
): string {
  const key = keyText(name, style);
  if (!isNested(value)) return `${key}: ${yaml(value, at, style)}`;
  const inner = isArray(value) && !style.indentsArrays ? at : `${at}  `;
  return `${key}:\n${inner}${yaml(value, inner, style)}`;
}

export function manifestIni(ini: ObjectValue): string {
  const body = (section: Value): readonly string[] => {
    if (!(section instanceof ObjectValue)) return [];
    return section.visibleNames().flatMap((name) => {
      const value = section.get(name) ?? null;
      const values = isArray(value) ? value.map((item) => item.force()) : [value];
      return values.map((one) => `${name} = ${toText(one)}`);
    });
  };
  const sections = ini.get('sections') ?? null;
  const lines = [...body(ini.get('main') ?? null)];
  if (sections instanceof ObjectValue)
    for (const name of sections.visibleNames())
      lines.push(`[${name}]`, ...body(sections.get(name) ?? null));
  return lines.map((line) => `${line}\n`).join('');
}

const TOML_KEY = /^[A-Za-z0-9_-]+$/;

export function manifestToml(value: ObjectValue, indent: string): string {
  return tomlTable(value, [], { at: '', indent });
}

interface TomlPlace {
  readonly at: string;
  readonly indent: string;
}

function tomlKey(name: string): string {
  return TOML_KEY.test(name) ? name : escapeJson(name);
}

function isTableList(value: Value): boolean {
  return (
    isArray(value) && value.length > 0 && value.every((item) => item.force() instanceof ObjectValue)
  );
}

function tomlTable(value: ObjectValue, path: readonly string[], place: TomlPlace): string {
  const { at, indent } = place;
  const names = value.visibleNames();
  const isSection = (name: string) => {
    const field = value.get(name) ?? null;
    return field instanceof ObjectValue || isTableList(field);
  };
  const plain = names
    .filter((name) => !isSection(name))
    .map((name) => `${at}${tomlKey(name)} = ${tomlValue(value.get(name) ?? null, place)}`);
  const sections = names.filter(isSection).flatMap((name) => {
    const field = value.get(name) ?? null;
    const inner = [...path, tomlKey(name)];
    const below = { at: at + indent, indent };
    const tables = isArray(field) ? field.map((item) => item.force()) : [field];
    const [open, close] = isArray(field) ? ['[[', ']]'] : ['[', ']'];
    return tables.map((table) => {
      const body = table instanceof ObjectValue ? tomlTable(table, inner, below) : '';
      const head = `${at}${open}${inner.join('.')}${close}`;
      return body === '' ? head : `${head}\n${body}`;
    });
  });
  return [...(plain.length === 0 ? [] : [plain.join('\n')]), ...sections].join('\n\n');
}

function tomlValue(value: Value, place: TomlPlace): string {
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'string') return escapeJson(value);
  if (isArray(value)) {
    if (value.length === 0) return '[]';
    const inner = place.at + place.indent;
    const items = value.map((item) => `${inner}${tomlInline(item.force())}`);
    return `[\n${items.join(',\n')}\n${place.at}]`;
  }
  throw jsonnetError(`Tried to manifest "${typeName(value)}" as TOML`);
}

function tomlInline(value: Value): string {
  if (isArray(value)) return `[ ${value.map((item) => tomlInline(item.force())).join(', ')} ]`;
  if (value instanceof ObjectValue) {
    const members = value
      .visibleNames()
      .map((name) => `${tomlKey(name)} = ${tomlInline(value.get(name) ?? null)}`);
    return `{ ${members.join(', ')} }`;
  }
  return tomlValue(value, { at: '', indent: '' });
}

/** JsonML: `[tag, {attributes}, …children]`. */
export function manifestXml(value: Value): string {
  if (typeof value === 'string') return value;
  if (!isArray(value)) throw jsonnetError('Expected a JSONML value (an array)');
  const [tag, second, ...rest] = value.map((item) => item.force());
  const attributes = second instanceof ObjectValue ? second : undefined;
  const children = attributes === undefined && second !== undefined ? [second, ...rest] : rest;
  const names = attributes?.visibleNames() ?? [];
  const written = names.map((name) => ` ${name}="${toText(attributes?.get(name) ?? null)}"`);
  return `<${toText(tag ?? '')}${written.join('')}>${children.map(manifestXml).join('')}</${toText(tag ?? '')}>`;
}
