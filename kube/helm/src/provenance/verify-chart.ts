import { createHash } from 'node:crypto';
import { parseYaml } from '@capstan/lib-yaml';
import type { Key } from 'openpgp';
import { ChartError } from '../chart-error.ts';
import { keyBytes } from './keyring.ts';

/** Who signed a packed chart, and for which bytes. */
export interface ChartSignature {
  /** The names and addresses that the key carries. */
  readonly signedBy: readonly string[];
  /** Of the primary key, in upper case hexadecimal digits. */
  readonly fingerprint: string;
  /** `sha256:…` of the archive. */
  readonly fileHash: string;
}

export interface SignedChart {
  /** The packed chart, and its file name as the signature says it. */
  readonly archive: Uint8Array;
  readonly fileName: string;
  /** The text of the .prov file. */
  readonly provenance: Uint8Array;
  /** Public keys that are trusted: armoured, as packets, or GnuPG's keybox. */
  readonly keyring: Uint8Array;
}

/** A .prov file holds a Chart.yaml and a few sums: nothing larger is read. */
export const PROVENANCE_BYTES_MAX = 5 * 1024 * 1024;

/**
 * Checks a packed chart against its provenance file as `helm verify` does: the clear-signed text must be signed by a key of the
 * ring, and must name the sha256 of just this archive. Whatever cannot be checked is an error: PROVENANCE.
 */
export async function verifyChart(signed: SignedChart): Promise<ChartSignature> {
  if (signed.provenance.byteLength > PROVENANCE_BYTES_MAX) {
    throw unverified(`the provenance file has more than ${PROVENANCE_BYTES_MAX} bytes`);
  }
  const { text, key } = await signedText(signed);
  const fileHash = `sha256:${createHash('sha256').update(signed.archive).digest('hex')}`;
  const { fileName } = signed;
  const wanted = sumsOf(text)[fileName];
  if (wanted === undefined) {
    throw unverified(
      `provenance does not contain a SHA for a file named ${JSON.stringify(fileName)}`,
    );
  }
  if (wanted !== fileHash) {
    const sums = `${JSON.stringify(wanted)} != ${JSON.stringify(fileHash)}`;
    throw unverified(`sha256 sum does not match for ${fileName}: ${sums}`);
  }
  return {
    signedBy: key.getUserIDs(),
    fingerprint: key.getFingerprint().toUpperCase(),
    fileHash,
  };
}

/** The text that was signed, and by whom. The library is loaded when the first signature is met. */
async function signedText({ provenance, keyring }: SignedChart): Promise<{
  readonly text: string;
  readonly key: Key;
}> {
  const { readCleartextMessage, verify } = await import('openpgp');
  const keys = await readRing(keyring);
  const cleartext = Buffer.from(provenance).toString('utf8');
  const message = await readCleartextMessage({
    cleartextMessage: cleartext.slice(Math.max(0, cleartext.indexOf('-----BEGIN PGP SIGNED'))),
  }).catch((error: unknown) => {
    throw unverified('signature block not found', error);
  });
  const { data, signatures } = await verify({ message, verificationKeys: [...keys] });
  const failures: unknown[] = [];
  for (const { keyID, verified } of signatures) {
    const key = keys.find((candidate) => candidate.getKeys(keyID).length > 0);
    try {
      await verified;
      if (key !== undefined) return { text: data, key };
    } catch (error) {
      failures.push(error);
      if (key === undefined) continue;
      const reason = error instanceof Error ? error.message : String(error);
      throw unverified(`openpgp: invalid signature: ${reason}`, error);
    }
  }
  throw unverified('openpgp: signature made by unknown entity', failures[0]);
}

async function readRing(ring: Uint8Array): Promise<readonly Key[]> {
  const { readKeys } = await import('openpgp');
  const packed = keyBytes(ring);
  try {
    return packed.kind === 'packets'
      ? await readKeys({ binaryKeys: packed.bytes })
      : (
          await Promise.all(blocksOf(packed.text).map((block) => readKeys({ armoredKeys: block })))
        ).flat();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw unverified(`failed to load keyring: ${reason}`, error);
  }
}

/** An armoured ring may be several blocks, one after the other. */
function blocksOf(text: string): readonly string[] {
  return text.match(/-----BEGIN PGP [\s\S]*?-----END PGP [^\n]*-----/g) ?? [text];
}

/** The sums of the second YAML document: file name → `sha256:…`. */
function sumsOf(text: string): Readonly<Record<string, unknown>> {
  const [, sums] = text.replaceAll('\r\n', '\n').split('\n...\n');
  if (sums === undefined) throw unverified('message block must have at least two parts');
  const files = record(record(parseYaml(sums))['files']);
  return Object.assign(Object.create(null), files);
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? (value as Readonly<Record<string, unknown>>) : {};
}

function unverified(message: string, cause?: unknown): ChartError {
  return new ChartError('PROVENANCE', message, cause);
}
