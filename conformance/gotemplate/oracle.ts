import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ownProgram } from '../tools/own-program.ts';
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
  /** The oracle did not survive the question. */
  readonly crashed?: boolean;
}

/** The oracle's program; undefined without Go. */
export function oracleProgram(): string | undefined {
  return ownProgram(join(import.meta.dirname, 'oracle'), 'gotemplate-oracle');
}

/**
 * Asks the oracle all questions, in order. A value that holds itself makes Go's program die: such a question is answered
 * with `crashed`, and the rest goes to a new one.
 */
export async function askOracle(
  program: string,
  questions: readonly Question[],
): Promise<Answer[]> {
  const answers: Answer[] = [];
  while (answers.length < questions.length) {
    const rest = questions.slice(answers.length);
    const { given, code } = await askOnce(program, rest);
    answers.push(...given);
    if (code !== 0 && given.length < rest.length) answers.push({ crashed: true });
    else if (given.length !== rest.length) throw new Error('the oracle did not answer everything');
  }
  return answers;
}

async function askOnce(
  program: string,
  questions: readonly Question[],
): Promise<{ readonly given: Answer[]; readonly code: number | null }> {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'ignore'] });
  const given: Answer[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => given.push(JSON.parse(line)));
  const closed = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  // A program that died does not read on.
  child.stdin.on('error', () => undefined);
  child.stdin.end(questions.map((question) => `${JSON.stringify(question)}\n`).join(''));
  return { code: await closed, given };
}
