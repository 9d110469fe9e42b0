import { tarEnd, tarFile, tarFolder, treeOfTar } from '@capstan/lib-files';
import { CapstanError } from '@capstan/lib-std';
import type { ContainerFiles } from './container-files.ts';

/** A process in a simulated container, and all that it may touch. */
export interface Process {
  readonly files: ContainerFiles;
  readonly environment: ReadonlyMap<string, string>;
  /** Where it is; `cd` changes it for all who share it. */
  readonly folder: { path: string };
  readonly hostname: string;
  readonly tty: boolean;
  readonly stdin: AsyncIterable<Uint8Array>;
  write(stream: 'stdout' | 'stderr', chunk: string | Uint8Array): void;
  /** An absolute path without `.` and `..`. */
  resolve(path: string): string;
  now(): number;
  pause(ms: number): Promise<void>;
}

/** Resolves to the exit code. */
export type Command = (words: readonly string[], process: Process) => number | Promise<number>;

const INPUT_BYTES_MAX = 64 * 1024 * 1024;

async function readAll(process: Process): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    size += chunk.length;
    if (size > INPUT_BYTES_MAX)
      throw new CapstanError('EXEC_INPUT_TOO_LONG', 'the input is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function say(process: Process, text: string): 0 {
  process.write('stdout', text);
  return 0;
}

function fail(process: Process, text: string, code = 1): number {
  process.write('stderr', `${text}\n`);
  return code;
}

/** Words that begin with a dash, as single letters, and the others. */
function split(words: readonly string[]): { flags: string; rest: readonly string[] } {
  const flags = words.filter((word) => /^-\w/.test(word));
  return { flags: flags.join(''), rest: words.filter((word) => !/^-\w/.test(word)) };
}

