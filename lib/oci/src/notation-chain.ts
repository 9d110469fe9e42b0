/** What the Notary Project asks of chains of certificates (signature specification, certificate requirements). */
import {
  issueProblem,
  type KEY_USAGES,
  type KeyUsage,
  nameText,
  type ReadCertificate,
  sameBytes,
  signatureProblem,
} from '@capstan/lib-x509';

export type ChainPurpose = 'code signing' | 'timestamping';

const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
/** What a signer's certificate must not be for. */
const EXCLUDED: readonly (readonly [id: string, name: string])[] = [
  ['1.3.6.1.5.5.7.3.1', 'ServerAuth'],
  ['1.3.6.1.5.5.7.3.2', 'ClientAuth'],
  ['1.3.6.1.5.5.7.3.4', 'EmailProtection'],
  [TIME_STAMPING, 'Timestamping'],
  ['1.3.6.1.5.5.7.3.9', 'OCSPSigning'],
];
const UNWANTED = {
  keyEncipherment: 'KeyEncipherment',
  dataEncipherment: 'DataEncipherment',
  keyAgreement: 'KeyAgreement',
  keyCertSign: 'CertSign',
  cRLSign: 'CRLSign',
  encipherOnly: 'EncipherOnly',
  decipherOnly: 'DecipherOnly',
} as const satisfies Partial<Record<(typeof KEY_USAGES)[number], string>>;

/** A certificate's subject as notation prints it, in quotes. */
export function subjectOf({ subject }: Pick<ReadCertificate, 'subject'>): string {
  return JSON.stringify(nameText(subject));
}

