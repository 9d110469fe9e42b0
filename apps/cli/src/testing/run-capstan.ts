import type { Io } from '../io.ts';
import { main } from '../main.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command in this process, without standard input, and gives what it said. */
export async function runCapstan(
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Io['env'] },
): Promise<Ran> {
  let out = '';
  let err = '';
  const code = await main(args, {
    cwd,
    env,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    readInput: async () => new Uint8Array(),
    signal: new AbortController().signal,
  });
  return { code, out, err };
}