export const COMMANDS: Readonly<Record<string, Command>> = {
  true: () => 0,
  ':': () => 0,
  false: () => 1,
  exit: ([code = '0']) => Number(code) & 255,
  echo(words, process) {
    const noBreak = words[0] === '-n';
    const text = words.filter((word, i) => i > 0 || !/^-[ne]$/.test(word)).join(' ');
    return say(process, `${text}${noBreak ? '' : '\n'}`);
  },
  printf: ([format = '', ...values], process) => {
    const left = [...values];
    const text = format.replace(/%[sd]|\\n|\\t|%%/g, (mark) => {
      if (mark === '\\n') return '\n';
      if (mark === '\\t') return '\t';
      return mark === '%%' ? '%' : (left.shift() ?? '');
    });
    return say(process, text);
  },
  hostname: (_words, process) => say(process, `${process.hostname}\n`),
  uname: (words, process) =>
    say(process, words.includes('-a') ? `Linux ${process.hostname} simulated\n` : 'Linux\n'),
  whoami: (_words, process) => say(process, 'root\n'),
  id: (_words, process) => say(process, 'uid=0(root) gid=0(root) groups=0(root)\n'),
  pwd: (_words, process) => say(process, `${process.folder.path}\n`),
  date: (_words, process) => say(process, `${new Date(process.now()).toUTCString()}\n`),
  env: (_words, process) =>
    say(process, [...process.environment].map(([name, value]) => `${name}=${value}\n`).join('')),
  printenv([name], process) {
    if (name === undefined) return COMMANDS['env']!([], process);
    const value = process.environment.get(name);
    return value === undefined ? 1 : say(process, `${value}\n`);
  },
  async sleep([seconds = '0'], process) {
    await process.pause(Number.parseFloat(seconds) * 1000);
    return 0;
  },
  cd([path = '/root'], process) {
    const wanted = process.resolve(path);
    if (!process.files.isFolder(wanted)) {
      return fail(process, `sh: cd: can't cd to ${path}: No such file or directory`, 2);
    }
    process.folder.path = wanted;
    return 0;
  },
  async cat(words, process) {
    const paths = split(words).rest;
    if (paths.length === 0 || paths[0] === '-') {
      for await (const chunk of process.stdin) process.write('stdout', chunk);
      return 0;
    }
    let code = 0;
    for (const path of paths) {
      const bytes = process.files.read(process.resolve(path));
      if (bytes !== undefined) process.write('stdout', bytes);
      else code = fail(process, `cat: can't open '${path}': No such file or directory`);
    }
    return code;
  },
  ls(words, process) {
    const { flags, rest } = split(words);
    for (const path of rest.length === 0 ? ['.'] : rest) {
      const wanted = process.resolve(path);
      const names = process.files.list(wanted);
      const isFile = process.files.read(wanted) !== undefined;
      if (names === undefined && !isFile) {
        return fail(process, `ls: ${path}: No such file or directory`);
      }
      const shown = names ?? [path];
      say(
        process,
        shown
          .map((name) => `${flags.includes('l') ? describe(process, wanted, name) : ''}${name}\n`)
          .join(''),
      );
    }
    return 0;
  },
  mkdir(words, process) {
    const { flags, rest } = split(words);
    for (const path of rest) process.files.makeFolder(process.resolve(path), flags.includes('p'));
    return 0;
  },
  rm(words, process) {
    const { flags, rest } = split(words);
    let code = 0;
    for (const path of rest) {
      const wanted = process.resolve(path);
      const isFolder = process.files.isFolder(wanted);
      if (isFolder && !/r/i.test(flags)) code = fail(process, `rm: '${path}' is a directory`);
      else if (!isFolder && process.files.read(wanted) === undefined) {
        if (!flags.includes('f')) {
          code = fail(process, `rm: can't remove '${path}': No such file or directory`);
        }
      } else process.files.remove(wanted);
    }
    return code;
  },
  touch(words, process) {
    for (const path of split(words).rest) {
      const wanted = process.resolve(path);
      process.files.write(wanted, process.files.read(wanted) ?? new Uint8Array());
    }
    return 0;
  },
  test: (words, process) => (isTrue(words, process) ? 0 : 1),
  '[': (words, process) => (isTrue(words.slice(0, -1), process) ? 0 : 1),
  async wc(words, process) {
    const { flags, rest } = split(words);
    const path = rest[0];
    const bytes =
      path === undefined ? await readAll(process) : process.files.read(process.resolve(path));
    if (bytes === undefined) return fail(process, `wc: ${path}: No such file or directory`);
    const lines = bytes.filter((byte) => byte === 10).length;
    const count = flags.includes('c') ? bytes.length : lines;
    return say(process, `${count}${path === undefined ? '' : ` ${path}`}\n`);
  },
  async head(words, process) {
    const count = Number(/-n?\s*(\d+)/.exec(words.join(' '))?.[1] ?? 10);
    let text = '';
    for await (const chunk of process.stdin) {
      text += Buffer.from(chunk).toString();
      if (text.split('\n').length > count) break;
    }
    const lines = text.split('\n').slice(0, count);
    return say(process, lines.map((line) => `${line}\n`).join(''));
  },
  async tail(words, process) {
    const from = /-c\s*\+(\d+)/.exec(words.join(' '));
    const bytes = await readAll(process);
    if (from !== null) {
      process.write('stdout', bytes.subarray(Number(from[1]) - 1));
      return 0;
    }
    const count = Number(/-n?\s*(\d+)/.exec(words.join(' '))?.[1] ?? 10);
    const lines = bytes.toString().replace(/\n$/, '').split('\n');
    return say(process, `${lines.slice(-count).join('\n')}\n`);
  },
  tar,
};

function describe(process: Process, folder: string, name: string): string {
  const path = folder === '/' ? `/${name}` : `${folder}/${name}`;
  const size = process.files.read(path)?.length ?? 0;
  return `${process.files.isFolder(path) ? 'drwxr-xr-x' : '-rw-r--r--'}    1 root     root     ${String(size).padStart(9)} `;
}

