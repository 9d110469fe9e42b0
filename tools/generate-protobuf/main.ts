// Writes kube/apiserver/src/generated/protobuf.json: field numbers and types of the messages that Kubernetes' programs exchange.
// Reads the generated.proto files of k8s.io modules in the Go module cache, and the Go types beside them for the names in JSON:
//   node tools/generate-protobuf/main.ts VERSION     (e.g. v0.36.3; fetch the modules first: go mod download k8s.io/api@VERSION)
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const MODULES = ['api', 'apimachinery', 'apiextensions-apiserver', 'kube-aggregator', 'metrics'];
const OUT = new URL('../../kube/apiserver/src/generated/protobuf.json', import.meta.url);

/**
 * `1 metadata T`: number, name in JSON, and a type: s b i y d (string, bool, integer, bytes, double), or a message; before it `*` repeated,
 * `%` map, `^` a Go struct that is embedded, whose fields stand beside the others in JSON.
 */
type Messages = Record<string, string>;

/** Struct → field number → its name in JSON; '' for an embedded struct. */
type JsonNames = ReadonlyMap<string, ReadonlyMap<string, string>>;

function readProto(text: string, names: JsonNames, messages: Messages): void {
  const name = /^package ([^;]+);/m.exec(text)?.[1] ?? '';
  for (const [, message = '', body = ''] of text.matchAll(/^message (\w+) \{\n([\s\S]*?)^\}/gm)) {
    const fields: string[] = [];
    for (const line of body.split('\n')) {
      const field = /^\s*(optional|repeated)\s+([.\w]+)\s+(\w+)\s*=\s*(\d+)/.exec(line);
      const map = /^\s*map<string,\s*([.\w]+)>\s+(\w+)\s*=\s*(\d+)/.exec(line);
      const number = map?.[3] ?? field?.[4] ?? '';
      const type = typeName(map?.[1] ?? field?.[2] ?? '', name);
      const json = names.get(message)?.get(number) ?? map?.[2] ?? field?.[3] ?? '';
      if (number === '') continue;
      const mark = map !== null ? '%' : field?.[1] === 'repeated' ? '*' : '';
      fields.push(`${number} ${json} ${json === '' ? '^' : mark}${type}`);
    }
    messages[`${name}.${message}`] = fields.join(',');
  }
}

function readJsonNames(folder: string): JsonNames {
  const names = new Map<string, ReadonlyMap<string, string>>();
  for (const file of globSync('*.go', { cwd: folder })) {
    const text = readFileSync(`${folder}/${file}`, 'utf8');
    for (const [, struct = '', body = ''] of text.matchAll(
      /^type (\w+) struct \{\n([\s\S]*?)^\}/gm,
    )) {
      const fields = new Map<string, string>();
      for (const [, json = '', number = ''] of body.matchAll(
        /`json:"([^",]*)[^"]*".*protobuf:"\w+,(\d+),/g,
      )) {
        fields.set(number, json);
      }
      if (fields.size > 0) names.set(struct, fields);
    }
  }
  return names;
}

const SCALARS: Readonly<Record<string, string>> = {
  string: 's',
  bool: 'b',
  int32: 'i',
  int64: 'i',
  bytes: 'y',
  double: 'd',
};

function typeName(type: string, within: string): string {
  const scalar = SCALARS[type];
  if (scalar !== undefined) return scalar;
  return type.startsWith('.') ? type.slice(1) : `${within}.${type}`;
}

const [version = ''] = process.argv.slice(2);
const cache = execFileSync('go', ['env', 'GOMODCACHE'], { encoding: 'utf8' }).trim();
const messages: Messages = {};
for (const module of MODULES) {
  const root = `${cache}/k8s.io/${module}@${version}`;
  for (const file of globSync('**/generated.proto', { cwd: root })) {
    // A default server serves stable versions only; that of metrics is a beta.
    if (
      /testdata|test\/|testapigroup|v\d+(?:alpha|beta)\d+/.test(file) &&
      !/metrics\/v1beta1\//.test(file)
    ) {
      continue;
    }
    const path = `${root}/${file}`;
    readProto(readFileSync(path, 'utf8'), readJsonNames(dirname(path)), messages);
  }
}
const sorted = Object.fromEntries(Object.entries(messages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(OUT, `${JSON.stringify(sorted)}\n`);
console.log(`${fileURLToPath(OUT)}: ${Object.keys(sorted).length} messages`);
