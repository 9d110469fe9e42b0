import { COMMANDS, type Command, type Process } from './commands.ts';
import { FileSystemError } from './container-files.ts';

const NOTHING: AsyncIterable<Uint8Array> = { async *[Symbol.asyncIterator]() {} };
const LINE_BYTES_MAX = 64 * 1024;

/**
 * Runs a command as a small shell knows it: `sh -c` with quotes, variables, `;`, `&&`, `||`, pipes and redirections to files;
 * a shell without a command reads lines from its input. Resolves to the exit code.
 */
export async function runCommand(words: readonly string[], process: Process): Promise<number> {
  const [program = '', ...rest] = words;
  const name = program.slice(program.lastIndexOf('/') + 1);
  if (/^(?:ba|da|a|z|k)?sh$/.test(name)) return runShell(rest, process);
  const command: Command | undefined = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    process.write('stderr', `${program}: simulated container: not found\n`);
    return 127;
  }
  try {
    return await command(rest, process);
  } catch (error) {
    if (!(error instanceof FileSystemError)) throw error;
    process.write('stderr', `${name}: ${error.message}\n`);
    return 1;
  }
}

async function runShell(words: readonly string[], process: Process): Promise<number> {
  const at = words.findIndex((word) => /^-[a-z]*c$/.test(word));
  if (at >= 0) return runScript(words[at + 1] ?? '', process);
  const [file] = words.filter((word) => !word.startsWith('-'));
  if (file !== undefined) {
    const bytes = process.files.read(process.resolve(file));
    if (bytes !== undefined) return runScript(Buffer.from(bytes).toString(), process);
    process.write('stderr', `sh: can't open '${file}': No such file or directory\n`);
    return 2;
  }
  return process.tty ? converse(process) : readScript(process);
}

async function readScript(process: Process): Promise<number> {
  let code = 0;
  for await (const line of linesOf(process.stdin)) {
    code = await runScript(line, { ...process, stdin: NOTHING });
    if (EXITS.test(line)) break;
  }
  return code;
}

const EXITS = /^\s*exit\b/;

async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of input) {
    rest += Buffer.from(chunk).toString();
    const lines = rest.split('\n');
    rest = lines.pop()!.slice(0, LINE_BYTES_MAX);
    yield* lines;
  }
  if (rest !== '') yield rest;
}

/** A terminal shows what is typed, and knows how to take a letter back and how to end. */
async function converse(process: Process): Promise<number> {
  const prompt = (): void => process.write('stdout', `${process.folder.path} # `);
  let line = '';
  let code = 0;
  prompt();
  for await (const chunk of process.stdin) {
    for (const key of Buffer.from(chunk).toString()) {
      if (key === '\x04' && line === '') return code;
      if (key === '\x7f' || key === '\b') {
        if (line !== '') process.write('stdout', '\b \b');
        line = line.slice(0, -1);
      } else if (key === '\r' || key === '\n' || key === '\x03') {
        process.write('stdout', '\r\n');
        if (key !== '\x03') {
          code = await runScript(line, { ...process, stdin: NOTHING, write: forTerminal(process) });
          if (EXITS.test(line)) return code;
        }
        line = '';
        prompt();
      } else if (line.length < LINE_BYTES_MAX) {
        line += key;
        process.write('stdout', key);
      }
    }
  }
  return code;
}

function forTerminal({ write }: Process): Process['write'] {
  return (stream, chunk) => {
    write(
      stream,
      Buffer.from(chunk as Uint8Array)
        .toString()
        .replace(/\r?\n/g, '\r\n'),
    );
  };
}

async function runScript(script: string, process: Process): Promise<number> {
  let code = 0;
  for (const { after, pipeline } of parseScript(script)) {
    if ((after === '&&' && code !== 0) || (after === '||' && code === 0)) continue;
    code = await runPipeline(pipeline, process, code);
    if (pipeline.at(-1)?.words[0]?.text === 'exit') break;
  }
  return code;
}

async function runPipeline(
  pipeline: readonly Simple[],
  process: Process,
  last: number,
): Promise<number> {
  let { stdin } = process;
  let code = 0;
  for (const [i, simple] of pipeline.entries()) {
    const output: Uint8Array[] = [];
    const collects = i < pipeline.length - 1 || simple.target !== undefined;
    const input = simple.source === undefined ? stdin : fileInput(simple.source, process);
    const inner: Process = {
      ...process,
      stdin: input,
      write: (from, chunk) => {
        const stream = streamFor(from, simple);
        if (stream === 'stdout' && collects) output.push(Buffer.from(chunk as Uint8Array));
        else if (stream !== undefined) process.write(stream, chunk);
      },
    };
    const words = simple.words.flatMap((word) => expand(word, process, last));
    code = words.length === 0 ? 0 : await runCommand(words, inner);
    if (simple.target !== undefined) code = redirect(simple.target, output, process) || code;
    const piped = Buffer.concat(output);
    stdin = (async function* () {
      yield piped;
    })();
  }
  return code;
}

