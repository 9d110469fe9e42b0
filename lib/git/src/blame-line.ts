import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { runGit } from './run-git.ts';

/** Who wrote a line last. */
export interface LineAuthor {
  readonly commit: string;
  readonly author: string;
  readonly email: string;
  /** RFC 3339. */
  readonly date: string;
  readonly subject: string;
}

/** A file of a checkout, or of a commit in a bare repository. */
export type LinePlace =
  | { readonly path: string; readonly line: number }
  | {
      readonly gitDir: string;
      readonly commit: string;
      readonly path: string;
      readonly line: number;
    };

const TIMEOUT_MS = 10_000;

/** Undefined outside of a repository, for what is not committed, and where the history that is here does not go back far enough. */
export async function blameLine(place: LinePlace): Promise<LineAuthor | undefined> {
  const answer = await runGit(...blameCommand(place));
  if (answer.code !== 0) return undefined;
  const text = answer.stdout.toString('utf8');
  const commit = text.slice(0, text.indexOf(' '));
  if (/^0+$/.test(commit)) return undefined;
  if ('gitDir' in place && (await isCutOff(place.gitDir, commit))) return undefined;
  const field = (name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1] ?? '';
  return {
    commit,
    author: field('author'),
    email: field('author-mail').replace(/^<|>$/g, ''),
    date: new Date(Number(field('author-time')) * 1000).toISOString().replace(/\.\d+Z$/, 'Z'),
    subject: field('summary'),
  };
}

function blameCommand(place: LinePlace): Parameters<typeof runGit> {
  const range = `${place.line},${place.line}`;
  const how = ['blame', '--porcelain', '-L', range];
  if ('gitDir' in place) {
    const { gitDir, commit, path } = place;
    return [[...how, commit, '--', path], { gitDir, timeoutMs: TIMEOUT_MS }];
  }
  const { path } = place;
  return [['-C', dirname(path), ...how, '--', basename(path)], { timeoutMs: TIMEOUT_MS }];
}

/** The oldest commit of a shallow copy seems to have written everything that is older. */
async function isCutOff(gitDir: string, commit: string): Promise<boolean> {
  const shallow = await readFile(join(gitDir, 'shallow'), 'utf8').catch(() => '');
  return shallow.split('\n').includes(commit);
}