function isTrue(words: readonly string[], process: Process): boolean {
  if (words[0] === '!') return !isTrue(words.slice(1), process);
  const [first = '', operator = '', second = ''] = words;
  if (words.length === 2) {
    const path = process.resolve(operator);
    const isFile = process.files.read(path) !== undefined;
    switch (first) {
      case '-d':
        return process.files.isFolder(path);
      case '-f':
        return isFile;
      case '-e':
      case '-r':
      case '-w':
        return isFile || process.files.isFolder(path);
      case '-s':
        return (process.files.read(path)?.length ?? 0) > 0;
      case '-z':
        return operator === '';
      case '-n':
        return operator !== '';
      default:
        return false;
    }
  }
  if (operator === '=' || operator === '==') return first === second;
  if (operator === '!=') return first !== second;
  return words.length === 1 && first !== '';
}

/** Enough of tar for `kubectl cp`: archives on standard output and from standard input. */
async function tar(words: readonly string[], process: Process): Promise<number> {
  const options = words.filter((word) => !word.startsWith('--'));
  const [mode = '', ...rest] = options;
  const at = rest.indexOf('-C');
  const folder = process.resolve(at < 0 ? '.' : (rest[at + 1] ?? '.'));
  const named = rest.filter((_word, i) => at < 0 || (i !== at && i !== at + 1));
  const [archive = '-', ...paths] = mode.includes('f') ? named : ['-', ...named];
  if (mode.includes('c')) return pack(paths, archive, folder, process);
  if (!mode.includes('x') && !mode.includes('t'))
    return fail(process, 'tar: need at least one option');
  const bytes =
    archive === '-' ? await readAll(process) : process.files.read(process.resolve(archive));
  if (bytes === undefined)
    return fail(process, `tar: can't open '${archive}': No such file or directory`);
  return unpack(bytes, folder, mode.includes('t'), process);
}

function pack(paths: readonly string[], archive: string, folder: string, process: Process): number {
  const parts: Uint8Array[] = [];
  const inside = (path: string): string =>
    path.startsWith('/') ? process.resolve(path) : process.resolve(`${folder}/${path}`);
  for (const path of paths) {
    const from = inside(path);
    const { files } = process;
    if (files.read(from) === undefined && !files.isFolder(from)) {
      return fail(process, `tar: ${path}: No such file or directory`);
    }
    if (path.startsWith('/'))
      process.write('stderr', "tar: removing leading '/' from member names\n");
    const name = path.replace(/^\/+/, '').replace(/\/$/, '');
    for (const found of files.walk(from)) {
      const content = files.read(found);
      const member = `${name}${found.slice(from.length)}`;
      parts.push(content === undefined ? tarFolder(`${member}/`) : tarFile(member, content, false));
    }
  }
  const bytes = Buffer.concat([...parts, tarEnd()]);
  if (archive === '-') process.write('stdout', bytes);
  else process.files.write(process.resolve(archive), bytes);
  return 0;
}

function unpack(bytes: Uint8Array, folder: string, onlyList: boolean, process: Process): number {
  const { files } = process;
  if (!files.isFolder(folder)) {
    return fail(process, `tar: can't change directory to '${folder}': No such file or directory`);
  }
  try {
    const tree = treeOfTar(bytes, { entriesMax: 100_000, others: 'skip' });
    const walk = (path: string): void => {
      for (const { name, kind } of tree.readDirectory(path) ?? []) {
        const inner = path === '' ? name : `${path}/${name}`;
        const target = folder === '/' ? `/${inner}` : `${folder}/${inner}`;
        if (onlyList) process.write('stdout', `${inner}\n`);
        else if (kind === 'directory') files.makeFolder(target, true);
        else files.write(target, tree.readFile(inner) ?? new Uint8Array());
        if (kind === 'directory') walk(inner);
      }
    };
    walk('');
    return 0;
  } catch (error) {
    if (!(error instanceof CapstanError)) throw error;
    return fail(process, `tar: ${error.message}`);
  }
}
