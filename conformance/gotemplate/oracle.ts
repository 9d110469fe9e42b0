import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { binaryDirectory } from '../tools/official.ts';
import type { Json } from './data.ts';

/** What the oracle is asked: a template with data by default. */
export interface Question {
  readonly op?: 'version' | 'strictVersion' | 'constraint' | 'bench';
  readonly template?: string;
  readonly templates?: { readonly [name: string]: string };
  readonly data?: Json;
  readonly missingKey?: string;
  /** Without Sprig: only the functions of the language. */
  readonly plain?: boolean;
  readonly constraint?: string;
  readonly version?: string;
  readonly millis?: number;
}

export interface Answer {
  readonly out?: string;
  readonly error?: string;
  readonly check?: boolean;
  readonly problems?: readonly string[];
  readonly nsPerOp?: number;
  readonly iterations?: number;
}

/** The oracle's program, built from the sources beside this file when they have changed; undefined without Go. */
export function oracleProgram(): string | undefined {
  const folder = join(import.meta.dirname, 'oracle');
  const sources = ['main.go', 'go.mod', 'go.sum'].map((name) => readFileSync(join(folder, name)));
  const digest = createHash('sha256').update(Buffer.concat(sources)).digest('hex').slice(0, 12);
  const path = join(binaryDirectory(), `gotemplate-oracle-${digest}`);
  if (existsSync(path)) return path;
  mkdirSync(binaryDirectory(), { recursive: true });
  const built = spawnSync('go', ['build', '-trimpath', '-o', path, '.'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, CGO_ENABLED: '0' },
  });
  return built.status === 0 ? path : undefined;
}

/** Asks the oracle all questions, in order. */
export async function askOracle(
  program: string,
  questions: readonly Question[],
): Promise<Answer[]> {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers: Answer[] = [];
  const reader = createInterface({ input: child.stdout });
  const finished = new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`the oracle ended with ${code}`)),
    );
  });
  reader.on('line', (line) => answers.push(JSON.parse(line)));
  child.stdin.end(questions.map((question) => `${JSON.stringify(question)}\n`).join(''));
  await finished;
  if (answers.length !== questions.length) throw new Error('the oracle did not answer everything');
  return answers;
}
