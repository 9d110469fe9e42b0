#!/usr/bin/env node
import { CapstanError, messageOf } from '@capstan/lib-std';
import { COMMANDS } from './commands.ts';
import type { Io } from './io.ts';

function helpText(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const lines = Object.entries(COMMANDS).map(
    ([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`,
  );
  return `usage: capstan COMMAND [ARGUMENTS]\n\n${lines.join('\n')}\n\ncapstan COMMAND --help says more.\n`;
}

/** The exit code of one call of the command. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    (name === undefined ? io.err : io.out)(helpText());
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    io.err(`Error: unknown command ${JSON.stringify(name)} for "capstan"\n\n${helpText()}`);
    return 1;
  }
  try {
    const { run } = await command.load();
    return await run(rest, io);
  } catch (error) {
    io.err(`Error: ${messageOf(error)}\n`);
    if (error instanceof CapstanError && error.hint !== undefined) io.err(`  ${error.hint}\n`);
    return 1;
  }
}

async function readInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Runs the command of this process and sets its exit code. */
export async function start(): Promise<void> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  process.exitCode = await main(process.argv.slice(2), {
    cwd: process.cwd(),
    env: process.env,
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    readInput,
    signal: stop.signal,
  });
}

if (import.meta.main) await start();
