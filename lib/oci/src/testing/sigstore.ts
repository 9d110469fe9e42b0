/** For tests: a Sigstore of one's own: an authority with its certificate log, a transparency log, and their root of trust. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { initializeCA, initializeCTLog, initializeTLog } from '@sigstore/mock';
import type { LogEntry as ToldEntry } from '../transparency-log.ts';

export interface OwnSigstore {
  /** `trusted_root.json`. */
  readonly trustedRoot: unknown;
  /** A certificate for a fresh key, and what signs with it. */
  issue(signer: { readonly issuer: string; readonly subject: string }): Promise<{
    readonly certificate: Buffer;
    sign(bytes: Uint8Array): Buffer;
  }>;
  /** Enters a record into the transparency log. */
  log(entry: object): Promise<LogEntry>;
}

export interface LogEntry extends ToldEntry {
  /** Of a log that holds this entry alone. */
  readonly checkpoint: string;
}

const ISSUER_V1 = '1.3.6.1.4.1.57264.1.1';
const ISSUER_V2 = '1.3.6.1.4.1.57264.1.8';
const START = { start: '2020-01-01T00:00:00Z' };

export async function createSigstore(): Promise<OwnSigstore> {
  const keys = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const ctLog = await initializeCTLog(keys());
  const authority = await initializeCA(
    generateKeyPairSync('ec', { namedCurve: 'secp384r1' }),
    ctLog,
  );
  const log = await initializeTLog('https://rekor.example.com', keys());
  const logInstance = (baseUrl: string, publicKey: Buffer) => ({
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: publicKey.toString('base64'),
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      validFor: START,
    },
    logId: { keyId: createHash('sha256').update(publicKey).digest('base64') },
  });
  return {
    trustedRoot: {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [logInstance('https://rekor.example.com', log.publicKey)],
      ctlogs: [logInstance('https://ctfe.example.com', ctLog.publicKey)],
      certificateAuthorities: [
        {
          subject: { organization: 'sigstore.mock', commonName: 'sigstore' },
          uri: 'https://fulcio.example.com',
          certChain: {
            certificates: [{ rawBytes: bufferOf(authority.rootCertificate).toString('base64') }],
          },
          validFor: START,
        },
      ],
      timestampAuthorities: [],
    },
    async issue({ issuer, subject }) {
      const { publicKey, privateKey } = keys();
      const certificate = await authority.issueCertificate({
        publicKey: publicKey.export({ type: 'spki', format: 'der' }),
        subjectAltName: subject,
        extensions: [
          { oid: ISSUER_V1, value: issuer, legacy: true },
          { oid: ISSUER_V2, value: issuer },
        ],
      });
      return {
        certificate: bufferOf(certificate),
        sign: (bytes) => sign('sha256', bytes, privateKey),
      };
    },
    async log(entry) {
      const entries = (await log.log(entry)) as Readonly<Record<string, LoggedEntry>>;
      const [made] = Object.values(entries);
      if (made === undefined) throw new Error('the log takes nothing');
      const { signedEntryTimestamp, inclusionProof } = made.verification;
      return { ...made, signedEntryTimestamp, checkpoint: inclusionProof.checkpoint };
    },
  };
}

/** As Rekor answers. */
interface LoggedEntry extends Omit<LogEntry, 'signedEntryTimestamp' | 'checkpoint'> {
  readonly verification: {
    readonly signedEntryTimestamp: string;
    readonly inclusionProof: { readonly checkpoint: string };
  };
}

function bufferOf({ buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
