import { CapstanError } from '@capstan/lib-std';
import { type FieldError, formatFieldErrors } from './field-error.ts';
import { labelKeyProblems, labelValueProblems } from './names.ts';
import type { Json, JsonObject } from './object.ts';

export type SelectorOperator = 'in' | 'notin' | '=' | '==' | '!=' | 'gt' | 'lt' | 'exists' | '!';

export interface SelectorRequirement {
  readonly key: string;
  readonly operator: SelectorOperator;
  readonly values: readonly string[];
}

/** All of the requirements must hold; none at all matches everything. Sorted by key. */
export type LabelSelector = readonly SelectorRequirement[];
export type Labels = { readonly [key: string]: string | undefined };

const operatorNames = 'in, notin, =, ==, !=, gt, lt';

/**
 * Reads a label selector as in `kubectl get -l` (`app=web,tier in (a,b),!old`). Throws CapstanError with the API server's
 * text. Linear in the text.
 */
export function parseLabelSelector(text: string): LabelSelector {
  const parser: Parser = { tokens: tokenize(text), at: 0 };
  const requirements: SelectorRequirement[] = [];
  for (;;) {
    const { kind, text: found } = peek(parser, true);
    if (kind === 'end') break;
    if (kind !== 'name' && kind !== '!')
      throw fail(`found '${found}', expected: !, identifier, or 'end of string'`);
    requirements.push(readRequirement(parser));
    const next = take(parser, true);
    if (next.kind === 'end') break;
    if (next.kind !== ',') throw fail(`found '${next.text}', expected: ',' or 'end of string'`);
    const after = peek(parser, true);
    if (after.kind !== 'name' && after.kind !== '!')
      throw fail(`found '${after.text}', expected: identifier after ','`);
  }
  return requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

function fail(message: string): CapstanError {
  return new CapstanError('SELECTOR_INVALID', message, {
    hint: 'write it like app=web,tier in (front,back),!legacy',
  });
}

type TokenKind =
  | ')'
  | ','
  | '!'
  | '=='
  | '='
  | '>'
  | '<'
  | '!='
  | '('
  | 'in'
  | 'notin'
  | 'name'
  | 'end'
  | 'error';
interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}
interface Parser {
  readonly tokens: readonly Token[];
  at: number;
}

const symbols: ReadonlySet<string> = new Set([')', ',', '!', '==', '=', '>', '<', '!=', '(']);

function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at]!;
    if (/\s/.test(char)) at++;
    else if ('=!(),><'.includes(char)) {
      const two = text.slice(at, at + 2);
      const symbol = symbols.has(two) ? two : char;
      tokens.push({ kind: symbol as TokenKind, text: symbol });
      at += symbol.length;
    } else {
      let end = at;
      while (end < text.length && !/[\s=!(),><]/.test(text[end]!)) end++;
      const word = text.slice(at, end);
      tokens.push({ kind: word === 'in' || word === 'notin' ? word : 'name', text: word });
      at = end;
    }
  }
  return [...tokens, { kind: 'end', text: '' }];
}

/** Where a value or key may stand, `in` and `notin` are names. */
function peek({ tokens, at }: Parser, isValue: boolean): Token {
  const token = tokens[Math.min(at, tokens.length - 1)]!;
  const isWord = token.kind === 'in' || token.kind === 'notin';
  return isWord && isValue ? { kind: 'name', text: token.text } : token;
}

function take(parser: Parser, isValue: boolean): Token {
  const token = peek(parser, isValue);
  parser.at++;
  return token;
}

function readRequirement(parser: Parser): SelectorRequirement {
  try {
    const first = take(parser, true);
    const isNegated = first.kind === '!';
    const name = isNegated ? take(parser, true) : first;
    if (name.kind !== 'name') throw fail(`found '${name.text}', expected: identifier`);
    const problems = labelKeyProblems(name.text);
    if (problems.length > 0) throw invalid([keyError(name.text, '<nil>')]);
    const next = peek(parser, true).kind;
    if (isNegated) return requirement(name.text, '!', []);
    if (next === 'end' || next === ',') return requirement(name.text, 'exists', []);
    const operator = readOperator(parser);
    const values =
      operator === 'in' || operator === 'notin' ? readValues(parser) : readValue(parser);
    return requirement(name.text, operator, values);
  } catch (error) {
    if (!(error instanceof CapstanError)) throw error;
    throw fail(`unable to parse requirement: ${error.message}`);
  }
}

function readOperator(parser: Parser): SelectorOperator {
  const token = take(parser, false);
  switch (token.kind) {
    case 'in':
    case 'notin':
    case '=':
    case '==':
    case '!=':
      return token.kind;
    case '>':
      return 'gt';
    case '<':
      return 'lt';
    default:
      throw fail(`found '${token.text}', expected: ${operatorNames}`);
  }
}

function readValue(parser: Parser): readonly string[] {
  const next = peek(parser, true);
  if (next.kind === 'end' || next.kind === ',') return [''];
  parser.at++;
  if (next.kind !== 'name') throw fail(`found '${next.text}', expected: identifier`);
  return [next.text];
}

