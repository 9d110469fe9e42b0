import { parseInstant, quote, regexTest, UTC } from '@capstan/lib-gotemplate';

/** What is wrong with a text, in the words of santhosh-tekuri/jsonschema v6; undefined when it is of the format. */
type Format = (text: string) => string | undefined;

/** Formats that drafts up to 7 assert. Unknown formats pass. */
export const FORMATS: Readonly<Record<string, Format>> = {
  'date-time': dateTimeProblem,
  date: dateProblem,
  time: timeProblem,
  duration: durationProblem,
  period: periodProblem,
  email: emailProblem,
  hostname: hostProblem,
  ipv4: ipv4Problem,
  ipv6: ipv6Problem,
  uri: uriProblem,
  iri: uriProblem,
  'uri-reference': referenceProblem,
  'iri-reference': referenceProblem,
  uuid: uuidProblem,
  'json-pointer': pointerProblem,
  'relative-json-pointer': relativePointerProblem,
  semver: semverProblem,
  regex: regexProblem,
};

function dateProblem(text: string): string | undefined {
  try {
    parseInstant('2006-01-02', text, UTC);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function dateTimeProblem(text: string): string | undefined {
  if (text.length < 20) return 'less than 20 characters long';
  if (!/[tT]/.test(text[10]!)) return '11th character must be t or T';
  const date = dateProblem(text.slice(0, 10));
  if (date !== undefined) return `invalid date element: ${date}`;
  return prefixed('invalid time element', timeProblem(text.slice(11)));
}

function prefixed(prefix: string, problem: string | undefined): string | undefined {
  return problem === undefined ? undefined : `${prefix}: ${problem}`;
}

function timeProblem(text: string): string | undefined {
  if (text.length < 9) return 'less than 9 characters long';
  if (text[2] !== ':' || text[5] !== ':') return 'missing colon in correct place';
  const parts = /^([+-]?\d+):([+-]?\d+):([+-]?\d+)$/.exec(text.slice(0, 8));
  if (parts === null) return 'invalid hour/min/sec';
  const [hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
  if (Math.min(hour, minute, second) < 0) return 'non-positive hour/min/sec';
  if (hour > 23 || minute > 59 || second > 60) return 'hour/min/sec out of range';
  const rest = text.slice(8);
  const fraction = /^\.\d*/.exec(rest)?.[0] ?? '';
  if (fraction === '.') return 'no digits in second fraction';
  const zone = zoneOffset(rest.slice(fraction.length));
  if (typeof zone === 'string') return zone;
  const utc = (hour * 60 + minute - zone + 2 * 1440) % 1440;
  return second >= 60 && utc !== 1439 ? 'invalid leap second' : undefined;
}

/** Minutes east of UTC, or what is wrong. */
function zoneOffset(zone: string): number | string {
  if (zone === 'z' || zone === 'Z') return 0;
  if (zone.length !== 6) return 'offset must be 6 characters long';
  if (!/^[+-]/.test(zone)) return 'offset must begin with plus/minus';
  if (zone[3] !== ':') return 'missing colon in offset in correct place';
  const parts = /^([+-]?\d+):([+-]?\d+)$/.exec(zone.slice(1));
  if (parts === null) return 'invalid hour/min in offset';
  const [hour = 0, minute = 0] = parts.slice(1).map(Number);
  if (Math.min(hour, minute) < 0) return 'non-positive hour/min in offset';
  if (hour > 23 || minute > 59) return 'hour/min in offset out of range';
  return (zone.startsWith('-') ? -1 : 1) * (hour * 60 + minute);
}

function durationProblem(text: string): string | undefined {
  if (!text.startsWith('P')) return 'must start with P';
  const rest = text.slice(1);
  if (rest === '') return 'nothing after P';
  if (rest.endsWith('W')) {
    const week = rest.slice(0, -1);
    if (week === '') return 'no number in week';
    return /^\d+$/.test(week) ? undefined : 'invalid week';
  }
  const units = ['YMD', 'HMS'];
  for (const [i, part] of rest.split('T').entries()) {
    if (i > 0 && part === '') return 'no time elements';
    const all = units[i];
    if (all === undefined) return 'more than one T';
    const problem = durationPartProblem(part, all);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function durationPartProblem(part: string, all: string): string | undefined {
  let at = 0;
  for (let rest = part; rest !== ''; ) {
    const digits = /^\d+/.exec(rest)?.[0] ?? '';
    if (digits === '') return 'missing number';
    const unit = rest[digits.length];
    if (unit === undefined) return 'missing unit';
    const found = all.indexOf(unit, at);
    const shown = `'${unit}'`;
    if (found < 0)
      return all.includes(unit) ? `unit ${shown} out of order` : `invalid unit ${shown}`;
    at = found + 1;
    rest = rest.slice(digits.length + 1);
  }
  return undefined;
}

function periodProblem(text: string): string | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return 'missing slash';
  const [start, end] = [text.slice(0, slash), text.slice(slash + 1)];
  if (start.startsWith('P')) {
    return (
      prefixed('invalid start duration', durationProblem(start)) ??
      prefixed('invalid end date-time', dateTimeProblem(end))
    );
  }
  return (
    prefixed('invalid start date-time', dateTimeProblem(start)) ??
    (end.startsWith('P')
      ? prefixed('invalid end duration', durationProblem(end))
      : prefixed('invalid end date-time', dateTimeProblem(end)))
  );
}

function emailProblem(text: string): string | undefined {
  if (new TextEncoder().encode(text).length > 254) return 'more than 255 characters long';
  const at = text.lastIndexOf('@');
  if (at < 0) return 'missing @';
  const [local, domain] = [text.slice(0, at), text.slice(at + 1)];
  const problem = localPartProblem(local);
  if (problem !== undefined) return problem;
  if (!/^\[.*\]$/s.test(domain)) return prefixed('invalid domain', hostProblem(domain));
  const address = domain.slice(1, -1);
  return address.startsWith('IPv6:')
    ? prefixed('invalid ipv6 address', ipv6Problem(address.slice('IPv6:'.length)))
    : prefixed('invalid ipv4 address', ipv4Problem(address));
}

function localPartProblem(local: string): string | undefined {
  if (new TextEncoder().encode(local).length > 64) return 'local part more than 64 characters long';
  if (local.length > 1 && local.startsWith('"') && local.endsWith('"')) {
    const bad = /[\\"]/.test(local.slice(1, -1));
    return bad ? 'backslash and quote are not allowed within quoted local part' : undefined;
  }
  if (local.startsWith('.')) return 'starts with dot';
  if (local.endsWith('.')) return 'ends with dot';
  if (local.includes('..')) return 'consecutive dots';
  return badCharacter(local, /[^A-Za-z0-9.!#$%&'*+\-/=?^_`{|}~]/u);
}

function badCharacter(text: string, bad: RegExp): string | undefined {
  const found = bad.exec(text)?.[0];
  return found === undefined ? undefined : `invalid character ${quotedRune(found)}`;
}

/** A character as Go's %q writes it. */
function quotedRune(char: string): string {
  if (char === "'") return "'\\''";
  if (char === '"') return `'"'`;
  return `'${quote(char).slice(1, -1)}'`;
}

function hostProblem(text: string): string | undefined {
  const name = text.replace(/\.$/, '');
  if (new TextEncoder().encode(name).length > 253) return 'more than 253 characters long';
  for (const label of name.split('.')) {
    const length = new TextEncoder().encode(label).length;
    if (length < 1 || length > 63) return 'label must be 1 to 63 characters long';
    if (label.startsWith('-')) return 'label starts with hyphen';
    if (label.endsWith('-')) return 'label ends with hyphen';
    const bad = badCharacter(label, /[^A-Za-z0-9-]/u);
    if (bad !== undefined) return bad;
  }
  return undefined;
}

function ipv4Problem(text: string): string | undefined {
  const groups = text.split('.');
  if (groups.length !== 4) return 'expected four decimals';
  for (const group of groups) {
    if (group.length > 1 && group.startsWith('0')) return 'leading zeros';
    if (!/^[+-]?\d+$/.test(group)) {
      return `strconv.Atoi: parsing ${quote(group)}: invalid syntax`;
    }
    if (Number(group) < 0 || Number(group) > 255) return 'decimal must be between 0 and 255';
  }
  return undefined;
}

function ipv6Problem(text: string): string | undefined {
  if (!text.includes(':')) return 'missing colon';
  if (text.includes('%')) return 'zone id is not a part of ipv6 address';
  return isIpv6(text) ? undefined : `ParseAddr(${quote(text)}): unable to parse IP`;
}

function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1) ?? '';
  const mapped = last.includes('.');
  if (mapped && ipv4Problem(last) !== undefined) return false;
  const plain = mapped ? groups.slice(0, -1) : groups;
  const count = plain.length + (mapped ? 2 : 0);
  return (
    plain.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group)) &&
    (halves.length === 2 ? count < 8 : count === 8)
  );
}

function uriProblem(text: string): string | undefined {
  const problem = urlProblem(text);
  if (problem !== undefined) return problem;
  return /^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text) ? undefined : 'relative url';
}

function referenceProblem(text: string): string | undefined {
  return text.includes('\\') ? 'contains \\' : urlProblem(text);
}

/** What Go's url.Parse refuses. */
function urlProblem(text: string): string | undefined {
  const refuse = (reason: string): string => `parse ${quote(text)}: ${reason}`;
  if (/[\u0000-\u001f\u007f]/.test(text))
    return refuse('net/url: invalid control character in URL');
  if (text.startsWith(':')) return refuse('missing protocol scheme');
  const badEscape = /%(?![0-9a-fA-F]{2})(.{0,2})/s.exec(
    text.replace(/#.*$/s, '').replace(/\?.*$/s, ''),
  );
  if (badEscape !== null) return refuse(`invalid URL escape ${quote(`%${badEscape[1]}`)}`);
  const [first = ''] = text.replace(/[?#].*$/s, '').split('/');
  if (/^[^:]*:/.test(first) && !/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(first)) {
    return refuse('first path segment in URL cannot contain colon');
  }
  const host = /^(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?\/\/(?:[^/?#@]*@)?([^/?#]*)/.exec(text)?.[1] ?? '';
  const bad = /[ <>"{}|\\^`]/.exec(host)?.[0];
  if (bad !== undefined) return refuse(`invalid character ${quote(bad)} in host name`);
  const port = /:([^:\]]*)$/.exec(host)?.[1];
  if (port !== undefined && !/^\d*$/.test(port)) {
    return refuse(`invalid port ${quote(`:${port}`)} after host`);
  }
  return undefined;
}

function uuidProblem(text: string): string | undefined {
  const lengths = [8, 4, 4, 4, 12];
  const groups = text.split('-');
  if (groups.length !== lengths.length) return `must have ${lengths.length} elements`;
  for (const [i, group] of groups.entries()) {
    if (new TextEncoder().encode(group).length !== lengths[i]) {
      return `element ${i + 1} must be ${lengths[i]} characters long`;
    }
    const bad = /[^0-9a-fA-F]/u.exec(group)?.[0];
    if (bad !== undefined) return `non-hex character ${quotedRune(bad)}`;
  }
  return undefined;
}

function pointerProblem(text: string): string | undefined {
  if (text === '') return undefined;
  if (!text.startsWith('/')) return 'not starting with /';
  return /~(?![01])/.test(text) ? '~ must be followed by 0 or 1' : undefined;
}

function relativePointerProblem(text: string): string | undefined {
  const digits = /^\d*/.exec(text)?.[0] ?? '';
  if (digits === '') return 'must start with non-negative integer';
  if (digits.length > 1 && text.startsWith('0')) return 'starts with zero';
  const rest = text.slice(digits.length);
  return rest === '#' ? undefined : pointerProblem(rest);
}

function semverProblem(text: string): string | undefined {
  const [, core = '', pre, build] = /^([^+-]*)(?:-([^+]*))?(?:\+(.*))?$/s.exec(text) ?? [];
  return buildProblem(build) ?? prereleaseProblem(pre) ?? coreProblem(core);
}

function buildProblem(build: string | undefined): string | undefined {
  if (build === undefined) return undefined;
  if (build === '') return 'build is empty';
  for (const id of build.split('.')) {
    if (id === '') return 'build identifier is empty';
    const bad = badCharacter(id, /[^0-9A-Za-z-]/u);
    if (bad !== undefined) return `${bad} in build identifier`;
  }
  return undefined;
}

function prereleaseProblem(pre: string | undefined): string | undefined {
  for (const id of pre?.split('.') ?? []) {
    if (id === '') return 'pre-release identifier is empty';
    const bad = badCharacter(id, /[^0-9A-Za-z-]/u);
    if (bad !== undefined) return `${bad} in pre-release identifier`;
    if (/^0\d+$/.test(id)) return 'pre-release numeric identifier starts with zero';
  }
  return undefined;
}

function coreProblem(core: string): string | undefined {
  const numbers = core.split('.');
  if (numbers.length !== 3) return 'versionCore must have 3 numbers separated by dot';
  for (const [i, name] of ['major', 'minor', 'patch'].entries()) {
    const number = numbers[i] ?? '';
    if (number === '') return `${name} is empty`;
    if (number.length > 1 && number.startsWith('0')) return `${name} starts with zero`;
    if (!/^\d+$/.test(number)) return `${name} contains non-digit`;
  }
  return undefined;
}

function regexProblem(text: string): string | undefined {
  try {
    regexTest(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