/** Why a chain, from the signer to the root, is not sound, in notation's words. Times are no part of it. */
export function chainProblem(
  chain: readonly ReadCertificate[],
  purpose: ChainPurpose,
): string | undefined {
  const [leaf] = chain;
  if (leaf === undefined) return 'certificate chain must contain at least one certificate';
  if (chain.length === 1) return selfSignedProblem(leaf, purpose);
  for (const [index, certificate] of chain.entries()) {
    const next = chain[index + 1];
    const problem =
      (next === undefined ? rootProblem(certificate) : linkProblem(certificate, next, index)) ??
      (index === 0
        ? leafProblem(certificate, purpose)
        : authorityProblem(certificate, purpose, index - 1));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function selfSignedProblem(leaf: ReadCertificate, purpose: ChainPurpose): string | undefined {
  const subject = subjectOf(leaf);
  const unsigned = signatureProblem(leaf, leaf);
  if (unsigned !== undefined) {
    return `invalid self-signed certificate. subject: ${subject}. Error: ${unsigned}`;
  }
  if (!sameBytes(leaf.subject, leaf.issuer)) {
    return `invalid self-signed certificate. subject: ${subject}. Error: issuer and subject are not the same`;
  }
  const problem = leafProblem(leaf, purpose);
  return problem === undefined ? undefined : `invalid self-signed certificate. Error: ${problem}`;
}

function rootProblem(root: ReadCertificate): string | undefined {
  const subject = subjectOf(root);
  const unsigned = issueProblem(root, root);
  if (unsigned !== undefined) {
    return `root certificate with subject ${subject} is invalid or not self-signed. Certificate chain must end with a valid self-signed root certificate. Error: ${unsigned}`;
  }
  if (sameBytes(root.subject, root.issuer)) return undefined;
  return `root certificate with subject ${subject} is not self-signed. Certificate chain must end with a valid self-signed root certificate`;
}

function linkProblem(
  certificate: ReadCertificate,
  parent: ReadCertificate,
  index: number,
): string | undefined {
  const [subject, above] = [subjectOf(certificate), subjectOf(parent)];
  const isOwn =
    issueProblem(certificate, certificate) === undefined &&
    sameBytes(certificate.subject, certificate.issuer);
  if (isOwn) {
    const place = index === 0 ? 'leaf' : 'intermediate';
    return `${place} certificate with subject ${subject} is self-signed. Certificate chain must not contain self-signed ${place} certificate`;
  }
  const unsigned = issueProblem(certificate, parent);
  if (unsigned !== undefined) {
    return `invalid certificates or certificate with subject ${subject} is not issued by ${above}. Error: ${unsigned}`;
  }
  if (sameBytes(certificate.issuer, parent.subject)) return undefined;
  return `certificate with subject ${subject} is not issued by ${above}`;
}

function authorityProblem(
  certificate: ReadCertificate,
  purpose: ChainPurpose,
  below: number,
): string | undefined {
  const it = `certificate with subject ${subjectOf(certificate)}`;
  const length = certificate.authority?.pathLength;
  if (certificate.authority?.isAuthority !== true) {
    return `${it}: ca field in basic constraints must be present, critical, and set to true`;
  }
  if (length !== undefined && length < below) {
    return `${it}: expected path length of ${below} but certificate has path length ${length} instead`;
  }
  const problem = usagePresence(certificate, purpose);
  if (problem !== undefined || certificate.usages?.has('keyCertSign') === true) return problem;
  return `${it}: key usage must have the bit positions for key cert sign set`;
}

function leafProblem(leaf: ReadCertificate, purpose: ChainPurpose): string | undefined {
  const subject = subjectOf(leaf);
  if (leaf.authority?.isAuthority === true) {
    return `certificate with subject ${subject}: if the basic constraints extension is present, the ca field must be set to false`;
  }
  return (
    usagePresence(leaf, purpose) ??
    usageProblem(leaf) ??
    (purpose === 'timestamping' ? stampPurposeProblem(leaf) : codePurposeProblem(leaf)) ??
    keyProblem(leaf)
  );
}

function usagePresence(certificate: ReadCertificate, purpose: ChainPurpose): string | undefined {
  const it = `certificate with subject ${subjectOf(certificate)}`;
  if (certificate.usages === undefined) return `${it}: key usage extension must be present`;
  if (purpose === 'timestamping' || certificate.usages.isCritical) return undefined;
  return `${it}: key usage extension must be marked critical`;
}

function usageProblem(leaf: ReadCertificate): string | undefined {
  const it = `the certificate with subject ${subjectOf(leaf)} is invalid. The key usage must`;
  if (leaf.usages?.has('digitalSignature') !== true) {
    return `${it} have the bit positions for "Digital Signature" set`;
  }
  const found = Object.entries(UNWANTED)
    .filter(([usage]) => leaf.usages?.has(usage as KeyUsage))
    .map(([, name]) => JSON.stringify(name));
  if (found.length === 0) return undefined;
  return `${it} be "Digital Signature" only, but found ${found.join(', ')}`;
}

function codePurposeProblem(leaf: ReadCertificate): string | undefined {
  const ids = leaf.purposes?.ids ?? [];
  const found = EXCLUDED.find(([id]) => ids.includes(id));
  if (found === undefined) return undefined;
  return `certificate with subject ${subjectOf(leaf)}: extended key usage must not contain ${found[1]} eku`;
}

function stampPurposeProblem(leaf: ReadCertificate): string | undefined {
  const it = `timestamp signing certificate with subject ${subjectOf(leaf)} must have`;
  const { ids = [], isCritical = false } = leaf.purposes ?? {};
  if (ids.length !== 1 || ids[0] !== TIME_STAMPING) {
    return `${it} and only have Timestamping as extended key usage`;
  }
  return isCritical ? undefined : `${it} extended key usage extension marked as critical`;
}

const KEYS: Readonly<Record<string, string>> = {
  'rsa 2048': 'PS256',
  'rsa 3072': 'PS384',
  'rsa 4096': 'PS512',
  'ec 256': 'ES256',
  'ec 384': 'ES384',
  'ec 521': 'ES512',
};
const CURVES: Readonly<Record<string, number>> = {
  secp224r1: 224,
  prime256v1: 256,
  secp384r1: 384,
  secp521r1: 521,
};

function keyOf({ publicKey }: ReadCertificate): { readonly type: string; readonly size: number } {
  const { asymmetricKeyType: type = '', asymmetricKeyDetails: details } = publicKey;
  const size = type === 'rsa' ? details?.modulusLength : CURVES[details?.namedCurve ?? ''];
  return { type, size: size ?? 0 };
}

/** The one algorithm that a key of this kind and size signs with. */
export function algorithmOf(certificate: ReadCertificate): string | undefined {
  const { type, size } = keyOf(certificate);
  return KEYS[`${type} ${size}`];
}

function keyProblem(leaf: ReadCertificate): string | undefined {
  if (algorithmOf(leaf) !== undefined) return undefined;
  const { type, size } = keyOf(leaf);
  const why =
    type === 'rsa' || type === 'ec'
      ? `${type === 'rsa' ? 'rsa' : 'ecdsa'} key size ${size} bits is not supported`
      : 'unsupported public key type';
  return `certificate with subject ${subjectOf(leaf)}: ${why}`;
}
