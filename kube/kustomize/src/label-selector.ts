import { failure } from './failure.ts';
import { parseInteger } from './field-path.ts';

type Operator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | '>' | '<';

interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

export type LabelSelector = (labels: ReadonlyMap<string, string>) => boolean;

/** Reads a label selector as Kubernetes does, with its messages. An empty text selects all. */
export function parseLabelSelector(text: string): LabelSelector {
  if (text === '') return () => true;
  const requirements = new Parser(scan(text)).parse();
  return (labels) => requirements.every((requirement) => matches(requirement, labels));
}

function matches(
  { key, operator, values }: Requirement,
  labels: ReadonlyMap<string, string>,
): boolean {
  const value = labels.get(key);
  switch (operator) {
    case '=':
    case '==':
    case 'in':
      return value !== undefined && values.includes(value);
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case '>':
    case '<': {
      const number = value === undefined ? undefined : parseInteger(value);
      if (number === undefined) return false;
      return operator === '>' ? number > Number(values[0]) : number < Number(values[0]);
    }
  }
}

interface Token {
  readonly kind:
    | 'word'
    | 'end'
    | 'error'
    | ')'
    | ','
    | '!'
    | '=='
    | '='
    | '>'
    | 'in'
    | '<'
    | '!='
    | 'notin'
    | '(';
  readonly text: string;
}

const SYMBOLS: ReadonlySet<string> = new Set([')', ',', '!', '==', '=', '>', '<', '!=', '(']);
const SYMBOL_LETTERS = '=!(),><';

function scan(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    const letter = text[at]!;
    if (/[ \t\r\n]/.test(letter)) {
      at++;
    } else if (SYMBOL_LETTERS.includes(letter)) {
      let length = 1;
      while (SYMBOLS.has(text.slice(at, at + length + 1)) && at + length < text.length) length++;
      const symbol = text.slice(at, at + length);
      tokens.push({ kind: symbol as Token['kind'], text: symbol });
      at += length;
    } else {
      let end = at;
      while (end < text.length && !/[ \t\r\n=!(),><]/.test(text[end]!)) end++;
      const word = text.slice(at, end);
      tokens.push({ kind: word === 'in' || word === 'notin' ? word : 'word', text: word });
      at = end;
    }
  }
  tokens.push({ kind: 'end', text: '' });
  return tokens;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === 'end') return requirements;
      if (token.kind !== 'word' && token.kind !== '!') {
        throw failure(`found '${token.text}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.#wrapped());
      const next = this.#next();
      if (next.kind === 'end') return requirements;
      if (next.kind !== ',') {
        throw failure(`found '${next.text}', expected: ',' or 'end of string'`);
      }
      const after = this.#peek();
      if (after.kind !== 'word' && after.kind !== '!') {
        throw failure(`found '${after.text}', expected: identifier after ','`);
      }
    }
  }

  #wrapped(): Requirement {
    try {
      return this.#requirement();
    } catch (error) {
      throw failure(`unable to parse requirement: ${error instanceof Error ? error.message : ''}`);
    }
  }

  /** `in` and `notin` are words where a value may stand. */
  #peek(): Token {
    const token = this.#tokens[Math.min(this.#at, this.#tokens.length - 1)]!;
    return token.kind === 'in' || token.kind === 'notin' ? { ...token, kind: 'word' } : token;
  }

  #next(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }

  #requirement(): Requirement {
    const negated = this.#peek().kind === '!';
    if (negated) this.#at++;
    const { kind, text: key } = this.#next();
    if (kind !== 'word') throw failure(`found '${key}', expected: identifier`);
    requireKey(key);
    const following = this.#peek().kind;
    if (negated) return { key, operator: '!', values: [] };
    if (following === 'end' || following === ',') return { key, operator: 'exists', values: [] };
    const operator = this.#operator();
    const values =
      operator === 'in' || operator === 'notin' ? this.#valueList() : [this.#exactValue()];
    if ((operator === '>' || operator === '<') && parseInteger(values[0]!) === undefined) {
      throw failure("for 'Gt', 'Lt' operators, the value must be an integer");
    }
    for (const value of values) requireValue(key, value);
    return { key, operator, values };
  }

  #operator(): Operator {
    const { kind, text } = this.#tokens[this.#at++]!;
    if (kind === '=' || kind === '==' || kind === '!=' || kind === '>' || kind === '<') return kind;
    if (kind === 'in' || kind === 'notin') return kind;
    throw failure(`found '${text}', expected: '=', '!=', '==', 'in', notin'`);
  }

  #exactValue(): string {
    const token = this.#peek();
    if (token.kind === 'end' || token.kind === ',') return '';
    this.#at++;
    if (token.kind === 'word') return token.text;
    throw failure(`found '${token.text}', expected: identifier`);
  }

  #valueList(): string[] {
    const open = this.#next();
    if (open.kind !== '(') throw failure(`found '${open.text}' expected: '('`);
    const values = new Set<string>();
    for (let needsValue = true; ; ) {
      const token = this.#next();
      if (token.kind === ')') {
        if (needsValue) values.add('');
        return [...values].sort();
      }
      if (token.kind === ',') {
        if (needsValue) values.add('');
        needsValue = true;
      } else if (token.kind === 'word' && needsValue) {
        values.add(token.text);
        needsValue = false;
      } else {
        const wanted = needsValue ? "',', ')' or identifier" : "',' or ')'";
        throw failure(`found '${token.text}', expected: ${wanted}`);
      }
    }
  }
}

const NAME_PART = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const NAME_RULE =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const DOMAIN_RULE =
  "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const VALUE_RULE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

function requireKey(key: string): void {
  const slash = key.indexOf('/');
  const name = slash < 0 ? key : key.slice(slash + 1);
  const problems: string[] = [];
  if (slash >= 0) {
    const prefix = key.slice(0, slash);
    if (prefix === '') problems.push('prefix part must be non-empty');
    else if (
      !/^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/.test(prefix)
    )
      problems.push(DOMAIN_RULE);
  }
  if (name.length > 63) problems.push('name part must be no more than 63 characters');
  if (!NAME_PART.test(name)) problems.push(NAME_RULE);
  if (problems.length > 0) throw failure(`invalid label key "${key}": ${problems.join('; ')}`);
}

function requireValue(key: string, value: string): void {
  const problems: string[] = [];
  if (value.length > 63) problems.push('must be no more than 63 characters');
  if (value !== '' && !NAME_PART.test(value)) problems.push(VALUE_RULE);
  if (problems.length === 0) return;
  throw failure(`invalid label value: "${value}": at key: "${key}": ${problems.join('; ')}`);
}
