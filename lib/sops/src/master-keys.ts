import { messageOf } from '@capstan/lib-std';
import { combineShares } from './combine-shares.ts';
import { sopsError } from './sops-error.ts';
import type { MasterKey, SopsMetadata } from './sops-metadata.ts';

/** What may open files. */
export interface SopsKeys {
  /** `AGE-SECRET-KEY-1…`, one each; lines of key files with comments are fine. */
  readonly age?: readonly string[];
  /** Armored private keys without a passphrase. */
  readonly pgp?: readonly string[];
  /** Opens what services encrypted: Vault, and those of the clouds. Answers undefined for what it does not know. */
  readonly open?: (key: ServiceKey) => Promise<Uint8Array | undefined>;
}

/** A key that a service keeps, and what it encrypted. */
export interface ServiceKey extends MasterKey {
  readonly enc: string;
}

/** Which keys were tried, and why services did not open them. */
interface Tried {
  readonly names: string[];
  readonly reasons: string[];
}

const DATA_KEY_BYTES = 32;

/** The key that encrypts the values: one that opens suffices, or one of each of so many groups. Throws SOPS_NO_KEY. */
export async function openDataKey(
  { groups, threshold }: SopsMetadata,
  keys: SopsKeys,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const tried: Tried = { names: [], reasons: [] };
  const isSplit = groups.length > 1;
  const needed = isSplit ? threshold || groups.length : 1;
  for (const group of groups) {
    const part = await openGroup(group, keys, tried);
    if (part !== undefined) parts.push(part);
    if (parts.length >= needed) break;
  }
  if (parts.length < needed) {
    const names = [...new Set(tried.names)].join(', ');
    const reasons = tried.reasons.map((reason) => `; ${reason}`).join('');
    throw sopsError(
      'SOPS_NO_KEY',
      `none of the given keys opens the file${names === '' ? '' : ` (it is encrypted for ${names})`}${reasons}`,
      'give the private key of one of its recipients, or encrypt it for one that is given: sops updatekeys',
    );
  }
  const [first] = parts;
  const dataKey = isSplit ? combineShares(parts) : first;
  if (dataKey?.length === DATA_KEY_BYTES) return dataKey;
  throw sopsError('SOPS_DAMAGED', 'the data key has a wrong length');
}

async function openGroup(
  group: readonly MasterKey[],
  keys: SopsKeys,
  tried: Tried,
): Promise<Uint8Array | undefined> {
  for (const key of group) {
    tried.names.push(describe(key));
    // A key that does not fit is no fault: another one may.
    const opened = await openOne(key, keys).catch((error: unknown) => {
      if (key.service !== 'age' && key.service !== 'pgp') {
        tried.reasons.push(`${describe(key)}: ${messageOf(error)}`);
      }
      return undefined;
    });
    if (opened !== undefined) return opened;
  }
  return undefined;
}

function describe({ service, fields }: MasterKey): string {
  const name =
    fields['recipient'] ??
    fields['fp'] ??
    fields['arn'] ??
    fields['resource_id'] ??
    fields['key_name'] ??
    fields['name'];
  return typeof name === 'string' ? `${service} ${name.slice(0, 100)}` : service;
}

async function openOne(key: MasterKey, keys: SopsKeys): Promise<Uint8Array | undefined> {
  const enc = key.fields['enc'];
  if (typeof enc !== 'string') return undefined;
  switch (key.service) {
    case 'age':
      return await openWithAge(enc, keys.age ?? []);
    case 'pgp':
      return await openWithPgp(enc, keys.pgp ?? []);
    default:
      return await keys.open?.({ ...key, enc });
  }
}

async function openWithAge(enc: string, given: readonly string[]): Promise<Uint8Array | undefined> {
  const identities = given
    .flatMap((text) => text.split(/\r?\n/))
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (identities.length === 0) return undefined;
  const { Decrypter, armor } = await import('age-encryption');
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  return await decrypter.decrypt(armor.decode(enc));
}

async function openWithPgp(enc: string, given: readonly string[]): Promise<Uint8Array | undefined> {
  if (given.length === 0) return undefined;
  const openpgp = await import('openpgp');
  for (const armoredKeys of given) {
    const decryptionKeys = await openpgp.readPrivateKeys({ armoredKeys });
    const message = await openpgp.readMessage({ armoredMessage: enc });
    const opened = await openpgp
      .decrypt({
        message,
        decryptionKeys,
        format: 'binary',
        config: { allowInsecureDecryptionWithSigningKeys: true },
      })
      .catch(() => undefined);
    if (opened !== undefined) return opened.data;
  }
  return undefined;
}
