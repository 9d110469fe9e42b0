import { requestUriProblem } from './request-uri.ts';

/**
 * The string formats that a CRD schema may ask for, as kube-openapi's strfmt checks them (Kubernetes 1.36). A format not
 * named here is ignored. Each check is linear in the text.
 */
export function matchesFormat(format: string, text: string): boolean | undefined {
  const name = format.startsWith('k8s-') ? format : format.replaceAll('-', '');
  return checks.get(name)?.(text);
}

const uuid = (version: string, variant: string): RegExp =>
  new RegExp(
    `^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${variant}[0-9a-f]{3}-?[0-9a-f]{12}$`,
    'i',
  );
const anyUuid = uuid('[0-9a-f]', '[0-9a-f]');
const uuid3 = uuid('3', '[0-9a-f]');
const uuid4 = uuid('4', '[89ab]');
const uuid5 = uuid('5', '[89ab]');
const hexColor = /^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/;
const channel = '\\s*(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*';
const rgbColor = new RegExp(`^rgb\\(${channel},${channel},${channel}\\)$`);
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/;
const shortName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

const checks: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ['bsonobjectid', (text) => /^[0-9a-f]{24}$/i.test(text)],
  ['uri', (text) => requestUriProblem(text) === undefined],
  ['email', isEmail],
  ['hostname', isHostname],
  ['ipv4', (text) => isIpv4(text) || (text.includes('.') && isIpv6(text))],
  ['ipv6', isIpv6],
  ['cidr', isCidr],
  ['mac', isMac],
  ['uuid', (text) => anyUuid.test(text)],
  ['uuid3', (text) => uuid3.test(text)],
  ['uuid4', (text) => uuid4.test(text)],
  ['uuid5', (text) => uuid5.test(text)],
  ['isbn', (text) => isIsbn10(text) || isIsbn13(text)],
  ['isbn10', isIsbn10],
  ['isbn13', isIsbn13],
  ['creditcard', isCreditCard],
  ['ssn', (text) => /^\d{3}[- ]\d{2}[- ]\d{4}$/.test(text)],
  ['hexcolor', (text) => hexColor.test(text)],
  ['rgbcolor', (text) => rgbColor.test(text)],
  ['byte', (text) => base64.test(text)],
  ['password', () => true],
  ['date', isDate],
  ['duration', isDuration],
  ['datetime', isDateTime],
  ['k8s-short-name', (text) => text.length <= 63 && shortName.test(text)],
  [
    'k8s-long-name',
    (text) => text.length <= 253 && text.split('.').every((p) => shortName.test(p)),
  ],
]);

const atom = '[^\\s()<>\\[\\]:;@\\\\,".\\u0000-\\u001f\\u007f]+';
const dotAtom = `${atom}(?:\\.${atom})*`;
const quoted = '"(?:[^"\\\\\\u0000-\\u001f\\u007f]|\\\\[\\t -~])+"';
const mailbox = new RegExp(`^(?:${dotAtom}|${quoted})@\\s*(?:${dotAtom}|\\[([^\\]]*)\\])$`);
const displayName =
  /^(?:"(?:[^"\\\u0000-\u001f\u007f]|\\[\t -~])*"|\([^()]*\)|[^()<>[\]:;@\\,"])*$/;

/** As Go's mail.ParseAddress: with or without a name before it, and a comment after it. */
function isEmail(text: string): boolean {
  let address = withoutComments(text);
  if (address.endsWith('>')) {
    const open = address.lastIndexOf('<');
    if (open < 0 || !displayName.test(address.slice(0, open))) return false;
    address = address.slice(open + 1, -1);
  }
  const match = mailbox.exec(address);
  if (match === null) return false;
  const literal = match[1];
  return literal === undefined || isIpv4(literal) || isIpv6(literal);
}

/** Without the comments at the end, which may hold others. */
function withoutComments(text: string): string {
  const rest = text.trim();
  let end = rest.length;
  let depth = 0;
  for (let i = rest.length - 1; i >= 0; i--) {
    const char = rest[i]!;
    if (char === ')') depth++;
    else if (char === '(') depth--;
    else if (depth === 0 && char.trim() !== '') break;
    if (depth < 0) return rest;
    if (depth === 0) end = i;
  }
  return rest.slice(0, end);
}

function isHostname(text: string): boolean {
  if (text.length === 0 || text.length > 255) return false;
  const labels = text.split('.');
  if (labels.some((label) => label.length > 63)) return false;
  const single = /^[a-zA-Z0-9\p{S}\p{L}](-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?$/u;
  if (labels.length === 1) return single.test(text);
  const label = /^[a-zA-Z0-9\p{S}\p{L}]([a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?$/u;
  return (
    labels.slice(0, -1).every((part) => label.test(part)) &&
    /^[a-zA-Z\p{L}]{2,63}$/u.test(labels.at(-1)!)
  );
}

/** Leading zeros pass, as they did with Go before 1.17. */
export function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,9}$/.test(part) && Number(part) <= 255);
}

