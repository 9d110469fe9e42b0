import {
  compareQuantities,
  type FieldError,
  formatQuantity,
  type Json,
  type JsonObject,
  labelKeyProblems,
  labelValueProblems,
  parseQuantity,
  portNameProblems,
  type Quantity,
  subdomainProblems,
} from '@capstan/kube-object';
import { isIpv4, isIpv6 } from '@capstan/kube-schema';
import { isObject, listAt, objectAt, textAt } from '../json.ts';
import {
  all,
  between,
  type Check,
  fields,
  forbiddenAt,
  given,
  invalidAt,
  items,
  NOT_NEGATIVE,
  requiredAt,
  text,
} from './checks.ts';

export const labelKey = text(labelKeyProblems);
export const subdomain = text(subdomainProblems);

/** Labels, or a node selector: every problem is told at the map itself. */
export const labels: Check = (value, at) =>
  Object.entries(objectAt(value)).flatMap(([key, label]) => [
    ...labelKeyProblems(key).map((detail) => invalidAt(at, key, detail)),
    ...labelValueProblems(String(label)).map((detail) => invalidAt(at, String(label), detail)),
  ]);

const VALUES_NEEDED = "must be specified when `operator` is 'In' or 'NotIn'";
const VALUES_FORBIDDEN = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";

const requirement: Check = (value, at) => {
  const operator = textAt(value, 'operator');
  const values = listAt(value, 'values');
  const errors: FieldError[] = [];
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) errors.push(requiredAt(`${at}.values`, VALUES_NEEDED));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) errors.push(forbiddenAt(`${at}.values`, VALUES_FORBIDDEN));
  } else errors.push(invalidAt(`${at}.operator`, operator, 'not a valid selector operator'));
  return [
    ...errors,
    ...labelKey(objectAt(value)['key'], `${at}.key`),
    ...items(text(labelValueProblems))(objectAt(value)['values'], `${at}.values`),
  ];
};

/** metav1.LabelSelector, if there is one. */
export const labelSelector: Check = fields({
  matchLabels: labels,
  matchExpressions: items(requirement),
});

