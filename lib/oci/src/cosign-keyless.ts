/**
 * Signatures without a key of one's own (Sigstore): a certificate of Fulcio names who signed, a transparency log or a timestamp
 * says when. Checked by Sigstore's own library against a root of trust; certificates need a proof of the certificate log.
 */

import { CapstanError, messageOf, valueAt } from '@capstan/lib-std';
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import {
  type SignedEntity,
  type TrustMaterial,
  toSignedEntity,
  toTrustMaterial,
  Verifier,
} from '@sigstore/verify';
import { noSignature } from './cosign.ts';
import { asBundleEntry, type CosignSignature, cosignSignatures } from './cosign-signatures.ts';
import type { HttpGet } from './http-port.ts';
import type { OciRepository } from './registry.ts';
import { findLogEntries } from './transparency-log.ts';

/** Who signed, as the certificate says. */
export interface SignerIdentity {
  readonly issuer: string;
  readonly subject: string;
}

/** How a signature came: as cosign 2 keeps it beside an image, or as a bundle that refers to one (cosign 3). */
export type SignatureForm = 'tag' | 'bundle';

export interface KeylessOptions {
  /** `trusted_root.json` of a Sigstore; see `publicTrustedRoot` for that of the public one. */
  readonly trustedRoot: unknown;
  /** Why a signer does not count; undefined when he does. */
  readonly problemWith: (signer: SignerIdentity, form: SignatureForm) => string | undefined;
  /** Asks the transparency log for entries that did not come with their signatures. */
  readonly get: HttpGet;
}

const PROBLEMS_MAX = 3;

/** Who signed a manifest by `cosign sign`, when it is somebody who counts. Throws OCI_SIGNATURE when there is no such signature. */
export async function verifyCosignKeyless(
  repository: OciRepository,
  digest: string,
  { trustedRoot, problemWith, get }: KeylessOptions,
): Promise<SignerIdentity> {
  const root = readRoot(trustedRoot);
  const log = { get, url: logUrlOf(root) };
  const material = toTrustMaterial(root);
  const problems: string[] = [];
  let form: SignatureForm = 'tag';
  for (const one of await cosignSignatures(repository, digest)) {
    form = one.bundle?.content === undefined && one.bundle !== undefined ? 'bundle' : 'tag';
    try {
      const signer = await identityOf(one, material, log);
      const problem = problemWith(signer, form);
      if (problem === undefined) return signer;
      problems.push(problem);
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  const some = [...new Set(problems)].slice(0, PROBLEMS_MAX);
  throw noSignature(some, {
    what: form === 'tag' ? 'signatures' : 'attestations',
    hint: 'sign it: cosign sign; or correct matchOIDCIdentity',
  });
}

interface TransparencyLog {
  readonly get: HttpGet;
  readonly url: string;
}

async function identityOf(
  signature: CosignSignature,
  material: TrustMaterial,
  log: TransparencyLog,
): Promise<SignerIdentity> {
  const { bundle } = signature;
  if (bundle === undefined) throw new Error('no certificate found on signature');
  const content = bundle.content === undefined ? undefined : Buffer.from(bundle.content);
  const entity = toSignedEntity(bundleFromJSON(await withTime(signature, log)), content);
  const { identity } = new Verifier(withNamesOf(entity, material)).verify(entity);
  return {
    issuer: identity?.extensions?.issuer ?? '',
    subject: identity?.subjectAlternativeName ?? '',
  };
}

/**
 * A bundle with the proof of time that counts. That is the log's: an authority's (RFC 3161) is looked at only beside entries of
 * logs that tell no time. Without an entry the log is asked, as long as the signature is in cosign 2's form.
 */
async function withTime(
  { bundle, signed, signature }: CosignSignature,
  log: TransparencyLog,
): Promise<unknown> {
  const material = valueAt(bundle?.json, 'verificationMaterial');
  const given = valueAt(material, 'tlogEntries');
  let entries: readonly unknown[] = Array.isArray(given) ? given : [];
  if (entries.length === 0 && bundle?.certificate !== undefined) {
    const wanted = { signed, signature, certificate: bundle.certificate };
    entries = (await findLogEntries(log.get, log.url, wanted)).slice(0, 1).map(asBundleEntry);
  }
  const isTimed = entries.some((one) => Number(valueAt(one, 'integratedTime') ?? 0) !== 0);
  const { timestampVerificationData: stamps, ...rest } = material as Readonly<
    Record<string, unknown>
  >;
  return {
    ...(bundle?.json as object),
    verificationMaterial: {
      ...rest,
      tlogEntries: entries,
      ...(isTimed || stamps === undefined ? {} : { timestampVerificationData: stamps }),
    },
  };
}

/**
 * The library wants a checkpoint to be signed in the name of the log's address. Of logs that tell a time cosign asks for the right
 * key alone: such names are a setting of theirs.
 */
function withNamesOf({ tlogEntries }: SignedEntity, material: TrustMaterial): TrustMaterial {
  const names = tlogEntries
    .filter(({ integratedTime }) => integratedTime !== '0')
    .flatMap(({ inclusionProof }) => [
      ...(inclusionProof?.checkpoint?.envelope ?? '').matchAll(/^\u2014 (\S+) /gm),
    ])
    .map(([, name]) => name);
  const tlogs = material.tlogs.map((one) => ({
    ...one,
    baseURL: [one.baseURL, ...names].join(' '),
  }));
  return { ...material, tlogs };
}

/** Of the first log that has an address. */
function logUrlOf({ tlogs }: TrustedRoot): string {
  const found = tlogs.find(({ baseUrl }) => baseUrl !== '');
  if (found !== undefined) return found.baseUrl;
  const what = tlogs.length === 0 ? 'entries found' : 'entry with a BaseURL found';
  throw new CapstanError(
    'OCI_SIGNATURE',
    `unable to extract Rekor URL from trusted root: no transparency log ${what} in trusted root`,
  );
}

function readRoot(json: unknown): TrustedRoot {
  try {
    return TrustedRoot.fromJSON(json);
  } catch (cause) {
    throw new CapstanError('OCI_SIGNATURE', `unable to parse trusted root: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** How long the public root is taken as it is, and how long it is not asked for again when that failed. */
const KEPT_MS = 24 * 3_600_000;
const RETRY_MS = 60_000;

let held: { readonly untilMs: number; readonly root: Promise<unknown> } | undefined;

/** The root of trust of the public Sigstore, fetched and checked by TUF once for all. */
export async function publicTrustedRoot(nowMs: number): Promise<unknown> {
  if (held === undefined || nowMs >= held.untilMs) {
    const root = fetchTrustedRoot();
    held = { untilMs: nowMs + KEPT_MS, root };
    root.catch(() => {
      held = { untilMs: nowMs + RETRY_MS, root };
    });
  }
  return await held.root;
}

async function fetchTrustedRoot(): Promise<unknown> {
  try {
    // Loaded for those who verify against it alone.
    const { getTrustedRoot } = await import('@sigstore/tuf');
    return TrustedRoot.toJSON(await getTrustedRoot());
  } catch (cause) {
    throw new CapstanError(
      'OCI_SIGNATURE',
      `unable to initialize trusted root: ${messageOf(cause)}`,
      {
        hint: 'let this process reach tuf-repo-cdn.sigstore.dev, or name a trustedRootSecretRef',
        cause,
      },
    );
  }
}