export function isIpv6(text: string): boolean {
  if (!text.includes(':')) return false;
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1);
  const embedded = last?.includes('.') === true;
  if (embedded && !isIpv4(last)) return false;
  const words = embedded ? groups.slice(0, -1) : groups;
  if (!words.every((word) => /^[0-9a-fA-F]{1,4}$/.test(word))) return false;
  const count = words.length + (embedded ? 2 : 0);
  return halves.length === 2 ? count < 8 : count === 8;
}

function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  const bits = text.slice(slash + 1);
  if (slash < 0 || !/^\d{1,3}$/.test(bits)) return false;
  const address = text.slice(0, slash);
  return (isIpv4(address) && Number(bits) <= 32) || (isIpv6(address) && Number(bits) <= 128);
}

function isMac(text: string): boolean {
  if (/^(?:[0-9a-fA-F]{12}|[0-9a-fA-F]{16}|[0-9a-fA-F]{40})$/.test(text)) return true;
  const sizes = new Set([6, 8, 20]);
  const pairs = text.split(/[:-]/);
  if (pairs.length > 1)
    return (
      sizes.has(pairs.length) &&
      !(text.includes(':') && text.includes('-')) &&
      pairs.every((pair) => /^[0-9a-fA-F]{2}$/.test(pair))
    );
  const quads = text.split('.');
  return sizes.has(quads.length * 2) && quads.every((quad) => /^[0-9a-fA-F]{4}$/.test(quad));
}

function isIsbn10(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, '');
  if (!/^\d{9}[\dX]$/.test(digits)) return false;
  const sum = [...digits].reduce(
    (total, c, i) => total + (i + 1) * (c === 'X' ? 10 : Number(c)),
    0,
  );
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, '');
  if (!/^\d{13}$/.test(digits)) return false;
  const sum = [...digits].reduce((total, c, i) => total + (i % 2 === 0 ? 1 : 3) * Number(c), 0);
  return sum % 10 === 0;
}

const cards =
  /^(?:4\d{12}(?:\d{3})?|5[1-5]\d{14}|6(?:011|5\d\d)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11})$/;

function isCreditCard(text: string): boolean {
  const digits = text.replace(/\D+/g, '');
  if (!cards.test(digits)) return false;
  const sum = [...digits].reverse().reduce((total, c, i) => {
    const doubled = i % 2 === 0 ? Number(c) : Number(c) * 2;
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
}

function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return false;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  if (month < 1 || month > 12) return false;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return day >= 1 && day <= lengths[month - 1]!;
}

/** As strfmt: what follows a second `t` is not looked at, and any character may stand before the fraction. */
function isDateTime(text: string): boolean {
  const [date = '', time = ''] = text.toLowerCase().split('t');
  const match = /^(\d{2}):(\d{2}):(\d{2})(?:.\d+)?(?:z|[+-]\d{2}:\d{2})$/u.exec(time);
  if (match === null || !isDate(date)) return false;
  return Number(match[1]) <= 23 && Number(match[2]) <= 59 && Number(match[3]) <= 59;
}

const goDuration = /^[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const longInteger = /(?<![\d.])\d{19}/;
const scalaUnit =
  /^(?:ns|us|µs|ms|s|m|h|hr|d|w|wk|(?:nano|micro|milli|sec|min|hour|day|week)[a-zµ]*)$/i;
const int64Max = 2n ** 63n - 1n;

/** As Go's time.ParseDuration, else any text with a number and a unit somewhere (`about 2 days`). */
function isDuration(text: string): boolean {
  if (goDuration.test(text) && !longInteger.test(text)) return true;
  let isFound = false;
  for (const match of text.matchAll(/[A-Za-zµ]+/g)) {
    const factor = trailingInteger(text, match.index);
    if (factor === '') continue;
    if (factor.length > 18 && (factor.length > 1000 || BigInt(factor) > int64Max)) return false;
    if (scalaUnit.test(match[0])) isFound = true;
  }
  return isFound;
}

/** The digits before `end`, white space between them and it left out. */
function trailingInteger(text: string, end: number): string {
  let stop = end;
  while (stop > 0 && ' \t\n\f\r'.includes(text[stop - 1]!)) stop--;
  let start = stop;
  while (start > 0 && text[start - 1]! >= '0' && text[start - 1]! <= '9') start--;
  return text.slice(start, stop);
}
