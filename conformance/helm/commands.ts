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
      err += text;
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
