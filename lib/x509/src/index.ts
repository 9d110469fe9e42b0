export {
  alternativeNames,
  authorityKeyId,
  basicConstraints,
  type CertificateFields,
  distinguishedName,
  encodePem,
  extendedKeyUsage,
  ipBytes,
  keyIdentifier,
  keyUsage,
  OID,
  publicKeyInfo,
  sameBytes,
  signCertificate,
  subjectKeyId,
} from './certificate.ts';
export {
  type ChainOptions,
  findChains,
  isIssuedBy,
  issueProblem,
  openCertificate,
  type ReadCertificate,
  signatureProblem,
} from './certificate-chain.ts';
export { type CertificateStatus, readStatus, statusRequest } from './certificate-status.ts';
export {
  bitString,
  type DerElement,
  der,
  integer,
  integerOf,
  oid,
  readDer,
  sequence,
  TAG,
} from './der.ts';
export { nameText } from './name-text.ts';
export {
  type CertificateDetails,
  type Extension,
  KEY_USAGES,
  type KeyUsage,
  oidOf,
  readCertificate,
  readListUrls,
  timeOf,
} from './read-certificate.ts';
export { type RevocationList, readRevocationList } from './revocation-list.ts';
export { readTimestampToken, type TimestampToken } from './timestamp-token.ts';
