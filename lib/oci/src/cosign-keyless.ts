/**
 * Signatures without a key of one's own (Sigstore): a certificate of Fulcio names who signed, a transparency log or a timestamp
 * says when. Checked by Sigstore's own library against a root of trust; certificates need a proof of the certificate log.
 */

import { CapstanError, messageOf, valueAt } from '@capstan/lib-std';
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { noSignature } from './cosign.ts';
import { type CosignSignature, cosignSignatures } from './cosign-signatures.ts';
import type { OciRepository } from './registry.ts';

/** Who signed, as the certificate says. */
export interface SignerIdentity {
  readonly issuer: string;
  readonly subject: string;
}

export interface KeylessOptions {
  /** `trusted_root.json` of a Sigstore; see `publicTrustedRoot` for that of the public one. */
  readonly trustedRoot: unknown;
  readonly accepts: (signer: SignerIdentity) => boolean;
}

const PROBLEMS_MAX = 3;

/** Who signed a manifest by `cosign sign`, when it is somebody who counts. Throws OCI_SIGNATURE when there is no such signature. */
export async function verifyCosignKeyless(
  repository: OciRepository,
  digest: string,
  { trustedRoot, accepts }: KeylessOptions,
): Promise<SignerIdentity> {
  const verifier = new Verifier(toTrustMaterial(readRoot(trustedRoot)));
  const problems: string[] = [];
  for (const one of await cosignSignatures(repository, digest)) {
    try {
      const signer = identityOf(one, verifier);
      if (accepts(signer)) return signer;
      problems.push(
        `none of the expected identities matched what was in the certificate, got subjects [${signer.subject}] with issuer ${signer.issuer}`,
      );
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  const some = [...new Set(problems)].slice(0, PROBLEMS_MAX);
  throw noSignature(some, 'sign it: cosign sign; or correct matchOIDCIdentity');
}

function identityOf({ bundle }: CosignSignature, verifier: Verifier): SignerIdentity {
  if (bundle === undefined) throw new Error('no certificate found on signature');
  const entries = valueAt(bundle.json, 'verificationMaterial', 'tlogEntries');
  if (!Array.isArray(entries) || entries.length === 0) {
    throw new Error(
      'signature not found in transparency log: it brings no entry of the log (a bundle), and the log itself is not asked',
    );
  }
  const content = bundle.content === undefined ? undefined : Buffer.from(bundle.content);
  const entity = toSignedEntity(bundleFromJSON(bundle.json), content);
  const { identity } = verifier.verify(entity);
  return {
    issuer: identity?.extensions?.issuer ?? '',
    subject: identity?.subjectAlternativeName ?? '',
  };
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
