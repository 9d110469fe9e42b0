// Writes kube/apiserver/src/generated/protobuf.json: field numbers and types of the messages that Kubernetes clients send.
// Reads the generated.proto files of k8s.io modules in the Go module cache:
//   node tools/generate-protobuf/main.ts VERSION     (e.g. v0.36.3; fetch the modules first: go mod download k8s.io/api@VERSION)
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MODULES = ['api', 'apimachinery', 'apiextensions-apiserver', 'kube-aggregator'];
const OUT = new URL('../../kube/apiserver/src/generated/protobuf.json', import.meta.url);

/** `1 metadata T`: number, name, and a type: s b i y (string, bool, integer, bytes), or a message; `*` repeated, `%` map. */
type Messages = Record<string, string>;

function readProto(text: string, messages: Messages): void {
  const name = /^package ([^;]+);/m.exec(text)?.[1] ?? '';
  for (const [, message = '', body = ''] of text.matchAll(/^message (\w+) \{\n([\s\S]*?)^\}/gm)) {
    const fields: string[] = [];
    for (const line of body.split('\n')) {
      const field = /^\s*(optional|repeated)\s+([.\w]+)\s+(\w+)\s*=\s*(\d+)/.exec(line);
      const map = /^\s*map<string,\s*([.\w]+)>\s+(\w+)\s*=\s*(\d+)/.exec(line);
      if (map !== null) fields.push(`${map[3]} ${map[2]} %${typeName(map[1] ?? '', name)}`);
      else if (field !== null) {
        const mark = field[1] === 'repeated' ? '*' : '';
        fields.push(`${field[4]} ${field[3]} ${mark}${typeName(field[2] ?? '', name)}`);
      }
    }
    messages[`${name}.${message}`] = fields.join(',');
  }
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
    // A default server serves stable versions only.
    if (!/testdata|test\/|testapigroup|v\d+(?:alpha|beta)\d+/.test(file)) {
      readProto(readFileSync(`${root}/${file}`, 'utf8'), messages);
    }
  }
}
const sorted = Object.fromEntries(Object.entries(messages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(OUT, `${JSON.stringify(sorted)}\n`);
console.log(`${fileURLToPath(OUT)}: ${Object.keys(sorted).length} messages`);