function streamFor(
  stream: 'stdout' | 'stderr',
  { merges }: Simple,
): 'stdout' | 'stderr' | undefined {
  if (merges !== 'silent') return merges ?? stream;
  return stream === 'stderr' ? undefined : stream;
}

async function* fileInput(path: string, process: Process): AsyncGenerator<Uint8Array> {
  const bytes = process.files.read(process.resolve(path));
  if (bytes === undefined) throw new FileSystemError(`can't open ${path}: no such file`);
  yield bytes;
}

function redirect(
  { path, appends }: { readonly path: string; readonly appends: boolean },
  output: readonly Uint8Array[],
  process: Process,
): number {
  if (path === '/dev/null') return 0;
  const file = process.resolve(path);
  const before = appends ? (process.files.read(file) ?? new Uint8Array()) : new Uint8Array();
  try {
    process.files.write(file, Buffer.concat([before, ...output]));
    return 0;
  } catch (error) {
    if (!(error instanceof FileSystemError)) throw error;
    process.write('stderr', `sh: can't create ${error.message}\n`);
    return 1;
  }
}

interface Word {
  readonly text: string;
  /** Within single quotes nothing is replaced. */
  readonly isLiteral: boolean;
  readonly isQuoted: boolean;
}

interface Simple {
  readonly words: readonly Word[];
  readonly source?: string;
  readonly target?: { readonly path: string; readonly appends: boolean };
  /** All of its output goes to the one of the two, or what it says of errors nowhere. */
  readonly merges?: 'stdout' | 'stderr' | 'silent';
}

interface Step {
  readonly after: ';' | '&&' | '||';
  readonly pipeline: readonly Simple[];
}

const TOKEN =
  /\s*(?:(&&|\|\||;|\n|\||2>&1|1?>&2|2>\s*\/dev\/null|>>|>|<)|((?:'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[^\s'"\\;&|<>])+)|(&|$))/y;

function parseScript(script: string): Step[] {
  const steps: Step[] = [];
  let after: Step['after'] = ';';
  let pipeline: Simple[] = [];
  let simple: { -readonly [Part in keyof Simple]: Simple[Part] } & { words: Word[] } = {
    words: [],
  };
  let pending = '';
  const endStep = (next: Step['after']): void => {
    pipeline.push(simple);
    if (pipeline.some(({ words, target }) => words.length > 0 || target !== undefined)) {
      steps.push({ after, pipeline });
    }
    [after, pipeline, simple] = [next, [], { words: [] }];
  };
  for (const match of script.replace(/^#.*$/gm, '').matchAll(new RegExp(TOKEN, 'gy'))) {
    const [, operator = '', word] = match;
    if (operator === '&&' || operator === '||') endStep(operator);
    else if (operator === ';' || operator === '\n') endStep(';');
    else if (operator === '|') {
      pipeline.push(simple);
      simple = { words: [] };
    } else if (operator === '2>&1') simple.merges = 'stdout';
    else if (operator.endsWith('>&2')) simple.merges = 'stderr';
    else if (operator.startsWith('2>')) simple.merges = 'silent';
    else if (operator === '>' || operator === '>>' || operator === '<') pending = operator;
    else if (word !== undefined && pending !== '') {
      const path = unquote(word).text;
      if (pending === '<') simple.source = path;
      else simple.target = { path, appends: pending === '>>' };
      pending = '';
    } else if (word !== undefined) simple.words.push(unquote(word));
    if (match[0] === '') break;
  }
  endStep(';');
  return steps;
}

function unquote(word: string): Word {
  const isLiteral = /^'[^']*'$/.test(word);
  const text = word.replace(
    /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/g,
    (_all, single?: string, double?: string, escaped?: string) =>
      single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? '',
  );
  return { text, isLiteral, isQuoted: text !== word };
}

function expand(word: Word, process: Process, last: number): string[] {
  if (word.isLiteral) return [word.text];
  const text = word.text.replace(
    /\$(?:\{(\w+)\}|(\w+|\?))/g,
    (_all, braced?: string, plain?: string) => {
      const name = braced ?? plain ?? '';
      return name === '?' ? String(last) : (process.environment.get(name) ?? '');
    },
  );
  return text === '' && !word.isQuoted ? [] : [text];
}
