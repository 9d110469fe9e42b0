import { commitOf, type Mirror } from '@capstan/lib-git';
import type { CommitSummary } from './store-types.ts';

/** Who wrote a commit that is here, when and why, and the tags that stand on it. */
export function describeCommit(mirror: Mirror, id: string): CommitSummary {
  const commit = mirror.objects.readCommit(id);
  const refs = mirror.knownRefs;
  const tags = [...(refs?.ids.keys() ?? [])].flatMap((ref) =>
    ref.startsWith('refs/tags/') && refs !== undefined && commitOf(refs, ref) === id
      ? [ref.slice('refs/tags/'.length)]
      : [],
  );
  return {
    id,
    author: commit.author.name,
    email: commit.author.email,
    date: commit.author.date,
    subject: commit.message.split('\n', 1)[0] ?? '',
    message: commit.message,
    tags,
    signed: commit.signature !== 'none',
  };
}
