import { createPublicKey, type KeyObject } from 'node:crypto';
import { OID } from './certificate.ts';
import { type DerElement, integerOf, readDer, TAG } from './der.ts';

/** What a certificate says beyond what Node's `X509Certificate` tells. */
export interface CertificateDetails {
  readonly serialNumber: bigint;
  /** DER of the names. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly publicKey: KeyObject;
  /** The bits of the public key alone (RFC 6960 hashes them). */
  readonly keyBits: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Absent when the extension is. */
  readonly usages?: { readonly isCritical: boolean; has(usage: KeyUsage): boolean };
  readonly purposes?: { readonly isCritical: boolean; readonly ids: readonly string[] };
  readonly authority?: { readonly isAuthority: boolean; readonly pathLength: number | undefined };
  /** Where its status may be asked (RFC 6960), and where lists of what was revoked are (RFC 5280, section 4.2.1.13). */
  readonly statusUrls: readonly string[];
  readonly listUrls: readonly string[];
  /** Whether it names lists of changes of its own. */
  readonly hasFreshestList: boolean;
}

/** In the order of their bits (RFC 5280, section 4.2.1.3). */
export const KEY_USAGES = [
  'digitalSignature',
  'contentCommitment',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsage = (typeof KEY_USAGES)[number];

export interface Extension {
  readonly isCritical: boolean;
  readonly value: Uint8Array;
}

const LISTS = '2.5.29.31';
const FRESHEST = '2.5.29.46';
const ACCESS = '1.3.6.1.5.5.7.1.1';
const STATUS = '1.3.6.1.5.5.7.48.1';
const URI = 0x86;

/** Reads the DER of a certificate. Throws RangeError or TypeError when it is none. */
export function readCertificate(der: Uint8Array): CertificateDetails {
  const [tbs] = readDer(only(readDer(der)).content);
  const fields = readDer(need(tbs).content);
  const isVersioned = fields[0]?.tag === 0xa0;
  const [serial, , issuer, validity, subject, key] = fields.slice(isVersioned ? 1 : 0);
  const times = readDer(need(validity).content);
  const extensions = readExtensions(fields.find(({ tag }) => tag === 0xa3)?.content);
  const { whole: info } = need(key);
  return {
    serialNumber: integerOf(serial),
    issuer: need(issuer).whole,
    subject: need(subject).whole,
    publicKey: createPublicKey({ key: Buffer.from(info), format: 'der', type: 'spki' }),
    keyBits: need(readDer(need(key).content)[1]).content.subarray(1),
    notBeforeMs: timeOf(times[0]),
    notAfterMs: timeOf(times[1]),
    ...readUsages(extensions.get(OID.keyUsage)),
    ...readPurposes(extensions.get(OID.extendedKeyUsage)),
    ...readAuthority(extensions.get(OID.basicConstraints)),
    statusUrls: readStatusUrls(extensions.get(ACCESS)?.value),
    listUrls: readListUrls(extensions.get(LISTS)?.value),
    hasFreshestList: extensions.has(FRESHEST),
  };
}

/** By their identifiers; of the content of an explicitly tagged SEQUENCE OF Extension. */
export function readExtensions(content: Uint8Array | undefined): ReadonlyMap<string, Extension> {
  const found = new Map<string, Extension>();
  if (content === undefined) return found;
  for (const { content: one } of readDer(only(readDer(content)).content)) {
    const parts = readDer(one);
    const value = parts.at(-1);
    const isCritical = parts[1]?.tag === TAG.boolean && parts[1].content[0] !== 0;
    found.set(oidOf(parts[0]), { isCritical, value: need(value).content });
  }
  return found;
}

/** The dotted form of an OBJECT IDENTIFIER. */
export function oidOf(element: DerElement | undefined): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of need(element).content) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    arcs.push(arc);
    arc = 0;
  }
  const [head = 0, ...rest] = arcs;
  const first = Math.min(2, Math.floor(head / 40));
  return [first, head - first * 40, ...rest].join('.');
}

/** UTCTime or GeneralizedTime, in the forms of DER. */
export function timeOf(element: DerElement | undefined): number {
  const { tag, content } = need(element);
  const text = Buffer.from(content).toString('latin1');
  const century = Number(text.slice(0, 2)) >= 50 ? '19' : '20';
  const long = tag === TAG.utcTime ? century + text : text;
  const [, year, month, day, hour, minute, second, fraction = ''] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?Z$/.exec(long) ?? [];
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}Z`);
  if (Number.isNaN(ms)) throw new TypeError('a time cannot be read');
  return ms;
}

/** The URLs of CRLDistributionPoints, as Go reads them: of full names, those before the first that is no URL. */
export function readListUrls(value: Uint8Array | undefined): readonly string[] {
  if (value === undefined) return [];
  return readDer(only(readDer(value)).content).flatMap(({ content }) => {
    const point = readDer(content).find(({ tag }) => tag === 0xa0);
    const [name] = point === undefined ? [] : readDer(point.content);
    if (name?.tag !== 0xa0) return [];
    const names = readDer(name.content);
    const end = names.findIndex(({ tag }) => tag !== URI);
    return names.slice(0, end < 0 ? names.length : end).map(textOf);
  });
}

function readStatusUrls(value: Uint8Array | undefined): readonly string[] {
  if (value === undefined) return [];
  return readDer(only(readDer(value)).content).flatMap(({ content }) => {
    const [method, place] = readDer(content);
    return oidOf(method) === STATUS && place?.tag === URI ? [textOf(place)] : [];
  });
}

function readUsages(extension: Extension | undefined): Pick<CertificateDetails, 'usages'> {
  if (extension === undefined) return {};
  const [, ...bytes] = only(readDer(extension.value)).content;
  const has = (usage: KeyUsage) => {
    const bit = KEY_USAGES.indexOf(usage);
    return ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0;
  };
  return { usages: { isCritical: extension.isCritical, has } };
}

function readPurposes(extension: Extension | undefined): Pick<CertificateDetails, 'purposes'> {
  if (extension === undefined) return {};
  const ids = readDer(only(readDer(extension.value)).content).map(oidOf);
  return { purposes: { isCritical: extension.isCritical, ids } };
}

function readAuthority(extension: Extension | undefined): Pick<CertificateDetails, 'authority'> {
  if (extension === undefined) return {};
  const parts = readDer(only(readDer(extension.value)).content);
  const isAuthority = parts.some(({ tag, content }) => tag === TAG.boolean && content[0] !== 0);
  const length = parts.find(({ tag }) => tag === TAG.integer);
  const pathLength = length === undefined ? undefined : Number(integerOf(length));
  return { authority: { isAuthority, pathLength } };
}

function textOf({ content }: DerElement): string {
  return Buffer.from(content).toString('latin1');
}

function only(elements: readonly DerElement[]): DerElement {
  if (elements.length !== 1) throw new RangeError('there is something behind it');
  return need(elements[0]);
}

function need(element: DerElement | undefined): DerElement {
  if (element === undefined) throw new RangeError('a part is missing');
  return element;
}
