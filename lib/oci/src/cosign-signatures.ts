import { createHash } from 'node:crypto';
import { CapstanError, valueAt } from '@capstan/lib-std';
import type { OciRepository } from './registry.ts';
import type { LogEntry } from './transparency-log.ts';

const PAYLOAD_BYTES_MAX = 4 * 1024 * 1024;
const SIGNATURES_MAX = 100;
const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
const BUNDLE = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.\d+\+json|\+json;version=0\.\d+)$/;
const IN_TOTO = 'application/vnd.in-toto+json';
/** Of a layer, as cosign 2 writes them beside the payload. */
const ANNOTATIONS = {
  signature: 'dev.cosignproject.cosign/signature',
  certificate: 'dev.sigstore.cosign/certificate',
  log: 'dev.sigstore.cosign/bundle',
} as const;

/** What was signed, and the signature. It is about the right manifest already. */
export interface CosignSignature {
  /** The bytes that the signature is over. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  /** A Sigstore bundle as JSON, and the content where the bundle does not hold it; absent when no certificate came with it. */
  readonly bundle?: {
    readonly json: unknown;
    readonly content?: Uint8Array;
    /** DER of the signer's certificate, of cosign 2. */
    readonly certificate?: Uint8Array;
  };
}

/** The signatures of a manifest: bundles that refer to it (cosign 3), else those under the tag `sha256-….sig` (cosign 2). */
export async function cosignSignatures(
  repository: OciRepository,
  digest: string,
): Promise<readonly CosignSignature[]> {
  const bundles = await bundleSignatures(repository, digest);
  return bundles.length > 0 ? bundles : await tagSignatures(repository, digest);
}

async function tagSignatures(
  repository: OciRepository,
  digest: string,
): Promise<readonly CosignSignature[]> {
  const tag = `${digest.replace(':', '-')}.sig`;
  const manifest = await repository.manifest(tag).catch(unlessMissing);
  const found: CosignSignature[] = [];
  for (const layer of manifest?.layers.slice(0, SIGNATURES_MAX) ?? []) {
    const text = layer.annotations[ANNOTATIONS.signature];
    if (layer.mediaType !== SIMPLE_SIGNING || text === undefined) continue;
    const payload = await repository.blob(layer, PAYLOAD_BYTES_MAX);
    const critical = valueAt(parse(payload), 'critical');
    const about = valueAt(critical, 'image', 'docker-manifest-digest');
    if (about !== digest) continue;
    const certificate = derOf(layer.annotations[ANNOTATIONS.certificate]);
    found.push({
      signed: payload,
      signature: Buffer.from(text, 'base64'),
      ...(certificate === undefined
        ? {}
        : {
            bundle: {
              json: asBundle(layer.annotations, payload, certificate),
              content: payload,
              certificate,
            },
          }),
    });
  }
  return found;
}

/** What cosign 2 keeps in annotations, in the form of a bundle (sigstore/protobuf-specs, version 0.1). */
function asBundle(
  annotations: Readonly<Record<string, string>>,
  payload: Uint8Array,
  certificate: Uint8Array,
): unknown {
  const log = parseText(annotations[ANNOTATIONS.log]);
  const entry = {
    ...(valueAt(log, 'Payload') as Omit<LogEntry, 'signedEntryTimestamp'>),
    signedEntryTimestamp: String(valueAt(log, 'SignedEntryTimestamp')),
  };
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
    verificationMaterial: {
      x509CertificateChain: {
        certificates: [{ rawBytes: Buffer.from(certificate).toString('base64') }],
      },
      tlogEntries: log === undefined ? [] : [asBundleEntry(entry)],
    },
    messageSignature: {
      messageDigest: {
        algorithm: 'SHA2_256',
        digest: createHash('sha256').update(payload).digest('base64'),
      },
      signature: annotations[ANNOTATIONS.signature],
    },
  };
}

/** What a log tells of a signature, in the form of a bundle. */
export function asBundleEntry(entry: Partial<LogEntry>): unknown {
  const { body = '', logIndex = 0, logID = '', integratedTime = 0 } = entry;
  const content = parse(Buffer.from(body, 'base64'));
  return {
    logIndex: String(logIndex),
    logId: { keyId: Buffer.from(logID, 'hex').toString('base64') },
    kindVersion: { kind: valueAt(content, 'kind'), version: valueAt(content, 'apiVersion') },
    integratedTime: String(integratedTime),
    inclusionPromise: { signedEntryTimestamp: entry.signedEntryTimestamp },
    canonicalizedBody: body,
  };
}

/** The first certificate of a PEM. */
function derOf(pem: string | undefined): Uint8Array | undefined {
  const [, text] = /-----BEGIN CERTIFICATE-----([^-]*)-----END/.exec(pem ?? '') ?? [];
  return text === undefined ? undefined : Buffer.from(text, 'base64');
}

async function bundleSignatures(
  repository: OciRepository,
  digest: string,
): Promise<readonly CosignSignature[]> {
  const referrers = await repository.referrers(digest);
  const found: CosignSignature[] = [];
  for (const referrer of referrers.filter(({ artifactType }) => BUNDLE.test(artifactType))) {
    if (found.length >= SIGNATURES_MAX) break;
    const { layers } = await repository.manifest(referrer.digest);
    for (const layer of layers.filter(({ mediaType }) => BUNDLE.test(mediaType))) {
      const signed = readBundle(parse(await repository.blob(layer, PAYLOAD_BYTES_MAX)), digest);
      if (signed !== undefined) found.push(signed);
    }
  }
  return found;
}

/** A DSSE envelope around an in-toto statement about the manifest (secure-systems-lab/dsse, protocol). */
function readBundle(bundle: unknown, digest: string): CosignSignature | undefined {
  const envelope = valueAt(bundle, 'dsseEnvelope');
  const [type, text] = [valueAt(envelope, 'payloadType'), valueAt(envelope, 'payload')];
  const signatures = valueAt(envelope, 'signatures');
  const signature = Array.isArray(signatures) ? valueAt(signatures[0], 'sig') : undefined;
  if (type !== IN_TOTO || typeof text !== 'string' || typeof signature !== 'string')
    return undefined;
  const statement = Buffer.from(text, 'base64');
  const subjects = valueAt(parse(statement), 'subject');
  const isAbout =
    Array.isArray(subjects) &&
    subjects.some((subject) => `sha256:${String(valueAt(subject, 'digest', 'sha256'))}` === digest);
  if (!isAbout) return undefined;
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${statement.length} `;
  const material = valueAt(bundle, 'verificationMaterial');
  const hasCertificate =
    valueAt(material, 'certificate') !== undefined ||
    valueAt(material, 'x509CertificateChain') !== undefined;
  return {
    signed: Buffer.concat([Buffer.from(head), statement]),
    signature: Buffer.from(signature, 'base64'),
    ...(hasCertificate ? { bundle: { json: bundle } } : {}),
  };
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof CapstanError && error.code === 'OCI_NOT_FOUND') return undefined;
  throw error;
}

function parse(bytes: Uint8Array): unknown {
  return parseText(new TextDecoder().decode(bytes));
}

function parseText(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
