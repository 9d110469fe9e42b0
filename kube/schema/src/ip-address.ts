export interface IpAddress {
  /** Four or sixteen. */
  readonly bytes: readonly number[];
  readonly zone: string;
}

type Parsed = IpAddress | { readonly problem: string };

/** An address as Go's net/netip reads it, or why it is none, in its words. */
export function parseIpAddress(text: string): Parsed {
  const first = /[.:%]/.exec(text)?.[0];
  if (first === undefined) return problem(text, 'unable to parse IP');
  if (first === '%') return problem(text, 'missing IPv6 address');
  if (first === ':') return parseSixteen(text);
  const fields = parseFour(text, text);
  return 'problem' in fields ? fields : { bytes: fields, zone: '' };
}

function problem(text: string, why: string, at?: string): { readonly problem: string } {
  const where = at === undefined ? '' : ` (at ${JSON.stringify(at)})`;
  return { problem: `ParseAddr(${JSON.stringify(text)}): ${why}${where}` };
}

/** Four numbers between dots; `whole` is what they stand in. */
function parseFour(text: string, whole: string): readonly number[] | { readonly problem: string } {
  const fields: number[] = [];
  let digits = '';
  for (const [i, char] of [...text].entries()) {
    if (char >= '0' && char <= '9') {
      if (digits === '0') return problem(whole, 'IPv4 field has octet with leading zero');
      digits += char;
      if (Number(digits) > 255) return problem(whole, 'IPv4 field has value >255');
    } else if (char === '.') {
      if (digits === '' || i === text.length - 1) {
        return problem(whole, 'IPv4 field must have at least one digit', text.slice(i));
      }
      if (fields.length === 3) return problem(whole, 'IPv4 address too long');
      fields.push(Number(digits));
      digits = '';
    } else return problem(whole, 'unexpected character', text.slice(i));
  }
  return fields.length < 3 ? problem(whole, 'IPv4 address too short') : [...fields, Number(digits)];
}

const BYTES = 16;

/** Groups of hexadecimal digits between colons, of which some may be left out. */
function parseSixteen(text: string): Parsed {
  const percent = text.indexOf('%');
  const zone = percent < 0 ? '' : text.slice(percent + 1);
  if (percent >= 0 && zone === '') return problem(text, 'zone must be a non-empty string');
  let rest = percent < 0 ? text : text.slice(0, percent);
  const bytes: number[] = [];
  let gap = -1;
  if (rest.startsWith('::')) {
    gap = 0;
    rest = rest.slice(2);
    if (rest === '') return { bytes: new Array<number>(BYTES).fill(0), zone };
  }
  while (bytes.length < BYTES) {
    const digits = /^[0-9a-fA-F]*/.exec(rest)?.[0] ?? '';
    if (digits.length > 4) return problem(text, 'each group must have 4 or less digits', rest);
    if (digits === '') {
      return problem(text, 'each colon-separated field must have at least one digit', rest);
    }
    if (rest[digits.length] === '.') {
      const tail = embedded(text, rest, { count: bytes.length, hasGap: gap >= 0 });
      if ('problem' in tail) return tail;
      bytes.push(...tail);
      rest = '';
      break;
    }
    const group = Number.parseInt(digits, 16);
    bytes.push(group >> 8, group & 0xff);
    rest = rest.slice(digits.length);
    if (rest === '') break;
    if (rest[0] !== ':') return problem(text, 'unexpected character, want colon', rest);
    if (rest === ':') return problem(text, 'colon must be followed by more characters', rest);
    rest = rest.slice(1);
    if (rest[0] !== ':') continue;
    if (gap >= 0) return problem(text, 'multiple :: in address', rest);
    gap = bytes.length;
    rest = rest.slice(1);
    if (rest === '') break;
  }
  if (rest !== '') return problem(text, 'trailing garbage after address', rest);
  return filled(text, bytes, gap, zone);
}

function embedded(
  text: string,
  rest: string,
  { count, hasGap }: { readonly count: number; readonly hasGap: boolean },
): readonly number[] | { readonly problem: string } {
  if (!hasGap && count !== 12) {
    const why = 'embedded IPv4 address must replace the final 2 fields of the address';
    return problem(text, why, rest);
  }
  if (count + 4 > BYTES) {
    const why = 'too many hex fields to fit an embedded IPv4 at the end of the address';
    return problem(text, why, rest);
  }
  return parseFour(rest, text);
}

function filled(text: string, bytes: readonly number[], gap: number, zone: string): Parsed {
  const missing = BYTES - bytes.length;
  if (missing > 0 && gap < 0) return problem(text, 'address string too short');
  if (missing === 0 && gap >= 0) {
    return problem(text, 'the :: must expand to at least one field of zeros');
  }
  if (missing === 0) return { bytes, zone };
  const zeros = new Array<number>(missing).fill(0);
  return { bytes: [...bytes.slice(0, gap), ...zeros, ...bytes.slice(gap)], zone };
}
