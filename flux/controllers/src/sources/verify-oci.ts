/** `spec.verify` of OCIRepositories and HelmCharts: cosign with keys, cosign without (Sigstore), notation. */
import { createHash } from 'node:crypto';
import type { OCIVerification } from '@capstan/flux-api';
import {
  type HttpGet,
  type OciRepository,
  publicTrustedRoot,
  type SignatureForm,
  type SignerIdentity,
  verifyCosign,
  verifyCosignKeyless,
  verifyNotation,
} from '@capstan/lib-oci';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { parseJson as parseGoJson } from '@capstan/lib-yaml';
import { RE2JS } from 're2js';
import type { SecretData } from './secret-contents.ts';
import { findSecret, readSecret, type SecretReader } from './source-secrets.ts';

export interface VerifiedManifest {
  readonly repository: OciRepository;
  readonly digest: string;
  /** `registry/path`. */
  readonly name: string;
  readonly nowMs: number;
  /** As the registry is asked, so are transparency logs and the authorities of certificates. */
  readonly get: HttpGet;
}

/** Throws when there is no signature that counts. `ignored`: the trust policy does not ask for one. */
export type OciVerifier = (manifest: VerifiedManifest) => Promise<'verified' | 'ignored'>;

/** What failures begin with. */
export function verificationPrefix({ provider, secretRef }: OCIVerification): string {
  const isKeyless = secretRef === undefined && provider === 'cosign';
  return `failed to verify the signature using provider '${provider}${isKeyless ? ' keyless' : ''}': `;
}

/** What a specification asks for, with its keys and policies read. `name` is what errors call the manifest. */
export async function openVerifier(
  wanted: OCIVerification,
  {
    reader,
    name,
    nowMs,
  }: { readonly reader: SecretReader; readonly name: string; readonly nowMs: number },
): Promise<OciVerifier> {
  const place = `'${reader.namespace}/${wanted.secretRef?.name}'`;
  if (wanted.provider === 'notation') {
    if (wanted.secretRef === undefined) {
      throw failure(`verification secret cannot be empty: '${name}'`);
    }
    return policyVerifier(await readMaterial(reader, wanted.secretRef.name), place);
  }
  if (wanted.provider !== 'cosign') {
    throw failure(`unsupported verification provider: ${wanted.provider}`);
  }
  if (wanted.secretRef === undefined) {
    const problemWith = signerFilter(wanted);
    const trustedRoot = await readTrustedRoot(wanted, reader, nowMs);
    return async ({ repository, digest, get }) => {
      await verifyCosignKeyless(repository, digest, { trustedRoot, problemWith, get });
      return 'verified';
    };
  }
  const data = await readMaterial(reader, wanted.secretRef.name);
  const keys = [...data].flatMap(([key, value]) => (key.endsWith('.pub') ? [value] : []));
  if (keys.length === 0) throw failure(`no public keys found in secret ${place}`);
  return async ({ repository, digest }) => {
    await verifyCosign(repository, digest, keys);
    return 'verified';
  };
}

/** What decides about signatures besides the specification; another one when a key was exchanged. */
export async function verificationFingerprint(
  { secretRef, trustedRootSecretRef }: OCIVerification,
  reader: SecretReader,
): Promise<string> {
  const hash = createHash('sha256');
  for (const ref of [secretRef, trustedRootSecretRef]) {
    const data = ref === undefined ? undefined : await findSecret(reader, ref.name);
    const entries = [...(data ?? [])].map(([key, value]) => [key, value.toString('base64')]);
    hash.update(JSON.stringify(data === undefined ? null : entries.toSorted()));
  }
  return hash.digest('hex');
}

async function readMaterial(reader: SecretReader, name: string): Promise<SecretData> {
  return await readSecret(reader, name, '');
}

const POLICY = 'trustpolicy.json';

function policyVerifier(data: SecretData, place: string): OciVerifier {
  const policy = data.get(POLICY);
  if (policy === undefined) throw failure(`'${POLICY}' not found in secret ${place}`);
  const certificates = [...data].flatMap(([key, value]) =>
    /\.(crt|pem)$/.test(key) ? [value] : [],
  );
  if (certificates.length === 0) throw failure(`no certificates found in secret ${place}`);
  const document = parseJson(policy, `error occurred while parsing ${POLICY}`);
  return async ({ repository, digest, name, nowMs, get }) =>
    await verifyNotation(repository, digest, {
      policy: document,
      certificates,
      repository: name,
      nowMs,
      get,
    });
}

const ROOT = 'trusted_root.json';

async function readTrustedRoot(
  { trustedRootSecretRef }: OCIVerification,
  reader: SecretReader,
  nowMs: number,
): Promise<unknown> {
  if (trustedRootSecretRef === undefined) return await publicTrustedRoot(nowMs);
  const place = `'${reader.namespace}/${trustedRootSecretRef.name}'`;
  const prefix = `failed to read trusted root from secret ${place}: `;
  const data = await readSecret(reader, trustedRootSecretRef.name, prefix);
  const text = data.get(ROOT);
  if (text === undefined) throw failure(`${prefix}'${ROOT}' not found in secret ${place}`);
  return parseJson(text, 'unable to parse trusted root');
}

/**
 * Both expressions of one entry must be found. Without entries everybody counts whom Sigstore knows, as in the original, but not
 * by a bundle: there the original wants one.
 */
export function signerFilter({
  matchOIDCIdentity = [],
}: Pick<OCIVerification, 'matchOIDCIdentity'>): (
  signer: SignerIdentity,
  form: SignatureForm,
) => string | undefined {
  const compile = (expression: string) => {
    try {
      return RE2JS.compile(expression);
    } catch (cause) {
      throw failure(`${JSON.stringify(expression)} is no regular expression`, cause);
    }
  };
  const matchers = matchOIDCIdentity.map(({ issuer, subject }) => ({
    issuer: { text: issuer, pattern: compile(issuer) },
    subject: { text: subject, pattern: compile(subject) },
  }));
  return (signer, form) => {
    if (matchers.length === 0) return form === 'tag' ? undefined : NO_IDENTITY;
    const mismatches = matchers.map(
      ({ issuer, subject }) =>
        mismatch('issuer', issuer, signer.issuer) ?? mismatch('SAN', subject, signer.subject),
    );
    if (mismatches.includes(undefined)) return undefined;
    return form === 'bundle'
      ? `failed to verify certificate identity: no matching CertificateIdentity found, last error: ${mismatches.at(-1)}`
      : `none of the expected identities matched what was in the certificate, got subjects [${bare(signer.subject)}] with issuer ${signer.issuer}`;
  };
}

const NO_IDENTITY =
  "failed to build policy: can't verify identities without providing at least one identity";

function mismatch(
  what: string,
  { text, pattern }: { readonly text: string; readonly pattern: RE2JS },
  found: string,
): string | undefined {
  if (pattern.matcher(found).find()) return undefined;
  return `expected ${what} value to match regex "${text}", got "${bare(found)}"`;
}

/** Without the scheme where an `@` follows: it stands before a reference here, and would be taken for a password. */
function bare(subject: string): string {
  return subject.includes('@') ? subject.replace(/^https:\/\//, '') : subject;
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return parseGoJson(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw failure(`${what}: ${messageOf(cause)}`, cause);
  }
}

function failure(message: string, cause?: unknown): CapstanError {
  return new CapstanError('VERIFICATION', message, {
    kind: 'retry',
    ...(cause === undefined ? {} : { cause }),
  });
}
