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
const channel = '\\s*(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5]|(0|[1-9]\\d?|100)%)\\s*';
const rgbColor = new RegExp(`^rgb\\(${channel},${channel},${channel}\\)$`);
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/;
const shortName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

const checks: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ['bsonobjectid', (text) => /^[0-9a-f]{24}$/i.test(text)],
  ['uri', isRequestUri],
  ['email', isEmail],
  ['hostname', isHostname],
  ['ipv4', (text) => isIpv4(text)],
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
  ['ssn', (text) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text)],
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

function isRequestUri(text: string): boolean {
  if (text.startsWith('/')) return !/[\s\u0000-\u001f]/.test(text);
  return /^[a-zA-Z][a-zA-Z0-9+.-]*:[^\s\u0000-\u001f]+$/.test(text);
}

function isEmail(text: string): boolean {
  const angled = /<([^<>]*)>\s*$/.exec(text);
  const address = (angled?.[1] ?? text).trim();
  const at = address.lastIndexOf('@');
  if (at <= 0 || at === address.length - 1) return false;
  const local = address.slice(0, at);
  return (
    /^[^\s@<>()[\],;:\\"]+$/.test(local) && /^[^\s@<>()[\],;:\\"]+$/.test(address.slice(at + 1))
  );
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

function isDateTime(text: string): boolean {
  if (text.length < 4) return false;
  const match =
    /^(\d{4}-\d{2}-\d{2})[tT](\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:[zZ]|[+-]\d{2}:\d{2})$/.exec(text);
  if (match === null) return false;
  return (
    isDate(match[1]!) && Number(match[2]) <= 23 && Number(match[3]) <= 59 && Number(match[4]) <= 59
  );
}

const goDuration = /^[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const scalaUnit =
  /^(?:\d+)\s*(?:d|day|days|h|hour|hours|hr|hrs|m|min|minute|minutes|s|sec|second|seconds|ms|milli|millis|millisecond|milliseconds|µs|us|micro|micros|microsecond|microseconds|ns|nano|nanos|nanosecond|nanoseconds|w|wk|week|weeks)$/;

function isDuration(text: string): boolean {
  return goDuration.test(text) || scalaUnit.test(text.trim());
}
