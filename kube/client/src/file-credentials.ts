import { readFile } from 'node:fs/promises';
import { CapstanError, messageOf } from '@capstan/lib-std';
import type { Credential, Credentials } from './connection.ts';

const freshMs = 60_000;

/**
 * Credentials in files that someone else renews (a projected service account token, a rotated client certificate): read again
 * after a minute, or at once when the server refuses them. While they cannot be read, the last ones stay in use.
 */
export function fileCredentials(
  read: () => Promise<Credential>,
  now: () => number = () => performance.now(),
): Credentials {
  let held: { readonly credential: Credential; readonly readAtMs: number } | undefined;
  return {
    async current() {
      if (held !== undefined && now() - held.readAtMs < freshMs) return held.credential;
      const last = held?.credential;
      const credential = await read().catch((error: unknown) => {
        if (last === undefined) throw error;
        return last;
      });
      const isSame = JSON.stringify(last) === JSON.stringify(credential);
      held = { credential: isSame && last !== undefined ? last : credential, readAtMs: now() };
      return held.credential;
    },
    rejected(credential) {
      if (held?.credential === credential)
        held = { credential, readAtMs: Number.NEGATIVE_INFINITY };
    },
  };
}

/** A bearer token in a file. */
export function fileTokenCredentials(path: string): Credentials {
  return fileCredentials(async () => ({ headers: { authorization: await bearerIn(path) } }));
}

/** The Authorization header of a token in a file. */
export async function bearerIn(path: string): Promise<string> {
  try {
    const token = (await readFile(path, 'utf8')).trim();
    if (token === '') throw new Error('the file is empty');
    return `Bearer ${token}`;
  } catch (error) {
    throw new CapstanError(
      'TOKEN_UNREADABLE',
      `cannot read the token file ${path}: ${messageOf(error)}`,
      { kind: 'retry', hint: 'check the path and the permissions', cause: error },
    );
  }
}
