import {
  ACCUMULATOR,
  type CallExpr,
  type CelIssue,
  type ComprehensionExpr,
  type Expr,
} from './ast.ts';

type Expanded = { readonly expr: Expr } | { readonly issue: CelIssue };

/** The loop or the test that a macro stands for; undefined when the call is none. */
export function expandMacro(call: CallExpr): Expanded | undefined {
  const { target, name, args } = call;
  if (target === undefined) return name === 'has' && args.length === 1 ? has(call) : undefined;
  const expand = MACROS[`${name}/${args.length}`];
  return expand?.({ call, target, args });
}

interface MacroCall {
  readonly call: CallExpr;
  readonly target: Expr;
  readonly args: readonly Expr[];
}
type Macro = (given: MacroCall) => Expanded;

const EMPTY: Expr = { kind: 'literal', at: 0, value: null };

function literal(at: number, value: boolean | bigint): Expr {
  return { kind: 'literal', at, value };
}

function call(at: number, name: string, ...args: Expr[]): Expr {
  return { kind: 'call', at, name, args };
}

function list(at: number, ...elements: Expr[]): Expr {
  return { kind: 'list', at, elements, optional: new Set() };
}

function accumulator(at: number): Expr {
  return { kind: 'ident', at, name: ACCUMULATOR };
}

function has({ at, args }: CallExpr): Expanded {
  const [operand = EMPTY] = args;
  if (operand.kind !== 'select') {
    return { issue: { at: operand.at, message: 'invalid argument to has() macro' } };
  }
  return { expr: { ...operand, at, testOnly: true } };
}

/** A loop over nothing: its accumulator is a name for a value. */
function binding(at: number, name: string, init: Expr, result: Expr): Expr {
  return {
    kind: 'comprehension',
    at,
    range: list(at),
    variable: '#unused',
    accumulator: name,
    init,
    condition: literal(at, false),
    step: { kind: 'ident', at, name },
    result,
  };
}

type Loop = Pick<ComprehensionExpr, 'init' | 'condition' | 'step' | 'result'>;

/** Macros with one variable, or with two: `list.all(i, v, …)`. */
function loop(variables: 1 | 2, make: (at: number, words: readonly Expr[]) => Loop): Macro {
  return ({ call: { at, name }, target, args }) => {
    const names: string[] = [];
    for (const argument of args.slice(0, variables)) {
      if (argument.kind !== 'ident') {
        const message =
          variables === 1 ? 'argument must be a simple name' : 'argument must be a simple name';
        return { issue: { at: argument.at, message } };
      }
      if (argument.name === ACCUMULATOR || argument.name === '__result__') {
        const message = `iteration variable overwrites accumulator variable`;
        return { issue: { at: argument.at, message } };
      }
      names.push(argument.name);
    }
    const [variable = '', variable2] = names;
    if (variable2 === variable && variables === 2) {
      const message = `duplicate variable name: ${variable}`;
      return { issue: { at: args[1]?.at ?? at, message } };
    }
    void name;
    const parts = make(at, args.slice(variables));
    return {
      expr: {
        kind: 'comprehension',
        at,
        range: target,
        variable,
        ...(variable2 === undefined ? {} : { variable2 }),
        accumulator: ACCUMULATOR,
        ...parts,
      },
    };
  };
}

const all = (at: number, [predicate = EMPTY]: readonly Expr[]): Loop => ({
  init: literal(at, true),
  condition: call(at, '@not_strictly_false', accumulator(at)),
  step: call(at, '_&&_', accumulator(at), predicate),
  result: accumulator(at),
});

const exists = (at: number, [predicate = EMPTY]: readonly Expr[]): Loop => ({
  init: literal(at, false),
  condition: call(at, '@not_strictly_false', call(at, '!_', accumulator(at))),
  step: call(at, '_||_', accumulator(at), predicate),
  result: accumulator(at),
});

const existsOne = (at: number, [predicate = EMPTY]: readonly Expr[]): Loop => ({
  init: literal(at, 0n),
  condition: literal(at, true),
  step: call(
    at,
    '_?_:_',
    predicate,
    call(at, '_+_', accumulator(at), literal(at, 1n)),
    accumulator(at),
  ),
  result: call(at, '_==_', accumulator(at), literal(at, 1n)),
});

