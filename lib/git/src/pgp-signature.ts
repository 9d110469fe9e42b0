import { messageOf } from '@capstan/lib-std';
import { gitError } from './errors.ts';

/**
 * Checks a detached OpenPGP signature against armored key rings. Answers the id of the primary key that signed; throws
 * GIT_SIGNATURE_INVALID, also for keys that were expired or revoked when they signed. The library is loaded at the first use.
 */
export async function verifyPgpSignature(
  payload: Uint8Array,
  armored: string,
  keyRings: readonly string[],
): Promise<string> {
  const openpgp = await import('openpgp');
  const signature = await openpgp
    .readSignature({ armoredSignature: armored })
    .catch((cause: unknown) => {
      throw invalid(`the PGP signature cannot be read: ${messageOf(cause)}`);
    });
  const message = await openpgp.createMessage({ binary: payload });
  let unreadable: unknown;
  let attempted = false;
  for (const armoredKeys of keyRings) {
    let keys: Awaited<ReturnType<typeof openpgp.readKeys>>;
    try {
      keys = await openpgp.readKeys({ armoredKeys });
    } catch (error) {
      unreadable ??= error;
      continue;
    }
    attempted = true;
    const { signatures } = await openpgp.verify({ message, signature, verificationKeys: keys });
    for (const { verified, keyID } of signatures) {
      const isGood = await verified.catch(() => false);
      const key = keys.find((one) => one.getKeys(keyID).length > 0);
      if (isGood && key !== undefined) return key.getKeyID().toHex().toUpperCase();
    }
  }
  if (!attempted && unreadable !== undefined) {
    throw invalid(`unable to read armored key ring: ${whyUnreadable(keyRings, unreadable)}`);
  }
  throw invalid('unable to verify payload with any of the given key rings: no matching key');
}

function whyUnreadable(keyRings: readonly string[], error: unknown): string {
  return keyRings.some((text) => text.includes('-----BEGIN PGP'))
    ? messageOf(error)
    : 'openpgp: invalid argument: no armored data found';
}

function invalid(message: string): Error {
  return gitError('GIT_SIGNATURE_INVALID', message, {
    hint: 'see which key signed it: git log --show-signature -1',
  });
}
