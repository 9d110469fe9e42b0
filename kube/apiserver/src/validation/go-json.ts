/**
 * Why encoding/json would not read a text as an object, in its words; undefined if it would. Values are read as Go's scanner
 * does, which tells the first character that cannot go on.
 */
export function jsonObjectProblem(text: string): string | undefined {
  const at = syntaxProblem(text);
  if (at !== undefined) return at;
  const value = JSON.parse(text) as unknown;
  if (value === null || (typeof value === 'object' && !Array.isArray(value))) return undefined;
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`;
}

function syntaxProblem(text: string): string | undefined {
  const scan: Scan = { text, at: 0 };
  const problem = readValue(scan, 'looking for beginning of value');
  if (problem !== undefined) return problem;
  skipSpace(scan);
  return scan.at < text.length ? unexpected(scan, 'after top-level value') : undefined;
}

interface Scan {
  readonly text: string;
  at: number;
}

function skipSpace(scan: Scan): void {
  while (/[ \t\r\n]/.test(scan.text[scan.at] ?? '')) scan.at++;
}

function unexpected({ text, at }: Scan, where: string): string {
  const character = text[at];
  if (character === undefined) return 'unexpected end of JSON input';
  const shown = character === "'" ? `'\\''` : character === '"' ? `'"'` : `'${character}'`;
  return `invalid character ${shown} ${where}`;
}

function readValue(scan: Scan, where: string): string | undefined {
  skipSpace(scan);
  const character = scan.text[scan.at] ?? '';
  if (character === '{') return readObject(scan);
  if (character === '[') return readArray(scan);
  if (character === '"') return readString(scan);
  if (/[-0-9]/.test(character)) return readNumber(scan);
  for (const word of ['true', 'false', 'null']) {
    if (character === word[0]) return readWord(scan, word);
  }
  return unexpected(scan, where);
}

function readWord(scan: Scan, word: string): string | undefined {
  for (const [i, character] of [...word].entries()) {
    if (i > 0 && scan.text[scan.at] !== character) {
      return unexpected(scan, `in literal ${word} (expecting '${character}')`);
    }
    scan.at++;
  }
  return undefined;
}

function readNumber(scan: Scan): string | undefined {
  const digits = (): number => {
    const from = scan.at;
    while (/[0-9]/.test(scan.text[scan.at] ?? '')) scan.at++;
    return scan.at - from;
  };
  if (scan.text[scan.at] === '-') scan.at++;
  if (scan.text[scan.at] === '0') scan.at++;
  else if (digits() === 0) return unexpected(scan, 'in numeric literal');
  if (scan.text[scan.at] === '.') {
    scan.at++;
    if (digits() === 0) return unexpected(scan, 'after decimal point in numeric literal');
  }
  if (/[eE]/.test(scan.text[scan.at] ?? '')) {
    scan.at++;
    if (/[-+]/.test(scan.text[scan.at] ?? '')) scan.at++;
    if (digits() === 0) return unexpected(scan, 'in exponent of numeric literal');
  }
  return undefined;
}

function readString(scan: Scan): string | undefined {
  scan.at++;
  for (;;) {
    const character = scan.text[scan.at];
    if (character === undefined) return unexpected(scan, '');
    if (character < ' ') return unexpected(scan, 'in string literal');
    scan.at += character === '\\' ? 2 : 1;
    if (character === '"') return undefined;
  }
}

function readArray(scan: Scan): string | undefined {
  scan.at++;
  skipSpace(scan);
  if (scan.text[scan.at] === ']') {
    scan.at++;
    return undefined;
  }
  for (;;) {
    const problem = readValue(scan, 'looking for beginning of value');
    if (problem !== undefined) return problem;
    skipSpace(scan);
    if (scan.text[scan.at] === ']') break;
    if (scan.text[scan.at] !== ',') return unexpected(scan, 'after array element');
    scan.at++;
  }
  scan.at++;
  return undefined;
}

function readObject(scan: Scan): string | undefined {
  scan.at++;
  skipSpace(scan);
  if (scan.text[scan.at] === '}') {
    scan.at++;
    return undefined;
  }
  for (;;) {
    skipSpace(scan);
    if (scan.text[scan.at] !== '"') {
      return unexpected(scan, 'looking for beginning of object key string');
    }
    const key = readString(scan);
    if (key !== undefined) return key;
    skipSpace(scan);
    if (scan.text[scan.at] !== ':') return unexpected(scan, 'after object key');
    scan.at++;
    const problem = readValue(scan, 'looking for beginning of value');
    if (problem !== undefined) return problem;
    skipSpace(scan);
    if (scan.text[scan.at] === '}') break;
    if (scan.text[scan.at] !== ',') return unexpected(scan, 'after object key:value pair');
    scan.at++;
  }
  scan.at++;
  return undefined;
}
