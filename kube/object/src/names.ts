/**
 * Whether a text may be a name, a label and so on: each function gives what is wrong, in the words of Kubernetes 1.36, and
 * nothing if all is well. Lengths count bytes.
 */

const label1123 = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain1123 = `${label1123}(\\.${label1123})*`;
const label1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const labelKey = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const configKey = '[-._a-zA-Z0-9]+';

const labelPattern = new RegExp(`^${label1123}$`);
const label1035Pattern = new RegExp(`^${label1035}$`);
const labelKeyPattern = new RegExp(`^${labelKey}$`);
const configKeyPattern = new RegExp(`^${configKey}$`);

const subdomainMessage =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const labelKeyMessage =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

type Problems = readonly string[];

function tooLong(length: number, unit: 'characters' | 'bytes'): string {
  return `must be no more than ${length} ${unit}`;
}

function mismatch(message: string, pattern: string, ...examples: readonly string[]): string {
  const shown = examples.map((example) => `'${example}', `).join(' or ');
  return `${message} (e.g. ${shown}regex used for validation is '${pattern}')`;
}

function sizeOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** A backtracking pattern over dots would cost more than one check of each part. */
function isSubdomain(text: string): boolean {
  return text.split('.').every((part) => labelPattern.test(part));
}

/** A DNS subdomain: the name of most objects. */
export function subdomainProblems(text: string): Problems {
  return subdomainProblemsIn(text, 'characters');
}

function subdomainProblemsIn(text: string, unit: 'characters' | 'bytes'): Problems {
  const problems: string[] = [];
  if (sizeOf(text) > 253) problems.push(tooLong(253, unit));
  if (!isSubdomain(text)) problems.push(mismatch(subdomainMessage, subdomain1123, 'example.com'));
  return problems;
}

/** A DNS label: the name of a Namespace. */
export function dnsLabelProblems(text: string): Problems {
  const problems: string[] = [];
  if (sizeOf(text) > 63) problems.push(tooLong(63, 'characters'));
  if (labelPattern.test(text)) return problems;
  const message =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  problems.push(
    isSubdomain(text)
      ? 'must not contain dots'
      : mismatch(message, label1123, 'my-name', '123-abc'),
  );
  return problems;
}

/** A DNS label that starts with a letter: the name of a Service. */
export function dns1035LabelProblems(text: string): Problems {
  const problems: string[] = [];
  if (sizeOf(text) > 63) problems.push(tooLong(63, 'characters'));
  const message =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
  if (!label1035Pattern.test(text))
    problems.push(mismatch(message, label1035, 'my-name', 'abc-123'));
  return problems;
}

export function wildcardSubdomainProblems(text: string): Problems {
  const problems: string[] = [];
  if (sizeOf(text) > 253) problems.push(tooLong(253, 'characters'));
  const message =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
  if (!text.startsWith('*.') || !isSubdomain(text.slice(2)))
    problems.push(mismatch(message, `\\*\\.${subdomain1123}`, '*.example.com'));
  return problems;
}

/** The key of a label or annotation: a name, or a DNS subdomain, a slash and a name. */
export function labelKeyProblems(text: string): Problems {
  const problems: string[] = [];
  const parts = text.split('/');
  const wrongName = mismatch(labelKeyMessage, labelKey, 'MyName', 'my.name', '123-abc');
  if (parts.length > 2)
    return [
      `a valid label key ${wrongName} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  const name = parts.at(-1)!;
  if (parts.length === 2) {
    const prefix = parts[0]!;
    if (prefix === '') problems.push('prefix part must be non-empty');
    else
      problems.push(...subdomainProblemsIn(prefix, 'bytes').map((text) => `prefix part ${text}`));
  }
  if (name === '') problems.push('name part must be non-empty');
  else if (sizeOf(name) > 63) problems.push(`name part ${tooLong(63, 'bytes')}`);
  if (!labelKeyPattern.test(name)) problems.push(`name part ${wrongName}`);
  return problems;
}

export function labelValueProblems(text: string): Problems {
  const problems: string[] = [];
  if (sizeOf(text) > 63) problems.push(tooLong(63, 'bytes'));
  const message =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  if (text !== '' && !labelKeyPattern.test(text))
    problems.push(mismatch(message, `(${labelKey})?`, 'MyValue', 'my_value', '12345'));
  return problems;
}

/** The name of a container's or service's port. */
export function portNameProblems(text: string): Problems {
  const problems: string[] = [];
  if (sizeOf(text) > 15) problems.push(tooLong(15, 'characters'));
  if (!/^[-a-z0-9]+$/.test(text))
    problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(text)) problems.push('must contain at least one letter (a-z)');
  if (text.includes('--')) problems.push('must not contain consecutive hyphens');
  if (text.startsWith('-') || text.endsWith('-'))
    problems.push('must not begin or end with a hyphen');
  return problems;
}

/** A key of a ConfigMap or Secret. */
export function configKeyProblems(text: string): Problems {
  const problems: string[] = [];
  if (sizeOf(text) > 253) problems.push(tooLong(253, 'characters'));
  const message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
  if (!configKeyPattern.test(text))
    problems.push(mismatch(message, configKey, 'key.name', 'KEY_NAME', 'key-name'));
  return [...problems, ...dotProblems(text)];
}

function dotProblems(text: string): Problems {
  if (text === '.') return ["must not be '.'"];
  if (text === '..') return ["must not be '..'"];
  return text.startsWith('..') ? ["must not start with '..'"] : [];
}

/** What may stand in a URL's path: the least that the name of any object must keep (roles may hold colons). */
export function pathSegmentProblems(text: string): Problems {
  if (text === '.' || text === '..') return [`may not be '${text}'`];
  return ['/', '%']
    .filter((part) => text.includes(part))
    .map((part) => `may not contain '${part}'`);
}
