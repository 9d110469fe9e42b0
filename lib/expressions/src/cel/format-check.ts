import type { CallExpr, CelIssue, Expr } from './ast.ts';
import { type CelType, formatType } from './types.ts';

const CLAUSE = /%(?:%|(?:\.(\d+))?([\s\S]))?/g;

interface Clause {
  readonly takes: ReadonlySet<string>;
  readonly message: string;
}

const takes = (types: string, message: string): Clause => ({
  takes: new Set(types.split(' ')),
  message,
});

const HEX = takes(
  'int uint bytes string',
  'only integers, byte buffers, and strings can be formatted as hex',
);
/** By their letters; `s` takes nearly all. */
const CLAUSES: Readonly<Record<string, Clause | undefined>> = {
  d: takes('int uint', 'decimal clause can only be used on integers'),
  f: takes('double string', 'fixed-point clause can only be used on doubles'),
  e: takes('double string', 'scientific clause can only be used on doubles'),
  b: takes('int uint bool', 'only integers and bools can be formatted as binary'),
  x: HEX,
  X: HEX,
  o: takes('int uint', 'octal clause can only be used on integers'),
};

/** What is wrong with `"literal".format([…])`, as far as the types tell (cel-go's ext/formatting.go). */
export function formatProblem(
  call: CallExpr,
  types: ReadonlyMap<Expr, CelType>,
): CelIssue | undefined {
  const { target, args } = call;
  const [list] = args;
  if (call.name !== 'format' || target?.kind !== 'literal' || list?.kind !== 'list')
    return undefined;
  if (typeof target.value !== 'string') return undefined;
  let next = 0;
  for (const [whole, , letter] of target.value.matchAll(CLAUSE)) {
    if (whole === '%%') continue;
    const fail = (message: string): CelIssue => ({ at: call.at, message });
    if (letter === undefined) return fail('unexpected end of string');
    const word = list.elements[next];
    if (word === undefined) return fail(`index ${next} out of range`);
    next++;
    const clause = CLAUSES[letter];
    if (clause !== undefined) {
      const type = types.get(word);
      if (type === undefined || type.kind === 'dyn' || clause.takes.has(formatType(type))) continue;
      const message = `error during formatting: ${clause.message}, was given ${formatType(type)}`;
      return { at: word.at, message };
    }
    if (letter === 's') continue;
    const shown = JSON.stringify(letter);
    return fail(`could not parse formatting clause: unrecognized formatting clause ${shown}`);
  }
  const given = list.elements.length;
  if (given <= next) return undefined;
  const message = `too many arguments supplied to string.format (expected ${next}, got ${given})`;
  return { at: call.at, message };
}