/** Appends what the last word gives, where the word before it, if there is one, holds. */
const transformList = (at: number, words: readonly Expr[]): Loop => {
  const [first = EMPTY, second] = words;
  const added = call(at, '_+_', accumulator(at), list(at, second ?? first));
  return {
    init: list(at),
    condition: literal(at, true),
    step: second === undefined ? added : call(at, '_?_:_', first, added, accumulator(at)),
    result: accumulator(at),
  };
};

function transformMap(insert: (at: number, value: Expr) => Expr) {
  return (at: number, words: readonly Expr[]): Loop => {
    const [first = EMPTY, second] = words;
    const added = insert(at, second ?? first);
    return {
      init: { kind: 'map', at, entries: [] },
      condition: literal(at, true),
      step: second === undefined ? added : call(at, '_?_:_', first, added, accumulator(at)),
      result: accumulator(at),
    };
  };
}

const filter: Macro = (given) => {
  const [variable = EMPTY] = given.args;
  return loop(1, (at, [predicate = EMPTY]) => ({
    init: list(at),
    condition: literal(at, true),
    step: call(
      at,
      '_?_:_',
      predicate,
      call(at, '_+_', accumulator(at), list(at, variable)),
      accumulator(at),
    ),
    result: accumulator(at),
  }))(given);
};

/** `optMap` and `optFlatMap`: of an optional that has a value. */
function optional(wraps: boolean): Macro {
  return ({ call: { at }, target, args }) => {
    const [variable = EMPTY, body = EMPTY] = args;
    if (variable.kind !== 'ident') {
      const message = `${wraps ? 'optMap' : 'optFlatMap'}() variable name must be a simple identifier`;
      return { issue: { at: variable.at, message } };
    }
    const member = (name: string): Expr => ({ kind: 'call', at, name, target, args: [] });
    const bound = binding(at, variable.name, member('value'), body);
    const made = wraps ? call(at, 'optional.of', bound) : bound;
    return {
      expr: call(at, '_?_:_', member('hasValue'), made, call(at, 'optional.none')),
    };
  };
}

const SORTED = '@__sortBy_input__';

/** The list with the keys that it is sorted by. */
const sortBy: Macro = ({ call: { at }, target, args }) => {
  const [variable = EMPTY, key = EMPTY] = args;
  if (variable.kind !== 'ident') {
    return { issue: { at: variable.at, message: 'argument must be a simple name' } };
  }
  const input: Expr = { kind: 'ident', at, name: SORTED };
  const keys = expandMacro({ kind: 'call', at, name: 'map', target: input, args: [variable, key] });
  if (keys === undefined || 'issue' in keys) return keys ?? { issue: { at, message: '' } };
  const sorted: Expr = {
    kind: 'call',
    at,
    name: '@sortByAssociatedKeys',
    target: input,
    args: [keys.expr],
  };
  return { expr: binding(at, SORTED, target, sorted) };
};

const MACROS: Readonly<Record<string, Macro | undefined>> = {
  'all/2': loop(1, all),
  'exists/2': loop(1, exists),
  'exists_one/2': loop(1, existsOne),
  'existsOne/2': loop(1, existsOne),
  'map/2': loop(1, transformList),
  'map/3': loop(1, transformList),
  'filter/2': filter,
  'all/3': loop(2, all),
  'exists/3': loop(2, exists),
  'existsOne/3': loop(2, existsOne),
  'exists_one/3': loop(2, existsOne),
  'transformList/3': loop(2, transformList),
  'transformList/4': loop(2, transformList),
  'transformMap/3': ofKey(),
  'transformMap/4': ofKey(),
  'transformMapEntry/3': loop(
    2,
    transformMap((at, entry) => call(at, 'cel.@mapInsert', accumulator(at), entry)),
  ),
  'transformMapEntry/4': loop(
    2,
    transformMap((at, entry) => call(at, 'cel.@mapInsert', accumulator(at), entry)),
  ),
  'optMap/2': optional(true),
  'optFlatMap/2': optional(false),
  'sortBy/2': sortBy,
};

function ofKey(): Macro {
  return (given) => {
    const [key = EMPTY] = given.args;
    return loop(
      2,
      transformMap((at, value) => call(at, 'cel.@mapInsert', accumulator(at), key, value)),
    )(given);
  };
}
