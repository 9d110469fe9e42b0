/**
 * Reading and writing YAML side by side with Go's libraries, each in one warm process, on the same documents:
 * `node benchmarks/yaml/run.ts [deployments]`. Prints milliseconds (best of five rounds) and megabytes a second.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  emitDocument,
  parseDocument,
  parseYaml,
  toYaml,
  type YamlNode,
  type YamlValue,
} from '@capstan/lib-yaml';
import { manifestsOf } from './manifests.ts';

const ROUNDS = 5;

function best(work: () => void): number {
  let shortest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < ROUNDS; i++) {
    const start = performance.now();
    work();
    shortest = Math.min(shortest, performance.now() - start);
  }
  return shortest;
}

function timeOurs(documents: readonly string[]): Record<string, number> {
  let nodes: YamlNode[] = [];
  let values: YamlValue[] = [];
  return {
    'read nodes': best(() => {
      nodes = documents.map((document) => parseDocument(document)!);
    }),
    'write nodes': best(() => {
      for (const node of nodes) emitDocument(node);
    }),
    'read values': best(() => {
      values = documents.map((document) => parseYaml(document));
    }),
    'write values': best(() => {
      for (const value of values) toYaml(value);
    }),
  };
}

function timePeer(text: string): Record<string, number> {
  const directory = mkdtempSync(join(tmpdir(), 'capstan-yaml-'));
  try {
    const file = join(directory, 'manifests.yaml');
    const program = join(directory, 'peer');
    writeFileSync(file, text);
    const cwd = join(import.meta.dirname, 'peer');
    execFileSync('go', ['build', '-o', program, '.'], { cwd, stdio: 'inherit' });
    return JSON.parse(execFileSync(program, [file], { encoding: 'utf8' }));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const count = Number(process.argv[2] ?? 3000);
for (const comments of [false, true]) {
  const documents = manifestsOf(count, { comments });
  const text = documents.join('---\n');
  const megabytes = text.length / 1e6;
  const ours = timeOurs(documents);
  const theirs = timePeer(text);
  const about = comments ? 'with comments' : 'without comments';
  console.log(`\n${documents.length} documents ${about}, ${megabytes.toFixed(2)} MB`);
  console.log('              Capstan             Go                  factor');
  for (const [name, time] of Object.entries(ours)) {
    const other = theirs[name] ?? 0;
    const columns = [time, other].map((ms) =>
      `${ms.toFixed(0)} ms  ${((megabytes / ms) * 1000).toFixed(1)} MB/s`.padEnd(20),
    );
    console.log(`${name.padEnd(14)}${columns.join('')}${(other / time).toFixed(1)}`);
  }
}
