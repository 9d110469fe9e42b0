/** The syntax tree of Jsonnet (jsonnet.org/ref/spec). */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type Visibility = 'inherit' | 'hidden' | 'visible';

export interface Bind {
  readonly name: string;
  readonly body: Expression;
}

export interface Parameter {
  readonly name: string;
  readonly fallback?: Expression;
}

export interface Argument {
  readonly name?: string;
  readonly value: Expression;
}

export interface Field {
  readonly name: Expression;
  readonly plus: boolean;
  readonly visibility: Visibility;
  readonly body: Expression;
}

export interface Assertion {
  readonly condition: Expression;
  readonly message?: Expression;
}

export type Clause =
  | { readonly kind: 'for'; readonly name: string; readonly list: Expression }
  | { readonly kind: 'if'; readonly condition: Expression };

export type BinaryOperator =
  | '*'
  | '/'
  | '%'
  | '+'
  | '-'
  | '<<'
  | '>>'
  | '<'
  | '<='
  | '>'
  | '>='
  | '=='
  | '!='
  | 'in'
  | '&'
  | '^'
  | '|'
  | '&&'
  | '||';
export type UnaryOperator = '-' | '+' | '!' | '~';

export type Expression = { readonly at: Place } & (
  | { readonly kind: 'literal'; readonly value: null | boolean | number | string }
  | { readonly kind: 'self' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'index'; readonly target: Expression; readonly name: Expression }
  | {
      readonly kind: 'slice';
      readonly target: Expression;
      readonly parts: readonly (Expression | undefined)[];
    }
  | { readonly kind: 'super'; readonly name: Expression }
  | { readonly kind: 'in-super'; readonly name: Expression }
  | {
      readonly kind: 'call';
      readonly target: Expression;
      readonly args: readonly Argument[];
      readonly strict: boolean;
    }
  | { readonly kind: 'array'; readonly items: readonly Expression[] }
  | {
      readonly kind: 'array-for';
      readonly item: Expression;
      readonly clauses: readonly Clause[];
    }
  | {
      readonly kind: 'object';
      readonly fields: readonly Field[];
      readonly locals: readonly Bind[];
      readonly assertions: readonly Assertion[];
    }
  | {
      readonly kind: 'object-for';
      readonly field: Field;
      readonly locals: readonly Bind[];
      readonly clauses: readonly Clause[];
    }
  | { readonly kind: 'local'; readonly binds: readonly Bind[]; readonly body: Expression }
  | {
      readonly kind: 'if';
      readonly condition: Expression;
      readonly then: Expression;
      readonly otherwise?: Expression;
    }
  | {
      readonly kind: 'function';
      readonly parameters: readonly Parameter[];
      readonly body: Expression;
    }
  | { readonly kind: 'assert'; readonly assertion: Assertion; readonly body: Expression }
  | { readonly kind: 'error'; readonly message: Expression }
  | { readonly kind: 'import'; readonly form: 'code' | 'text' | 'bytes'; readonly path: string }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression }
);
