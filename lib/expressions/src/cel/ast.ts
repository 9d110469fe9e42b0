import type { CelValue } from './values.ts';

/** An expression after parsing, its macros expanded. `at` is where the source shows it: an operator, a bracket, a name. */
export type Expr =
  | { readonly kind: 'literal'; readonly at: number; readonly value: CelValue }
  | { readonly kind: 'ident'; readonly at: number; readonly name: string }
  | SelectExpr
  | CallExpr
  | ListExpr
  | MapExpr
  | StructExpr
  | ComprehensionExpr;

export interface SelectExpr {
  readonly kind: 'select';
  readonly at: number;
  readonly operand: Expr;
  readonly field: string;
  /** `has(a.b)` */
  readonly testOnly: boolean;
}

export interface CallExpr {
  readonly kind: 'call';
  readonly at: number;
  readonly name: string;
  /** Of a call like `target.name(args)`. */
  readonly target?: Expr;
  readonly args: readonly Expr[];
}

export interface ListExpr {
  readonly kind: 'list';
  readonly at: number;
  readonly elements: readonly Expr[];
  /** Indexes of the elements that stand there only if their optional has a value. */
  readonly optional: ReadonlySet<number>;
}

export interface MapExpr {
  readonly kind: 'map';
  readonly at: number;
  readonly entries: readonly {
    readonly key: Expr;
    readonly value: Expr;
    readonly optional: boolean;
  }[];
}

export interface StructExpr {
  readonly kind: 'struct';
  readonly at: number;
  readonly name: string;
  readonly fields: readonly {
    readonly at: number;
    readonly name: string;
    readonly value: Expr;
    readonly optional: boolean;
  }[];
}

/** What all macros over lists and maps become: a loop with an accumulator. */
export interface ComprehensionExpr {
  readonly kind: 'comprehension';
  readonly at: number;
  readonly range: Expr;
  readonly variable: string;
  /** With two variables the first is an index or a key. */
  readonly variable2?: string;
  readonly accumulator: string;
  readonly init: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

/** The name of the accumulator of macros, which no source can spell. */
export const ACCUMULATOR = '@result';

/** A problem with an expression, at a place in its source. */
export interface CelIssue {
  readonly at: number;
  readonly message: string;
}

/** Problems as cel-go prints them: `ERROR: <input>:1:5: …`, the line, and a mark below the place. */
export function formatIssues(issues: readonly CelIssue[], source: string): string {
  return [...issues]
    .sort((a, b) => a.at - b.at)
    .map(({ at, message }) => {
      const before = source.slice(0, at);
      const line = before.split('\n').length;
      const left = [...before.slice(before.lastIndexOf('\n') + 1)];
      const column = left.length;
      // Below a character of several bytes stands a wide mark.
      const dots = left.map((char) => (isWide(char) ? '．' : '.')).join('');
      const mark = isWide(source.slice(at)) ? '＾' : '^';
      const shown = (source.split('\n')[line - 1] ?? '').replaceAll('\t', ' ');
      return `ERROR: <input>:${line}:${column + 1}: ${message}\n | ${shown}\n | ${dots}${mark}`;
    })
    .join('\n');
}

function isWide(text: string): boolean {
  return (text.codePointAt(0) ?? 0) > 127;
}
