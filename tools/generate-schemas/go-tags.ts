import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * For each field of a Go API type, by its JSON name: `a` always encoded, `n` left out when zero, `p` a pointer.
 * A struct held by value is encoded whatever `omitempty` says; only `omitzero` drops it.
 */
export interface GoTags {
  fieldsOf(definition: string): ReadonlyMap<string, GoTag> | undefined;
}

export interface GoTag {
  readonly encoding: 'a' | 'n' | 'p';
  /** The Go name of a named type that is no struct (`v1.Protocol`): the decoder's errors show it. */
  readonly typeName: string | undefined;
  /** The embedded structs on the way to the field (`ProbeHandler`): the decoder's paths show them. */
  readonly via: string | undefined;
}

interface GoField {
  readonly json: string;
  readonly type: string;
  readonly omitempty: boolean;
  readonly omitzero: boolean;
  readonly via?: string;
}
interface GoPackage {
  readonly name: string;
  readonly structs: ReadonlyMap<string, readonly GoField[]>;
}

/** `modules` maps the prefix of a definition's name to the directory of the Go module that declares it. */
export function readGoTags(modules: Readonly<Record<string, string>>): GoTags {
  const packages = new Map<string, GoPackage | undefined>();
  const load = (directory: string): GoPackage | undefined => {
    if (!packages.has(directory)) packages.set(directory, readPackage(directory));
    return packages.get(directory);
  };
  return {
    fieldsOf(definition) {
      const place = locate(definition, modules);
      const found = place && load(place.directory);
      const fields = found?.structs.get(place?.type ?? '');
      if (found === undefined || fields === undefined) return undefined;
      return new Map(
        flatten(fields, found).map((field) => [
          field.json,
          {
            encoding: encodingOf(field, found),
            typeName: typeNameOf(field, found),
            via: field.via,
          },
        ]),
      );
    },
  };
}

function locate(
  definition: string,
  modules: Readonly<Record<string, string>>,
): { directory: string; type: string } | undefined {
  const prefix = Object.keys(modules).find((candidate) => definition.startsWith(candidate));
  if (prefix === undefined) return undefined;
  const parts = definition.slice(prefix.length).split('.');
  const type = parts.pop() ?? '';
  return { directory: join(modules[prefix]!, ...parts), type };
}

function readPackage(directory: string): GoPackage | undefined {
  if (!existsSync(directory)) return undefined;
  const structs = new Map<string, GoField[]>();
  for (const file of readdirSync(directory)) {
    if (!file.endsWith('.go') || file.includes('generated') || file.endsWith('_test.go')) continue;
    readStructs(readFileSync(join(directory, file), 'utf8'), structs);
  }
  return { name: basename(directory), structs };
}

function readStructs(source: string, structs: Map<string, GoField[]>): void {
  for (const match of source.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) {
    const fields: GoField[] = [];
    for (const line of match[2]!.split('\n')) {
      const field = /^\s*(?:\w+\s+)?(\S.*?)\s+`.*?json:"([^",]*)((?:,\w+)*)"/.exec(line);
      if (field === null) continue;
      const options = field[3]!.split(',');
      if (field[2] === '-') continue;
      fields.push({
        json: field[2]!,
        type: field[1]!,
        omitempty: options.includes('omitempty'),
        omitzero: options.includes('omitzero'),
      });
    }
    structs.set(match[1]!, fields);
  }
}

/** Embedded structs (`json:",inline"` or an empty name) give their fields to the outer one. */
function flatten(fields: readonly GoField[], within: GoPackage, via = ''): readonly GoField[] {
  return fields.flatMap((field) => {
    if (field.json !== '') return [via === '' ? field : { ...field, via }];
    const name = field.type.replace(/^.*\s/, '');
    const inner = within.structs.get(name);
    return inner === undefined ? [] : flatten(inner, within, via === '' ? name : `${via}.${name}`);
  });
}

const plainTypes = /^(string|bool|byte|u?int(8|16|32|64)?|float(32|64)|interface\{\}|any)$/;

function typeNameOf(field: GoField, within: GoPackage): string | undefined {
  const name = field.type.replace(/^(\*|\[\]|map\[string\])+/, '');
  if (plainTypes.test(name) || isStruct(name, within) || !/^[\w.]+$/.test(name)) return undefined;
  const [first = '', second] = name.split('.');
  if (second === undefined) return `${within.name}.${first}`;
  return `${first.replace(/^(meta|core|rbac)(v\d\w*)$/, '$2')}.${second}`;
}

function encodingOf(field: GoField, within: GoPackage): 'a' | 'n' | 'p' {
  if (field.omitzero) return field.type.startsWith('*') ? 'p' : 'n';
  if (!field.omitempty) return 'a';
  if (field.type.startsWith('*')) return 'p';
  return isStruct(field.type, within) ? 'a' : 'n';
}

function isStruct(type: string, within: GoPackage): boolean {
  if (within.structs.has(type)) return true;
  return (
    /^(\w+\.)?(ObjectMeta|ListMeta|TypeMeta|Time|MicroTime|Duration|Quantity|IntOrString|RawExtension|LabelSelector|ObjectReference|PodTemplateSpec|PodSpec|JSON)$/.test(
      type,
    ) || /^(v1|corev1|core|metav1)\.[A-Z]\w+(Spec|Status|Source|Selector|Reference)$/.test(type)
  );
}
