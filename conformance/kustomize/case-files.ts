import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A case: files, and the commands to run in their folder. */
export interface Case {
  readonly commands: readonly string[];
  readonly files: ReadonlyMap<string, string>;
}

/** What a command did. Times of log lines and addresses in memory are taken out of `err`. */
export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Comment lines, `$ arguments` lines (one command each), then the files behind `-- name --`. */
export function parseCase(text: string): Case {
  const [head = '', ...parts] = text.split(/^-- (.+) --\n/m);
  const files = new Map<string, string>();
  for (let i = 0; i + 1 < parts.length; i += 2) files.set(parts[i]!, parts[i + 1]!);
  const commands = head
    .split('\n')
    .flatMap((line) => (line.startsWith('$ ') ? [line.slice(2)] : []));
  return { commands, files };
}

export function readCase(path: string): Case {
  return parseCase(readFileSync(path, 'utf8'));
}

/** Writes the files into a folder of their own for as long as `use` runs. */
export async function withFiles<T>(
  files: ReadonlyMap<string, string>,
  use: (root: string) => Promise<T>,
): Promise<T> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'kustomize-case-')));
  try {
    for (const [name, text] of files) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    return await use(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** The arguments of a command line; quotes group. */
export function words(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? '',
  );
}

/** The result with the folder's path as `/ROOT`, without times and addresses. */
export function comparable(result: Result, root: string): Result {
  const plain = (text: string) => text.replaceAll(root, '/ROOT');
  return {
    code: result.code,
    out: plain(result.out),
    err: plain(result.err)
      // Where the original prints structures with their addresses, nothing after that can be the same twice.
      .replace(/\n--\n[\s\S]*$/, '\n--\n')
      .replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /gm, '')
      .replace(/&\{(?:0x[0-9a-f]+ (?:<nil>|0x[0-9a-f]+))?\}/g, '&{…}'),
  };
}

/** One text for the results of all commands of a case. */
export function formatResults(results: readonly Result[]): string {
  return results
    .map(({ code, out, err }) => `exit ${code}\n--- stdout\n${out}--- stderr\n${err}`)
    .join('=====\n');
}
