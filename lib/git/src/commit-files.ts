import { gitError } from './errors.ts';
import { isObjectId, requireRefName } from './ref-name.ts';
import { runGit } from './run-git.ts';

export interface CommitFilesOptions {
  /** The bare repository. */
  readonly gitDir: string;
  readonly branch: string;
  /** Path → content; null removes the path (a folder: all below it). */
  readonly files: Readonly<Record<string, string | Uint8Array | null>>;
  readonly message: string;
  readonly author: { readonly name: string; readonly email: string };
  /** Seconds since the epoch. */
  readonly at: number;
  /** The branch must stand here; absent: wherever it stands, or nowhere. */
  readonly parent?: string;
  readonly signal?: AbortSignal;
}

/**
 * Adds one commit to a branch without a checkout and moves the branch to it, atomically: a branch that moved meanwhile
 * is an error, never overwritten. Answers the new commit's id.
 */
export async function commitFiles(options: CommitFilesOptions): Promise<string> {
  const ref = `refs/heads/${requireRefName(options.branch, 'branch')}`;
  const tip = await readTip(options, ref);
  if (options.parent !== undefined && options.parent !== tip) throw moved(options.branch);
  const result = await runGit(['fast-import', '--quiet', '--date-format=raw', '--done'], {
    gitDir: options.gitDir,
    input: fastImportStream(options, ref, tip),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  if (result.code !== 0) {
    if (/Not updating|cannot lock ref/.test(result.stderr)) throw moved(options.branch);
    throw gitError('GIT_FAILED', `cannot commit to ${options.branch}: ${lastLine(result.stderr)}`);
  }
  const commit = await readTip(options, ref);
  if (commit === undefined || commit === tip) throw moved(options.branch);
  return commit;
}

function moved(branch: string): Error {
  return gitError('GIT_PUSH_REJECTED', `branch ${branch} moved while a commit was made`, {
    hint: 'read the branch again and repeat the change',
  });
}

async function readTip(options: CommitFilesOptions, ref: string): Promise<string | undefined> {
  const result = await runGit(['rev-parse', '--verify', '--quiet', '--end-of-options', ref], {
    gitDir: options.gitDir,
  });
  const id = result.stdout.toString('utf8').trim();
  return isObjectId(id) ? id : undefined;
}

function fastImportStream(
  options: CommitFilesOptions,
  ref: string,
  tip: string | undefined,
): Buffer {
  const { name, email } = options.author;
  const person = `${clean(name)} <${clean(email)}> ${Math.floor(options.at)} +0000`;
  const parts: Buffer[] = [
    Buffer.from(`commit ${ref}\nauthor ${person}\ncommitter ${person}\n`),
    data(options.message),
    Buffer.from(tip === undefined ? '' : `from ${tip}\n`),
  ];
  for (const [path, content] of Object.entries(options.files)) {
    checkPath(path);
    if (content === null) parts.push(Buffer.from(`D ${quotePath(path)}\n`));
    else parts.push(Buffer.from(`M 100644 inline ${quotePath(path)}\n`), data(content));
  }
  parts.push(Buffer.from('\ndone\n'));
  return Buffer.concat(parts);
}

function data(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from('\n')]);
}

function clean(text: string): string {
  return text.replace(/[<>\n\u0000]/g, '');
}

function checkPath(path: string): void {
  const bad = path
    .split('/')
    .some((part) => part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git');
  if (bad || path.includes('\u0000')) {
    throw gitError('GIT_REF_INVALID', `${JSON.stringify(path)} is no path in a repository`);
  }
}

function quotePath(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
