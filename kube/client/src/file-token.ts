import { readFile } from 'node:fs/promises';
import { CapstanError, messageOf } from '@capstan/lib-std';
import type { Credential, Credentials } from './connection.ts';

const freshMs = 60_000;

/**
 * A bearer token in a file that someone else renews (a projected service account token): read again after a minute, or at
 * once when the server refuses it. While the file cannot be read, the last token stays in use.
 */
export function fileTokenCredentials(
  path: string,
  headers: Credential['headers'] = {},
  now: () => number = Date.now,
): Credentials {
  let held: { readonly credential: Credential; readonly readAtMs: number } | undefined;
  const read = async (): Promise<Credential> => {
    try {
      const token = (await readFile(path, 'utf8')).trim();
      if (token === '') throw new Error('the file is empty');
      return { headers: { ...headers, authorization: `Bearer ${token}` } };
    } catch (error) {
      if (held !== undefined) return held.credential;
      throw new CapstanError(
        'TOKEN_UNREADABLE',
        `cannot read the token file ${path}: ${messageOf(error)}`,
        {
          kind: 'retry',
          hint: 'check the path and the permissions',
          cause: error,
        },
      );
    }
  };
  return {
    async current() {
      if (held !== undefined && now() - held.readAtMs < freshMs) return held.credential;
      const credential = await read();
      const isSame =
        held?.credential.headers['authorization'] === credential.headers['authorization'];
      held = { credential: isSame && held ? held.credential : credential, readAtMs: now() };
      return held.credential;
    },
    rejected(credential) {
      if (held?.credential === credential) held = { credential, readAtMs: 0 };
    },
  };
}
