import { ChartError } from '../chart-error.ts';

const KEYBOX_HEADER = 1;
const KEYBOX_OPENPGP = 2;
/** A key that GnuPG has written but does not yet count as part of the ring. */
const KEYBOX_EPHEMERAL = 0x0002;
const BLOB_MIN = 5;
const OPENPGP_BLOB_MIN = 16;

/** How the keys of a ring are packed: text between armour lines, or OpenPGP packets. */
export type KeyBytes =
  | { readonly kind: 'armored'; readonly text: string }
  | { readonly kind: 'packets'; readonly bytes: Uint8Array };

/** Tells the three forms of a public keyring apart: armoured, GnuPG's keybox (pubring.kbx), and plain packets. */
export function keyBytes(ring: Uint8Array): KeyBytes {
  if (isKeybox(ring)) return { kind: 'packets', bytes: keyboxKeys(ring) };
  const text = Buffer.from(ring.subarray(0, 64)).toString('latin1').trimStart();
  return text.startsWith('-----BEGIN PGP')
    ? { kind: 'armored', text: Buffer.from(ring).toString('utf8') }
    : { kind: 'packets', bytes: ring };
}

function isKeybox(ring: Uint8Array): boolean {
  const magic = Buffer.from(ring.subarray(8, 12)).toString('latin1');
  return ring.length >= 12 && ring[4] === KEYBOX_HEADER && magic === 'KBXf';
}

/**
 * The OpenPGP keys of a keybox, one after the other. A keybox is a row of blobs: length (4 bytes, big endian), type,
 * version; one that holds a key says at bytes 8 and 12 where in it the key begins and how long it is.
 */
function keyboxKeys(ring: Uint8Array): Uint8Array {
  const keys: Uint8Array[] = [];
  for (let at = 0; at < ring.length; ) {
    const rest = ring.subarray(at);
    if (rest.length < BLOB_MIN) throw damaged(`truncated blob header at offset ${at}`);
    const length = view(rest).getUint32(0);
    if (length < BLOB_MIN) throw damaged(`invalid blob length ${length} at offset ${at}`);
    if (length > rest.length) {
      throw damaged(
        `blob at offset ${at} has length ${length} exceeding the ${rest.length} remaining bytes`,
      );
    }
    const blob = rest.subarray(0, length);
    if (blob[4] === KEYBOX_OPENPGP) keys.push(...keyOfBlob(blob, at));
    at += length;
  }
  if (keys.length === 0) throw damaged('keybox contains no OpenPGP keys');
  return Buffer.concat(keys);
}

function keyOfBlob(blob: Uint8Array, at: number): readonly Uint8Array[] {
  if (blob.length < OPENPGP_BLOB_MIN) throw damaged(`OpenPGP blob at offset ${at} is too short`);
  const fields = view(blob);
  const from = fields.getUint32(8);
  const length = fields.getUint32(12);
  if (from + length > blob.length) {
    throw damaged(`OpenPGP blob at offset ${at} has an out-of-range keyblock`);
  }
  const isEphemeral = (fields.getUint16(6) & KEYBOX_EPHEMERAL) !== 0;
  return isEphemeral ? [] : [blob.subarray(from, from + length)];
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function damaged(message: string): ChartError {
  return new ChartError('PROVENANCE', `failed to load keyring: reading keybox: ${message}`);
}
