import type { TreeEntry } from '@capstan/lib-files';
import { gitError } from './errors.ts';

export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag';

export interface GitObject {
  readonly type: ObjectType;
  readonly bytes: Uint8Array;
}

/** An entry as FileTree has it; a submodule shows as a folder, of which nothing is in this repository. */
export interface GitTreeEntry extends TreeEntry {
  readonly isSubmodule: boolean;
}

export interface Person {
  readonly name: string;
  readonly email: string;
  /** RFC 3339 with the writer's own offset. */
  readonly date: string;
}

export interface Commit {
  readonly id: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Person;
  readonly committer: Person;
  readonly message: string;
  readonly signature: 'none' | 'pgp' | 'ssh' | 'x509';
}

export function parseCommit(id: string, bytes: Uint8Array): Commit {
  const { headers, message } = splitHeaders(bytes);
  const tree = headers.get('tree')?.[0];
  const author = headers.get('author')?.[0];
  const committer = headers.get('committer')?.[0];
  if (tree === undefined || author === undefined || committer === undefined) {
    throw corrupt('commit');
  }
  return {
    id,
    tree,
    parents: headers.get('parent') ?? [],
    author: parsePerson(author),
    committer: parsePerson(committer),
    message,
    signature: signatureKind(headers.get('gpgsig')?.[0] ?? headers.get('gpgsig-sha256')?.[0]),
  };
}

/** The object that an annotated tag points at. */
export function parseTagTarget(bytes: Uint8Array): { readonly id: string; readonly type: string } {
  const { headers } = splitHeaders(bytes);
  const id = headers.get('object')?.[0];
  const type = headers.get('type')?.[0];
  if (id === undefined || type === undefined) throw corrupt('tag');
  return { id, type };
}

/** `key value` lines up to the first empty one; a line that starts with a space goes on with the value before. */
function splitHeaders(bytes: Uint8Array): {
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly message: string;
} {
  const text = new TextDecoder().decode(bytes);
  const end = text.indexOf('\n\n');
  const head = end < 0 ? text : text.slice(0, end);
  const headers = new Map<string, string[]>();
  let last: string[] | undefined;
  for (const line of head.split('\n')) {
    if (line.startsWith(' ') && last !== undefined) {
      last[last.length - 1] += `\n${line.slice(1)}`;
      continue;
    }
    const space = line.indexOf(' ');
    const key = space < 0 ? line : line.slice(0, space);
    last = headers.get(key) ?? [];
    headers.set(key, last);
    last.push(space < 0 ? '' : line.slice(space + 1));
  }
  return { headers, message: end < 0 ? '' : text.slice(end + 2) };
}

function parsePerson(text: string): Person {
  const found = /^(.*?) ?<([^>]*)> ?(-?\d+)? ?([+-]\d{4})?/.exec(text);
  if (found === null) return { name: text, email: '', date: formatDate(0, '+0000') };
  return {
    name: found[1] ?? '',
    email: found[2] ?? '',
    date: formatDate(Number(found[3] ?? 0), found[4] ?? '+0000'),
  };
}

function formatDate(seconds: number, offset: string): string {
  const minutes = (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3))) * sign(offset);
  const shifted = new Date((seconds + minutes * 60) * 1000);
  if (Number.isNaN(shifted.getTime())) return '1970-01-01T00:00:00Z';
  const zone = minutes === 0 ? 'Z' : `${offset.slice(0, 3)}:${offset.slice(3)}`;
  return `${shifted.toISOString().slice(0, 19)}${zone}`;
}

function sign(offset: string): number {
  return offset.startsWith('-') ? -1 : 1;
}

function signatureKind(text: string | undefined): Commit['signature'] {
  if (text === undefined) return 'none';
  if (text.includes('BEGIN SSH SIGNATURE')) return 'ssh';
  return text.includes('BEGIN SIGNED MESSAGE') ? 'x509' : 'pgp';
}

export function corrupt(what: string): Error {
  return gitError('GIT_OBJECT_CORRUPT', `a ${what} object cannot be read`, {
    hint: 'delete the cache folder; it is filled again from the remote',
  });
}