function readValues(parser: Parser): readonly string[] {
  const open = take(parser, true);
  if (open.kind !== '(') throw fail(`found '${open.text}' expected: '('`);
  const first = peek(parser, true);
  if (first.kind === ')') {
    parser.at++;
    return [''];
  }
  if (first.kind !== 'name' && first.kind !== ',')
    throw fail(`found '${first.text}', expected: ',', ')' or identifier`);
  const values = new Set<string>();
  for (;;) {
    const token = take(parser, true);
    if (token.kind === 'name') {
      values.add(token.text);
      const next = peek(parser, true);
      if (next.kind === ')') break;
      if (next.kind !== ',') throw fail(`found '${next.text}', expected: ',' or ')'`);
    } else if (token.kind === ',') {
      if (values.size === 0) values.add('');
      const next = peek(parser, true).kind;
      if (next === ')' || next === ',') values.add('');
      if (next === ')') break;
    } else throw fail(`found '${token.text}', expected: ',', or identifier`);
  }
  parser.at++;
  return [...values].sort();
}

function keyError(key: string, field: string): FieldError {
  return {
    reason: 'FieldValueInvalid',
    field,
    value: key,
    detail: labelKeyProblems(key).join('; '),
  };
}

function invalid(errors: readonly FieldError[]): CapstanError {
  return fail(formatFieldErrors(errors));
}

function requirement(
  key: string,
  operator: SelectorOperator,
  values: readonly string[],
): SelectorRequirement {
  const errors: FieldError[] = [];
  if (labelKeyProblems(key).length > 0) errors.push(keyError(key, 'key'));
  if (operator === 'gt' || operator === 'lt')
    for (const [index, value] of values.entries())
      if (!/^[-+]?\d+$/.test(value))
        errors.push({
          reason: 'FieldValueInvalid',
          field: `values[${index}]`,
          value,
          detail: "for 'Gt', 'Lt' operators, the value must be an integer",
        });
  for (const [index, value] of values.entries()) {
    const problems = labelValueProblems(value);
    if (problems.length > 0)
      errors.push({
        reason: 'FieldValueInvalid',
        field: `values[${index}][${key}]`,
        value,
        detail: problems.join('; '),
      });
  }
  if (errors.length > 0) throw invalid(errors);
  return { key, operator, values };
}

export function matchesLabels(selector: LabelSelector, labels: Labels | undefined): boolean {
  return selector.every((item) => matchesOne(item, labels ?? {}));
}

function matchesOne({ key, operator, values }: SelectorRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'in':
    case '=':
    case '==':
      return value !== undefined && values.includes(value);
    case 'notin':
    case '!=':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'gt':
    case 'lt': {
      if (value === undefined || !/^[-+]?\d+$/.test(value)) return false;
      const [left, right] = [BigInt(value), BigInt(values[0] ?? '0')];
      return operator === 'gt' ? left > right : left < right;
    }
    default:
      return operator satisfies never;
  }
}

/** As the server prints it: `app=web,tier in (a,b),!old`. */
export function formatLabelSelector(selector: LabelSelector): string {
  return selector
    .map(({ key, operator, values }) => {
      if (operator === 'exists') return key;
      if (operator === '!') return `!${key}`;
      if (operator === 'in' || operator === 'notin')
        return `${key} ${operator} (${values.join(',')})`;
      const symbol = operator === 'gt' ? '>' : operator === 'lt' ? '<' : operator;
      return `${key}${symbol}${values[0] ?? ''}`;
    })
    .join(',');
}

const objectOperators: Readonly<Record<string, SelectorOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

/**
 * Reads `metav1.LabelSelector` ({matchLabels, matchExpressions}) of an object. An absent selector matches nothing
 * (undefined); an empty one everything. Throws CapstanError.
 */
export function labelSelectorOf(source: JsonObject | null | undefined): LabelSelector | undefined {
  if (source === null || source === undefined) return undefined;
  const labels = Object.entries((source['matchLabels'] ?? {}) as Labels);
  const expressions = (source['matchExpressions'] ?? []) as readonly JsonObject[];
  const fromLabels = labels.map(([key, value]) => requirement(key, '=', [value ?? '']));
  return [...fromLabels, ...expressions.map(readExpression)].sort((a, b) =>
    a.key < b.key ? -1 : 1,
  );
}

function readExpression(source: JsonObject): SelectorRequirement {
  const name = textOf(source['operator']);
  const operator = objectOperators[name];
  if (operator === undefined) throw fail(`"${name}" is not a valid label selector operator`);
  const values = Array.isArray(source['values']) ? (source['values'] as readonly Json[]) : [];
  const needsValues = operator === 'in' || operator === 'notin';
  if (needsValues === (values.length === 0))
    throw invalid([
      {
        reason: 'FieldValueInvalid',
        field: 'values',
        value: values,
        detail: needsValues
          ? "for 'in', 'notin' operators, values set can't be empty"
          : 'values set must be empty for exists and does not exist',
      },
    ]);
  return requirement(textOf(source['key']), operator, values.map(textOf));
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
