import { basename, dirname } from 'node:path';
import { runGit } from '@capstan/lib-git';

export interface Blame {
  readonly commit: string;
  readonly author: string;
  readonly date: string;
  readonly summary: string;
}

/** Who wrote a line last; undefined outside of a repository, and for what is not committed. */
export async function blameLine(path: string, line: number): Promise<Blame | undefined> {
  const range = `${line},${line}`;
  const folder = dirname(path);
  const answer = await runGit(
    ['-C', folder, 'blame', '--porcelain', '-L', range, '--', basename(path)],
    { timeoutMs: 10_000 },
  );
  if (answer.code !== 0) return undefined;
  const text = answer.stdout.toString('utf8');
  const commit = text.slice(0, text.indexOf(' '));
  if (/^0+$/.test(commit)) return undefined;
  const field = (name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1] ?? '';
  const seconds = Number(field('author-time'));
  return {
    commit: commit.slice(0, 12),
    author: `${field('author')} ${field('author-mail')}`.trim(),
    date: new Date(seconds * 1000).toISOString().slice(0, 10),
    summary: field('summary'),
  };
}