function sorted(value: Json): JsonObject {
  return Object.fromEntries(
    Object.entries(asJsonObject(value)).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** A label selector as Go prints it. */
export function showSelector(value: Json | undefined): string {
  const { matchLabels, matchExpressions } = objectAt(value);
  const parts: string[] = [];
  if (matchLabels !== undefined) parts.push(`"matchLabels":${JSON.stringify(sorted(matchLabels))}`);
  if (matchExpressions !== undefined) {
    const shown = listAt(value, 'matchExpressions').map((item) => {
      const { key = '', operator = '', values } = objectAt(item);
      return JSON.stringify({
        key,
        operator,
        ...(Array.isArray(values) && values.length > 0 ? { values } : {}),
      });
    });
    parts.push(`"matchExpressions":[${shown.join(',')}]`);
  }
  return `{${parts.join(',')}}`;
}

export const portNumber = between(1, 65535);

/** An int-or-string that names a port. */
export const port: Check = (value, at) =>
  typeof value === 'string' ? text(portNameProblems)(value, at) : portNumber(value, at);

export const ipAddress: Check = (value, at) => {
  const address = typeof value === 'string' ? value : '';
  if (isIpv4(address) || isIpv6(address)) return [];
  return [invalidAt(at, address, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')];
};

export const ABSOLUTE = /^\//;

/** `..` may not stand between slashes. */
export const withoutBacksteps: Check = (value, at) =>
  String(value ?? '')
    .split('/')
    .includes('..')
    ? [invalidAt(at, String(value), "must not contain '..'")]
    : [];

export const descendingPath: Check = all(
  (value, at) =>
    ABSOLUTE.test(String(value ?? ''))
      ? [invalidAt(at, String(value), 'must be a relative path')]
      : [],
  withoutBacksteps,
);

export const localPath: Check = all(descendingPath, (value, at) => {
  const path = String(value ?? '');
  return path.startsWith('..') && path !== '..' && !path.startsWith('../')
    ? [invalidAt(at, path, "must not start with '..'")]
    : [];
});

export const fileMode: Check = given((value, at) =>
  typeof value === 'number' && value >= 0 && value <= 0o777
    ? []
    : [invalidAt(at, value, 'must be a number between 0 and 0777 (octal), both inclusive')],
);

export const userId = given(between(0, 2147483647));

const ZERO = parseQuantity('0') as Quantity;

export function quantityOf(value: Json | undefined): Quantity {
  return parseQuantity(String(value ?? '0')) ?? ZERO;
}

export function showQuantity(value: Json | undefined): string {
  return formatQuantity(quantityOf(value));
}

export function compareAmounts(a: Json | undefined, b: Json | undefined): number {
  return compareQuantities(quantityOf(a), quantityOf(b));
}

export const nonNegativeQuantity: Check = (value, at) =>
  quantityOf(value).nanos < 0n ? [invalidAt(at, showQuantity(value), NOT_NEGATIVE)] : [];

export const positiveQuantity: Check = (value, at) =>
  quantityOf(value).nanos <= 0n
    ? [invalidAt(at, showQuantity(value), 'must be greater than zero')]
    : [];

export const wholeQuantity: Check = (value, at) =>
  quantityOf(value).nanos % 1_000_000_000n === 0n
    ? []
    : [invalidAt(at, showQuantity(value), 'must be an integer')];

const PERCENT = /^[0-9]+%$/;
const PERCENT_PROBLEM =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

/** An int-or-string that is a count or a percentage. */
export const countOrPercent: Check = (value, at) => {
  if (typeof value === 'string') {
    return PERCENT.test(value) ? [] : [invalidAt(at, value, PERCENT_PROBLEM)];
  }
  return typeof value === 'number' && value < 0 ? [invalidAt(at, value, NOT_NEGATIVE)] : [];
};

export const notOver100Percent: Check = (value, at) =>
  typeof value === 'string' && PERCENT.test(value) && Number(value.slice(0, -1)) > 100
    ? [invalidAt(at, value, 'must not be greater than 100%')]
    : [];

/** Labels and annotations of a template; the server names them without `metadata`. */
export const templateMetadata: Check = (value, at) => [
  ...labels(objectAt(value)['labels'], at === '' ? 'labels' : `${at}.labels`),
  ...annotations(objectAt(value)['annotations'], at === '' ? 'annotations' : `${at}.annotations`),
];

const ANNOTATIONS_BYTES_MAX = 256 * 1024;

export const annotations: Check = (value, at) => {
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const [key, annotation] of Object.entries(objectAt(value))) {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(String(annotation));
    for (const detail of labelKeyProblems(key.toLowerCase())) {
      errors.push(invalidAt(at, key, detail));
    }
  }
  if (bytes > ANNOTATIONS_BYTES_MAX) {
    errors.push({
      reason: 'FieldValueTooLong',
      field: at,
      detail: `may not be more than ${ANNOTATIONS_BYTES_MAX} bytes`,
    });
  }
  return errors;
};

export function asJsonObject(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

export const cidr: Check = (value, at) => {
  const given = String(value ?? '');
  if (isCidr(given)) return [];
  return [invalidAt(at, given, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')];
};

function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  const bits = text.slice(slash + 1);
  if (slash < 0 || !/^\d{1,3}$/.test(bits)) return false;
  const address = text.slice(0, slash);
  return (isIpv4(address) && Number(bits) <= 32) || (isIpv6(address) && Number(bits) <= 128);
}

const DOMAIN_PATH_PROBLEM = 'must be a domain-prefixed path (such as "acme.io/foo")';
const PATH_CHARACTERS = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;
const PATH_PROBLEM =
  "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";

/** `example.com/anything`. */
export const domainPath: Check = (value, at) => {
  const name = String(value ?? '');
  if (name === '') return [requiredAt(at)];
  const slash = name.indexOf('/');
  if (slash <= 0 || slash === name.length - 1) return [invalidAt(at, name, DOMAIN_PATH_PROBLEM)];
  const domain = name.slice(0, slash);
  const path = name.slice(slash + 1);
  return [
    ...subdomainProblems(domain).map((detail) => invalidAt(at, domain, detail)),
    ...(PATH_CHARACTERS.test(path) ? [] : [invalidAt(at, path, PATH_PROBLEM)]),
  ];
};
