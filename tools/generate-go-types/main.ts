// Writes kube/apiserver/src/generated/go-types.json: the Go structs in which the API server validates, as far as its messages show
// them (kube/apiserver/src/validation/go-struct.ts tells the form). Reads the sources of Kubernetes in the Go module cache:
//   node tools/generate-go-types/main.ts v1.36.3     (fetch them first: go mod download k8s.io/kubernetes@VERSION k8s.io/api@… …)
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const OUT = new URL('../../kube/apiserver/src/generated/go-types.json', import.meta.url);

/** What messages show, and what it is made of. */
const ROOTS = [
  ['core', 'PodTemplateSpec'],
  ['core', 'PersistentVolumeSpec'],
  ['core', 'PersistentVolumeClaimSpec'],
  ['core', 'EphemeralContainer'],
  ['batch', 'PodFailurePolicy'],
  ['batch', 'SuccessPolicy'],
  ['meta', 'LabelSelector'],
] as const;

interface GoField {
  /** '' for an embedded struct. */
  readonly name: string;
  readonly type: string;
  readonly tag: string | undefined;
}

interface GoPackage {
  readonly structs: ReadonlyMap<string, readonly GoField[]>;
  /** Named types that are no structs. */
  readonly others: ReadonlyMap<string, string>;
}

type PackageName = 'core' | 'batch' | 'meta';
type Fields = (readonly string[])[];

function readPackage(file: string): GoPackage {
  const text = readFileSync(file, 'utf8')
    .replace(/\/\/[^\n]*/g, '')
    .replace(/\/\*[\s\S]*?\*\//g, '');
  const structs = new Map<string, readonly GoField[]>();
  for (const [, name = '', body = ''] of text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) {
    structs.set(name, body.split('\n').flatMap(readField));
  }
  const others = new Map<string, string>();
  const blocks = [...text.matchAll(/^type \(\n([\s\S]*?)^\)/gm)].map(([, body = '']) => body);
  const named = String.raw`(\w+) (string|int32|int64|bool|map\[\w+\][\w.]+|\[\]\w+)$`;
  const single = text.matchAll(new RegExp(`^type ${named}`, 'gm'));
  const grouped = blocks.flatMap((block) => [...block.matchAll(new RegExp(`^\\s*${named}`, 'gm'))]);
  for (const [, name = '', type = ''] of [...single, ...grouped]) others.set(name, type);
  return { structs, others };
}

/** The fields of one line; several names may share a type. */
function readField(line: string): readonly GoField[] {
  const tag = /json:"([^"]*)"/.exec(line)?.[1];
  const words = line.replace(/`.*`/, '').trim().split(/\s+/).filter(Boolean);
  const type = words.at(-1);
  if (type === undefined) return [];
  if (words.length === 1) return [{ name: '', type, tag }];
  const names = words.slice(0, -1).join(' ').split(',');
  return names.map((name) => ({ name: name.trim(), type, tag }));
}

const version = process.argv[2];
if (version === undefined) throw new Error('name the version of k8s.io/kubernetes');
const cache = execFileSync('go', ['env', 'GOMODCACHE'], { encoding: 'utf8' }).trim();
const libraries = version.replace(/^v1\./, 'v0.');
const source = (module: string, file: string) => readPackage(join(cache, 'k8s.io', module, file));
const internal: Readonly<Record<PackageName, GoPackage>> = {
  core: source(`kubernetes@${version}`, 'pkg/apis/core/types.go'),
  batch: source(`kubernetes@${version}`, 'pkg/apis/batch/types.go'),
  meta: source(`apimachinery@${libraries}`, 'pkg/apis/meta/v1/types.go'),
};
/** The structs of the API, which have the keys. */
const published: Readonly<Record<PackageName, GoPackage>> = {
  core: source(`api@${libraries}`, 'core/v1/types.go'),
  batch: source(`api@${libraries}`, 'batch/v1/types.go'),
  meta: internal.meta,
};

const SPECIAL: Readonly<Record<string, string>> = {
  'resource.Quantity': 'quantity',
  'intstr.IntOrString': 'intOrString',
  'metav1.Time': 'time',
  Time: 'time',
  'types.UID': 'string',
  string: 'string',
  bool: 'bool',
  int: 'number',
  int32: 'number',
  int64: 'number',
};

const found = new Map<string, Fields>();

/** A type in the notation of the file; the structs that it names are added. */
function notation(type: string, at: PackageName): string {
  if (type.startsWith('*')) return `*${notation(type.slice(1), at)}`;
  if (type.startsWith('[]')) return `[]${notation(type.slice(2), at)}`;
  const map = /^map\[.*?\](.*)/.exec(type)?.[1];
  if (map !== undefined) return `map:${notation(map, at)}`;
  const special = SPECIAL[type];
  if (special !== undefined) return special;
  const [, prefix, name = ''] = /^(?:(\w+)\.)?(\w+)$/.exec(type) ?? [];
  if (prefix === 'metav1') return notation(name, 'meta');
  if (prefix === 'api' || prefix === 'core') return notation(name, 'core');
  const other = internal[at].others.get(name);
  if (other !== undefined) return notation(other, at);
  add(name, at);
  return name;
}

function add(name: string, at: PackageName): void {
  if (found.has(name)) return;
  const fields = internal[at].structs.get(name);
  if (fields === undefined) throw new Error(`no type ${name} in ${at}`);
  // Before its fields: a struct may hold itself.
  const rows: Fields = [];
  found.set(name, rows);
  // No message shows who manages which field.
  const shown = fields.filter((field) => field.name !== 'ManagedFields');
  for (const field of shown) rows.push(row(field, name, at));
}

function row({ name, type, tag }: GoField, struct: string, at: PackageName): readonly string[] {
  const text = notation(type, at);
  if (name === '') return ['', text];
  if (at === 'meta') {
    const [key = '', ...options] = (tag ?? '').split(',');
    const omit = ['omitzero', 'omitempty'].find((option) => options.includes(option));
    return omit === undefined ? [key, text, key] : [key, text, key, omit];
  }
  const usual = `${name[0]?.toLowerCase()}${name.slice(1)}`;
  const fields = published[at].structs.get(struct) ?? [];
  const key = fields.find((field) => field.name === name)?.tag?.split(',')[0] ?? usual;
  return key === usual ? [name, text] : [name, text, key];
}

for (const [at, name] of ROOTS) add(name, at);
const lines = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
const text = lines.map(([name, fields]) => `  ${JSON.stringify(name)}: ${JSON.stringify(fields)}`);
writeFileSync(
  OUT,
  `{\n${text.join(',\n').replaceAll('","', '", "').replaceAll('],[', '], [')}\n}\n`,
);
