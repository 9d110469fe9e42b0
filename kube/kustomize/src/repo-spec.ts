import { resolvePath } from '@capstan/lib-files';
import { failure } from './failure.ts';
import { parseInteger } from './field-path.ts';

/** A remote Git repository and a folder in it, as one reads it from a URL in `resources`. */
export interface RepoSpec {
  readonly raw: string;
  /** What git is told to fetch: host and repository path. */
  readonly cloneUrl: string;
  /** The folder in the repository, '' for its root. */
  readonly path: string;
  /** A branch, tag or commit; '' for the default branch. */
  readonly ref: string;
  readonly submodules: boolean;
  readonly timeoutMs: number;
}

const DEFAULT_TIMEOUT_MS = 27_000;
const SCHEMES = ['ssh://', 'https://', 'http://', 'file://'] as const;

/** Reads a URL as the original does; undefined when it is none of a repository. */
export function parseRepoSpec(raw: string): RepoSpec | undefined {
  // Without a scheme, a user or GitHub's name it is a path, and most are.
  if (!/:\/\/|@|github\.com/i.test(raw)) return undefined;
  try {
    return readRepoSpec(raw);
  } catch {
    return undefined;
  }
}

/** As `parseRepoSpec`, with the reason as an error. */
export function readRepoSpec(raw: string): RepoSpec {
  if (raw.startsWith('/')) throw failure(`uri looks like abs path: ${raw}`);
  const question = raw.indexOf('?');
  const url = question < 0 ? raw : raw.slice(0, question);
  const query = parseQuery(question < 0 ? '' : raw.slice(question + 1));
  const { host, rest } = splitHost(url);
  const { repository, folder } = splitFolder(rest, host.startsWith('file://'));
  if (repository === '') throw failure('failed to parse repo path segment');
  if (leavesRepository(folder)) throw failure(`url path exits repo: ${rest}`);
  return { raw, cloneUrl: host + repository, path: folder.replace(/^\//, ''), ...query };
}

function leavesRepository(folder: string): boolean {
  return resolvePath('', folder.replace(/^\//, '')) === undefined;
}

function parseQuery(query: string): Pick<RepoSpec, 'ref' | 'submodules' | 'timeoutMs'> {
  const values = new Map<string, string>();
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    try {
      const name = decodeQuery(at < 0 ? pair : pair.slice(0, at));
      if (!values.has(name)) values.set(name, decodeQuery(at < 0 ? '' : pair.slice(at + 1)));
    } catch {
      return { ref: '', submodules: true, timeoutMs: DEFAULT_TIMEOUT_MS };
    }
  }
  const flag = values.get('submodules') ?? '';
  return {
    ref: values.get('ref') || values.get('version') || '',
    submodules: !/^(?:0|f|F|false|FALSE|False)$/.test(flag),
    timeoutMs: parseTimeoutMs(values.get('timeout') ?? '') ?? DEFAULT_TIMEOUT_MS,
  };
}

function decodeQuery(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

const UNITS_MS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/** Seconds, or a duration such as `1m30s`; undefined when it is neither or not above zero. */
function parseTimeoutMs(text: string): number | undefined {
  const seconds = parseInteger(text);
  if (seconds !== undefined) return seconds > 0 ? seconds * 1000 : undefined;
  if (!/^\+?(?:\d+(?:\.\d*)?(?:h|ms|m|s|us|µs|ns))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d*)?)(h|ms|m|s|us|µs|ns)/g)) {
    total += Number(amount) * UNITS_MS[unit!]!;
  }
  return total > 0 ? total : undefined;
}

function splitHost(url: string): { host: string; rest: string } {
  let rest = /^git::/i.test(url) ? url.slice(5) : url;
  const scheme = SCHEMES.find((known) => rest.slice(0, known.length).toLowerCase() === known) ?? '';
  rest = rest.slice(scheme.length);
  const user = /^[a-zA-Z][a-zA-Z0-9-]*@/.exec(rest)?.[0] ?? '';
  rest = rest.slice(user.length);
  const isGithub = /^github\.com[/:]/i.test(rest);
  const scpStyle = scheme === '' && (user !== '' || isGithub);
  if (scheme === '' && !scpStyle) throw failure('failed to parse scheme');
  if (scheme === 'file://') return { host: scheme, rest: user + rest };
  const at = separatorIndex(rest, scpStyle);
  const name = at < 0 ? rest : rest.slice(0, at + 1);
  const tail = at < 0 ? '' : rest.slice(at + 1);
  if (isGithub) {
    const overSsh = scheme === 'ssh://' || user !== '';
    return { host: overSsh ? `${user}github.com:` : 'https://github.com/', rest: tail };
  }
  if (name === '') throw failure('failed to parse host segment');
  return { host: scheme + user + name, rest: tail };
}

function separatorIndex(text: string, scpStyle: boolean): number {
  const slash = text.indexOf('/');
  if (!scpStyle) return slash;
  const colon = text.indexOf(':');
  return slash < 0 || (colon > 0 && colon < slash) ? colon : slash;
}

/** Where the repository's path ends: after `_git/<name>`, before `//`, after `.git`, or after two names. */
function splitFolder(text: string, isFile: boolean): { repository: string; folder: string } {
  const azure = text.indexOf('_git/');
  if (azure >= 0) {
    const names = text.slice(azure + 5).split('/');
    return {
      repository: text.slice(0, azure + 5) + names[0],
      folder: names.slice(1).join('/'),
    };
  }
  const double = text.indexOf('//');
  if (double >= 0) return { repository: text.slice(0, double), folder: text.slice(double + 2) };
  const suffix = text.indexOf('.git');
  if (suffix >= 0) {
    return { repository: text.slice(0, suffix + 4), folder: text.slice(suffix + 4) };
  }
  if (isFile) return { repository: text, folder: '' };
  const names = text.split('/');
  if (names.length < 2) throw failure('failed to parse repo path segment');
  return { repository: names.slice(0, 2).join('/'), folder: names.slice(2).join('/') };
}

/** Whether the path is the address of a file on a web server. */
export function isRemoteFile(path: string): boolean {
  return /^https?:/i.test(path) && !/[\x00-\x20\x7f]/.test(path);
}
