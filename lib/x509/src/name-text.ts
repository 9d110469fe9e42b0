import { type DerElement, readDer } from './der.ts';
import { oidOf } from './read-certificate.ts';

/** What Go's pkix.Name has fields for, in the order in which it writes them. */
const FIELDS: readonly (readonly [id: string, name: string])[] = [
  ['2.5.4.6', 'C'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.7', 'L'],
  ['2.5.4.9', 'STREET'],
  ['2.5.4.17', 'POSTALCODE'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.3', 'CN'],
  ['2.5.4.5', 'SERIALNUMBER'],
];
/** Of which the last one counts alone. */
const SINGLE = new Set(['CN', 'SERIALNUMBER']);

/** A name of a certificate (its DER) as Go prints it, in the order of RFC 2253: `CN=signer,O=Example,ST=WA,C=US`. */
export function nameText(name: Uint8Array): string {
  const attributes = readDer(readDer(name)[0]?.content ?? new Uint8Array())
    .flatMap(({ content }) => readDer(content))
    .map(({ content }) => {
      const [id, value] = readDer(content);
      return { id: oidOf(id), value };
    });
  const known = new Set(FIELDS.map(([id]) => id));
  const others = attributes
    .filter(({ id }) => !known.has(id))
    .map(({ id, value }) => `${id}=#${Buffer.from(value?.whole ?? []).toString('hex')}`);
  const own = FIELDS.flatMap(([id, field]) => {
    const values = attributes.filter((one) => one.id === id).map(({ value }) => valueText(value));
    const last = values.slice(-1);
    const counted = SINGLE.has(field) ? last.filter((value) => value !== '') : values;
    return counted.length === 0
      ? []
      : [counted.map((value) => `${field}=${escapeText(value)}`).join('+')];
  });
  return [...others, ...own].toReversed().join(',');
}

function valueText(value: DerElement | undefined): string {
  const bytes = Buffer.from(value?.content ?? []);
  // BMPString
  return value?.tag === 0x1e ? bytes.swap16().toString('utf16le') : bytes.toString('utf8');
}

function escapeText(value: string): string {
  return value
    .replaceAll(/[,+"\\<>;]/g, '\\$&')
    .replace(/^[ #]/, '\\$&')
    .replace(/(?<!^\\?) $/, '\\ ');
}
