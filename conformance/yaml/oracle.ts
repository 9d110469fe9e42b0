import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * What can be asked:
 * - `nodes`: all documents as nodes of go.yaml.in/yaml/v3, and emitted again with three sets of options;
 * - `unmarshal`, `unmarshal-strict`: YAML to JSON by sigs.k8s.io/yaml;
 * - `node-value`: the first document decoded by v3, as JSON;
 * - `marshal`: JSON to YAML by sigs.k8s.io/yaml; `pretty`: by v3 with an indent of 2 (Helm's toYamlPretty);
 * - `json`, `json-indent`: JSON decoded and encoded again by encoding/json.
 */
export type Operation =
  | 'nodes'
  | 'unmarshal'
  | 'unmarshal-strict'
  | 'node-value'
  | 'marshal'
  | 'pretty'
  | 'json'
  | 'json-indent';

export interface Question {
  readonly op: Operation;
  readonly input: string;
}

/** An answer with what is empty left out; `nodes` as the oracle describes them. */
export interface Answer {
  readonly error?: string;
  readonly output?: string;
  /** With sequences indented. */
  readonly wide?: string;
  /** With four columns per level. */
  readonly four?: string;
  readonly nodes?: readonly unknown[];
}

/** Builds the oracle from the official modules unless the cache has it, and returns its path. */
export function oraclePath(): string {
  const source = join(import.meta.dirname, 'oracle');
  const hash = createHash('sha256');
  for (const file of ['main.go', 'go.mod', 'go.sum']) hash.update(readFileSync(join(source, file)));
  const directory = join(homedir(), '.cache', 'capstan', 'bin');
  const program = join(directory, `yaml-oracle-${hash.digest('hex').slice(0, 12)}`);
  if (!existsSync(program)) {
    mkdirSync(directory, { recursive: true });
    execFileSync('go', ['build', '-trimpath', '-o', program, '.'], {
      cwd: source,
      stdio: 'inherit',
      env: { ...process.env, CGO_ENABLED: '0' },
    });
  }
  return program;
}

/** Asks the oracle everything at once; answers come in the order of the questions. */
export async function askOracle(questions: readonly Question[]): Promise<Answer[]> {
  const child = spawn(oraclePath(), { stdio: ['pipe', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`the oracle ended with code ${code}`));
    });
  });
  child.stdin.end(questions.map((question) => `${JSON.stringify(question)}\n`).join(''));
  await ended;
  const lines = Buffer.concat(chunks).toString('utf8').split('\n');
  return questions.map((_, index) => JSON.parse(lines[index] ?? '{"error":"no answer"}'));
}
