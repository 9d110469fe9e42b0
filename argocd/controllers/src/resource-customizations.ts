import type { IgnoreRule } from '@capstan/engine-diff';
import type { Json } from '@capstan/kube-object';
import { messageOf } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';
import { asList, asRecord } from './settings.ts';

/** What argocd-cm says of one kind of resource, or of several by a glob. */
export interface Customization {
  readonly group: string;
  readonly kind: string;
  /** A Lua script that judges health. */
  readonly healthLua?: string;
  readonly useOpenLibs: boolean;
  readonly actions?: string;
  readonly ignoreDifferences?: Ignored;
  readonly ignoreResourceUpdates?: Ignored;
  /** Fields that hold types of built-in kinds. */
  readonly knownTypeFields?: readonly KnownTypeField[];
}

export interface KnownTypeField {
  readonly field: string;
  /** `core/v1/PodSpec`, `core/Quantity`. */
  readonly type: string;
}

type Ignored = Pick<IgnoreRule, 'jsonPointers' | 'pathExpressions' | 'managers'>;

type Part = Partial<Omit<Customization, 'group' | 'kind'>>;
type Data = { readonly [key: string]: string };

const PREFIX = 'resource.customizations.';
const FIELDS = [
  'health.lua.useOpenLibs',
  'health.useOpenLibs',
  'useOpenLibs',
  'health',
  'actions',
  'ignoreDifferences',
  'ignoreResourceUpdates',
  'knownTypeFields',
] as const;
type Field = (typeof FIELDS)[number] | 'health.lua';

/**
 * Customizations in both spellings: all in one map under `resource.customizations`, and one key for each field and kind
 * (`resource.customizations.health.<group>_<kind>`). The split keys win.
 */
export function readCustomizations(cm: Data, problems: string[]): readonly Customization[] {
  const found = new Map<string, Part>();
  const add = (name: string, part: Part) => found.set(name, { ...found.get(name), ...part });
  const attempt = (key: string, run: () => void) => {
    try {
      run();
    } catch (error) {
      problems.push(`argocd-cm, ${key}: ${messageOf(error)}`);
    }
  };
  const combined = cm['resource.customizations'];
  if (combined !== undefined) {
    attempt('resource.customizations', () => {
      for (const [name, fields] of Object.entries(asRecord(parseYaml(combined) as Json)))
        for (const [field, value] of Object.entries(asRecord(fields ?? null)))
          add(name, readField(field as Field, textOf(value)));
    });
  }
  for (const [key, text] of Object.entries(cm)) {
    if (!key.startsWith(PREFIX)) continue;
    const rest = key.slice(PREFIX.length);
    const field = FIELDS.find((one) => rest.startsWith(`${one}.`));
    if (field === undefined) continue;
    attempt(key, () => add(nameOf(rest.slice(field.length + 1)), readField(field, text)));
  }
  return [...found].map(([name, part]) => ({ useOpenLibs: false, ...splitName(name), ...part }));
}

/** `<group>_<kind>`; `all` and a bare kind as they are. */
function nameOf(text: string): string {
  const parts = text.split('_');
  if (parts.length > 2) throw new Error('the key is not <group>_<kind>');
  return parts.join('/');
}

function splitName(name: string): { readonly group: string; readonly kind: string } {
  if (name === 'all' || name === '*/*') return { group: '*', kind: '*' };
  const slash = name.indexOf('/');
  return slash < 0
    ? { group: '', kind: name }
    : { group: name.slice(0, slash), kind: name.slice(slash + 1) };
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
}

function readField(field: Field, text: string): Part {
  switch (field) {
    case 'health':
    case 'health.lua':
      return { healthLua: text };
    case 'health.lua.useOpenLibs':
    case 'health.useOpenLibs':
    case 'useOpenLibs':
      return { useOpenLibs: text === 'true' };
    case 'actions':
      return { actions: text };
    case 'ignoreDifferences':
      return { ignoreDifferences: readIgnored(text) };
    case 'ignoreResourceUpdates':
      return { ignoreResourceUpdates: readIgnored(text) };
    case 'knownTypeFields':
      return { knownTypeFields: readKnownTypes(text) };
    default:
      return {};
  }
}

function readKnownTypes(text: string): readonly KnownTypeField[] {
  return asList(parseYaml(text) as Json).map((item) => {
    const { field, type } = asRecord(item);
    if (typeof field !== 'string' || typeof type !== 'string')
      throw new Error('an entry has no field or no type');
    return { field, type };
  });
}

function readIgnored(text: string): Ignored {
  const value = asRecord(parseYaml(text) as Json);
  const texts = (field: string) => asList(value[field] ?? null).map(String);
  return {
    jsonPointers: texts('jsonPointers'),
    pathExpressions: texts('jqPathExpressions'),
    managers: texts('managedFieldsManagers'),
  };
}
