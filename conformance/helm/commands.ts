import { spawn } from 'node:child_process';
import { main } from '@capstan/apps-cli';

/** What a command printed; `err` from its `Error: ` on. */
export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one of our commands in this process. */
export async function runOurs(args: readonly string[], cwd: string): Promise<Result> {
  let out = '';
  let err = '';
  const code = await main(args, {
    cwd,
    env: {},
    out: (text) => {
      out += text;
    },
    err: (text) => {
      // What to do about an error is said by us alone.
      if (!text.startsWith('  ')) err += text;
    },
    readInput: async () => new Uint8Array(),
    signal: new AbortController().signal,
  });
  return { code, out, err: errorsOnly(err) };
}

/** The error that a script would read; helm's log lines carry times and are not compared. */
export function errorsOnly(text: string): string {
  const at = text.indexOf('Error: ');
  return at < 0 ? '' : text.slice(at).trimEnd();
}

/** Runs an official program, with nothing of the machine's own configuration. */
export function runProgram(binary: string, args: readonly string[], cwd: string): Promise<Result> {
  const child = spawn(binary, args, { cwd, env: { HOME: cwd, PATH: '' } });
  const printed = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed.err += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({ code: code ?? -1, out: printed.out, err: errorsOnly(printed.err) }),
    );
  });
}
