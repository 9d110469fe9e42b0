/** The syntax tree of Lua 5.1 with `goto`, as GopherLua reads it. */

/** A local variable. `isCaptured` is final once its function has been parsed: such variables live in a box. */
export interface Variable {
  readonly slot: number;
  readonly owner: FunctionScope;
  isCaptured: boolean;
}

/** One function as the parser sees it: how many slots it needs, and what it takes from its surroundings. */
export interface FunctionScope {
  readonly parent: FunctionScope | undefined;
  slotCount: number;
  readonly captures: Variable[];
  readonly isVariadic: boolean;
}

export type Expression =
  | { readonly kind: 'nil' }
  | { readonly kind: 'constant'; readonly value: boolean | number | string }
  | { readonly kind: 'varargs' }
  | { readonly kind: 'function'; readonly body: FunctionBody }
  | { readonly kind: 'local'; readonly variable: Variable }
  | { readonly kind: 'upvalue'; readonly index: number }
  | { readonly kind: 'global'; readonly name: string; readonly line: number }
  | {
      readonly kind: 'index';
      readonly object: Expression;
      readonly key: Expression;
      readonly line: number;
    }
  | Call
  | { readonly kind: 'parenthesis'; readonly inner: Expression }
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly line: number;
    }
  | {
      readonly kind: 'unary';
      readonly operator: 'not' | '-' | '#';
      readonly operand: Expression;
      readonly line: number;
    }
  | {
      readonly kind: 'table';
      readonly items: readonly Expression[];
      readonly fields: readonly (readonly [Expression, Expression])[];
      readonly line: number;
    };

export interface Call {
  readonly kind: 'call';
  readonly callee: Expression;
  /** `object:method(…)`: the callee is the object. */
  readonly method?: string;
  readonly args: readonly Expression[];
  readonly line: number;
}

export type BinaryOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '^'
  | '..'
  | '=='
  | '~='
  | '<'
  | '<='
  | '>'
  | '>=';

export interface FunctionBody {
  readonly scope: FunctionScope;
  readonly parameters: readonly Variable[];
  readonly block: Block;
}

export type Block = readonly Statement[];

export type Statement =
  | {
      readonly kind: 'local';
      readonly variables: readonly Variable[];
      readonly values: readonly Expression[];
    }
  | {
      readonly kind: 'assign';
      readonly targets: readonly Expression[];
      readonly values: readonly Expression[];
    }
  | { readonly kind: 'call'; readonly call: Call }
  | { readonly kind: 'do'; readonly block: Block }
  | { readonly kind: 'while'; readonly condition: Expression; readonly block: Block }
  | { readonly kind: 'repeat'; readonly condition: Expression; readonly block: Block }
  | {
      readonly kind: 'if';
      readonly branches: readonly { readonly condition: Expression; readonly block: Block }[];
      readonly otherwise: Block | undefined;
    }
  | {
      readonly kind: 'numeric for';
      readonly variable: Variable;
      readonly from: Expression;
      readonly to: Expression;
      readonly step: Expression | undefined;
      readonly block: Block;
      readonly line: number;
    }
  | {
      readonly kind: 'generic for';
      readonly variables: readonly Variable[];
      readonly values: readonly Expression[];
      readonly block: Block;
      readonly line: number;
    }
  | { readonly kind: 'local function'; readonly variable: Variable; readonly body: FunctionBody }
  | { readonly kind: 'return'; readonly values: readonly Expression[] }
  | { readonly kind: 'break' }
  | { readonly kind: 'goto'; readonly label: string }
  | { readonly kind: 'label'; readonly label: string };
