/** Turns the tree of a script into closures: each node becomes one function that knows its children. */
import type { Machine } from './machine.ts';
import type { Block, Call, Expression, FunctionBody, Statement, Variable } from './syntax.ts';
import { isTruthy, LuaFunction, LuaTable, type LuaValue } from './value.ts';

/** Where a captured variable lives. */
interface Box {
  value: LuaValue;
}
interface Frame {
  readonly slots: (LuaValue | Box)[];
  readonly varargs: readonly LuaValue[];
  readonly upvalues: readonly Box[];
}
type Evaluate = (frame: Frame) => LuaValue;
type EvaluateAll = (frame: Frame) => readonly LuaValue[];
/** undefined: go on with the next statement. */
type Execute = (frame: Frame) => Signal | undefined;
type Signal =
  | { readonly kind: 'break' }
  | { readonly kind: 'return'; readonly values: readonly LuaValue[] }
  | { readonly kind: 'goto'; readonly label: string };

const BREAK: Signal = { kind: 'break' };
const NOTHING: readonly LuaValue[] = [];
const VALUE_BYTES = 16;

/** The function of this body, closed over the boxes of what it captures. */
export function compileLua(machine: Machine, body: FunctionBody): LuaFunction {
  return new Compiler(machine).fn(body)([]);
}

class Compiler {
  private readonly machine: Machine;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  fn(body: FunctionBody): (upvalues: readonly Box[]) => LuaFunction {
    const { machine } = this;
    const run = this.block(body.block);
    const { parameters, scope } = body;
    const count = parameters.length;
    return (upvalues) =>
      new LuaFunction((args) => {
        machine.allocate(scope.slotCount * VALUE_BYTES);
        const slots: (LuaValue | Box)[] = [];
        const varargs = scope.isVariadic ? args.slice(count) : NOTHING;
        const frame: Frame = { slots, varargs, upvalues };
        for (let i = 0; i < count; i++) define(frame, parameters[i]!, args[i]);
        const signal = run(frame);
        if (signal === undefined) return NOTHING;
        if (signal.kind === 'return') return signal.values;
        const what =
          signal.kind === 'goto' ? `no visible label '${signal.label}'` : 'no loop to break';
        return machine.raise(what);
      });
  }

  private block(block: Block): Execute {
    const statements = block.map((statement) => this.statement(statement));
    const labels = new Map<string, number>();
    block.forEach((statement, index) => {
      if (statement.kind === 'label') labels.set(statement.label, index);
    });
    const { machine } = this;
    return (frame) => {
      for (let i = 0; i < statements.length; i++) {
        machine.step();
        const signal = statements[i]!(frame);
        if (signal === undefined) continue;
        const target = signal.kind === 'goto' ? labels.get(signal.label) : undefined;
        if (target === undefined) return signal;
        i = target;
      }
      return undefined;
    };
  }

  private statement(statement: Statement): Execute {
    switch (statement.kind) {
      case 'local':
        return this.local(statement);
      case 'assign':
        return this.assign(statement);
      case 'call': {
        const call = this.call(statement.call);
        return (frame) => {
          call(frame);
          return undefined;
        };
      }
      case 'do':
        return this.block(statement.block);
      case 'while':
      case 'repeat':
        return this.loop(statement);
      case 'if':
        return this.branches(statement);
      case 'numeric for':
        return this.numericFor(statement);
      case 'generic for':
        return this.genericFor(statement);
      case 'local function': {
        const make = this.closure(statement.body);
        const { variable } = statement;
        return (frame) => {
          define(frame, variable, undefined);
          assignLocal(frame, variable, make(frame));
          return undefined;
        };
      }
      case 'return': {
        const values = this.list(statement.values);
        return (frame) => ({ kind: 'return', values: values(frame) });
      }
      case 'break':
        return () => BREAK;
      case 'goto': {
        const signal: Signal = { kind: 'goto', label: statement.label };
        return () => signal;
      }
      case 'label':
        return () => undefined;
    }
  }

  private local({ variables, values }: Extract<Statement, { kind: 'local' }>): Execute {
    const [variable] = variables;
    const [only] = values;
    if (variables.length === 1 && values.length === 1 && variable && only) {
      const evaluate = this.expression(only);
      return (frame) => {
        define(frame, variable, evaluate(frame));
        return undefined;
      };
    }
    const evaluate = this.list(values);
    return (frame) => {
      const results = evaluate(frame);
      for (let i = 0; i < variables.length; i++) define(frame, variables[i]!, results[i]);
      return undefined;
    };
  }

  private assign({ targets, values }: Extract<Statement, { kind: 'assign' }>): Execute {
    const setters = targets.map((target) => this.setter(target));
    const [setter] = setters;
    const [only] = values;
    if (setters.length === 1 && values.length === 1 && setter && only) {
      const evaluate = this.expression(only);
      return (frame) => {
        const set = setter(frame);
        set(evaluate(frame));
        return undefined;
      };
    }
    const evaluate = this.list(values);
    return (frame) => {
      const ready = setters.map((prepare) => prepare(frame));
      const results = evaluate(frame);
      for (let i = ready.length - 1; i >= 0; i--) ready[i]!(results[i]);
      return undefined;
    };
  }

  /** Evaluates the parts of a target, and gives what assigns to it. */
  private setter(target: Expression): (frame: Frame) => (value: LuaValue) => void {
    const { machine } = this;
    switch (target.kind) {
      case 'local':
        return (frame) => (value) => assignLocal(frame, target.variable, value);
      case 'upvalue':
        return (frame) => (value) => {
          frame.upvalues[target.index]!.value = value;
        };
      case 'global': {
        const { name, line } = target;
        return () => (value) => machine.setIndex(machine.globals, name, { value, line });
      }
      case 'index': {
        const object = this.expression(target.object);
        const key = this.expression(target.key);
        const { line } = target;
        return (frame) => {
          const table = object(frame);
          const at = key(frame);
          return (value) => machine.setIndex(table, at, { value, line });
        };
      }
      default:
        throw new Error(`cannot assign to ${target.kind}`);
    }
  }

  private loop(statement: Extract<Statement, { kind: 'while' | 'repeat' }>): Execute {
    const condition = this.expression(statement.condition);
    const body = this.block(statement.block);
    const isWhile = statement.kind === 'while';
    const { machine } = this;
    return (frame) => {
      for (;;) {
        machine.step();
        if (isWhile && !isTruthy(condition(frame))) return undefined;
        const signal = body(frame);
        if (signal !== undefined) return signal.kind === 'break' ? undefined : signal;
        if (!isWhile && isTruthy(condition(frame))) return undefined;
      }
    };
  }

  private branches({ branches, otherwise }: Extract<Statement, { kind: 'if' }>): Execute {
    const compiled = branches.map(({ condition, block }) => ({
      condition: this.expression(condition),
      block: this.block(block),
    }));
    const rest = otherwise && this.block(otherwise);
    return (frame) => {
      for (const { condition, block } of compiled)
        if (isTruthy(condition(frame))) return block(frame);
      return rest?.(frame);
    };
  }

  private numericFor(statement: Extract<Statement, { kind: 'numeric for' }>): Execute {
    const { machine } = this;
    const { variable, line } = statement;
    const bounds = [statement.from, statement.to].map((bound) => this.expression(bound));
    const stepBy = statement.step && this.expression(statement.step);
    const body = this.block(statement.block);
    const number = (value: LuaValue, what: string): number =>
      typeof value === 'number'
        ? value
        : machine.raise(`for statement ${what} must be a number`, line);
    return (frame) => {
      const from = number(bounds[0]!(frame), 'init');
      const to = number(bounds[1]!(frame), 'limit');
      const step = stepBy === undefined ? 1 : number(stepBy(frame), 'step');
      for (let i = from; step > 0 ? i <= to : i >= to; i += step) {
        machine.step();
        define(frame, variable, i);
        const signal = body(frame);
        if (signal !== undefined) return signal.kind === 'break' ? undefined : signal;
      }
      return undefined;
    };
  }

  private genericFor(statement: Extract<Statement, { kind: 'generic for' }>): Execute {
    const { machine } = this;
    const { variables, line } = statement;
    const values = this.list(statement.values);
    const body = this.block(statement.block);
    return (frame) => {
      const [iterate, state, start] = values(frame);
      let control = start;
      for (;;) {
        machine.line = line;
        const results = machine.call(iterate, [state, control]);
        control = results[0];
        if (control === undefined) return undefined;
        for (let i = 0; i < variables.length; i++) define(frame, variables[i]!, results[i]);
        const signal = body(frame);
        if (signal !== undefined) return signal.kind === 'break' ? undefined : signal;
      }
    };
  }

  /** One value; calls and varargs are cut to their first. */
  private expression(node: Expression): Evaluate {
    const { machine } = this;
    switch (node.kind) {
      case 'nil':
        return () => undefined;
      case 'constant': {
        const { value } = node;
        return () => value;
      }
      case 'varargs':
        return (frame) => frame.varargs[0];
      case 'function':
        return this.closure(node.body);
      case 'local': {
        const { variable } = node;
        return (frame) => readLocal(frame, variable);
      }
      case 'upvalue': {
        const { index } = node;
        return (frame) => frame.upvalues[index]!.value;
      }
      case 'global': {
        const { name, line } = node;
        return () => machine.index(machine.globals, name, line);
      }
      case 'index': {
        const object = this.expression(node.object);
        const key = this.expression(node.key);
        const { line } = node;
        return (frame) => machine.index(object(frame), key(frame), line);
      }
      case 'call': {
        const call = this.call(node);
        return (frame) => call(frame)[0];
      }
      case 'parenthesis':
        return this.expression(node.inner);
      case 'and':
      case 'or':
        return this.shortCircuit(node);
      case 'binary':
        return this.binary(node);
      case 'unary':
        return this.unary(node);
      case 'table':
        return this.table(node);
    }
  }

  private shortCircuit({
    kind,
    left,
    right,
  }: Extract<Expression, { kind: 'and' | 'or' }>): Evaluate {
    const first = this.expression(left);
    const second = this.expression(right);
    if (kind === 'and') {
      return (frame) => {
        const value = first(frame);
        return isTruthy(value) ? second(frame) : value;
      };
    }
    return (frame) => {
      const value = first(frame);
      return isTruthy(value) ? value : second(frame);
    };
  }

  private binary(node: Extract<Expression, { kind: 'binary' }>): Evaluate {
    const { machine } = this;
    const left = this.expression(node.left);
    const right = this.expression(node.right);
    const apply = BINARY[node.operator];
    const { line } = node;
    return (frame) => {
      const a = left(frame);
      const b = right(frame);
      machine.line = line;
      return apply(machine, a, b);
    };
  }

  private unary(node: Extract<Expression, { kind: 'unary' }>): Evaluate {
    const { machine } = this;
    const operand = this.expression(node.operand);
    const { line, operator } = node;
    if (operator === 'not') return (frame) => !isTruthy(operand(frame));
    return (frame) => {
      const value = operand(frame);
      machine.line = line;
      return operator === '-' ? machine.negate(value) : machine.lengthOf(value);
    };
  }

  private table(node: Extract<Expression, { kind: 'table' }>): Evaluate {
    const { machine } = this;
    const items = this.list(node.items);
    const fields = node.fields.map(
      ([key, value]) => [this.expression(key), this.expression(value)] as const,
    );
    const { line } = node;
    return (frame) => {
      machine.allocate(VALUE_BYTES);
      const table = new LuaTable();
      items(frame).forEach((value, index) => {
        machine.rawSet(table, index + 1, { value, line });
      });
      for (const [key, value] of fields) {
        machine.rawSet(table, key(frame), { value: value(frame), line });
      }
      return table;
    };
  }

  /** All values of a list: the last one gives as many as it has. */
  private list(nodes: readonly Expression[]): EvaluateAll {
    const last = nodes.at(-1);
    if (last === undefined) return () => NOTHING;
    if (last.kind !== 'call' && last.kind !== 'varargs') {
      const all = nodes.map((node) => this.expression(node));
      const [one] = all;
      if (all.length === 1 && one) return (frame) => [one(frame)];
      return (frame) => all.map((evaluate) => evaluate(frame));
    }
    const rest = last.kind === 'call' ? this.call(last) : (frame: Frame) => frame.varargs;
    if (nodes.length === 1) return rest;
    const first = nodes.slice(0, -1).map((node) => this.expression(node));
    return (frame) => [...first.map((evaluate) => evaluate(frame)), ...rest(frame)];
  }

  private call(node: Call): EvaluateAll {
    const { machine } = this;
    const callee = this.expression(node.callee);
    const args = this.list(node.args);
    const { line, method } = node;
    if (method === undefined) {
      return (frame) => {
        const target = callee(frame);
        const values = args(frame);
        machine.line = line;
        return machine.call(target, values);
      };
    }
    return (frame) => {
      const object = callee(frame);
      const target = machine.index(object, method, line);
      const values = [object, ...args(frame)];
      machine.line = line;
      return machine.call(target, values);
    };
  }

  private closure(body: FunctionBody): (frame: Frame) => LuaFunction {
    const { machine } = this;
    const make = this.fn(body);
    const { captures, parent } = body.scope;
    return (frame) => {
      machine.allocate((captures.length + 1) * VALUE_BYTES);
      return make(
        captures.map((variable) =>
          variable.owner === parent
            ? (frame.slots[variable.slot] as Box)
            : frame.upvalues[parent?.captures.indexOf(variable) ?? -1]!,
        ),
      );
    };
  }
}

/** A new variable: each pass of a loop has its own. */
function define(frame: Frame, { slot, isCaptured }: Variable, value: LuaValue): void {
  frame.slots[slot] = isCaptured ? { value } : value;
}

function assignLocal(frame: Frame, { slot, isCaptured }: Variable, value: LuaValue): void {
  if (isCaptured) (frame.slots[slot] as Box).value = value;
  else frame.slots[slot] = value;
}

function readLocal(frame: Frame, { slot, isCaptured }: Variable): LuaValue {
  const held = frame.slots[slot];
  return isCaptured ? (held as Box).value : (held as LuaValue);
}

type Apply = (machine: Machine, left: LuaValue, right: LuaValue) => LuaValue;

const BINARY: Readonly<Record<string, Apply>> &
  Record<import('./syntax.ts').BinaryOperator, Apply> = {
  '+': (machine, a, b) => machine.arithmetic('add', a, b),
  '-': (machine, a, b) => machine.arithmetic('sub', a, b),
  '*': (machine, a, b) => machine.arithmetic('mul', a, b),
  '/': (machine, a, b) => machine.arithmetic('div', a, b),
  '%': (machine, a, b) => machine.arithmetic('mod', a, b),
  '^': (machine, a, b) => machine.arithmetic('pow', a, b),
  '..': (machine, a, b) => machine.concat(a, b),
  '==': (machine, a, b) => machine.equals(a, b),
  '~=': (machine, a, b) => !machine.equals(a, b),
  '<': (machine, a, b) => machine.isLess(a, b),
  '<=': (machine, a, b) => machine.isLessOrEqual(a, b),
  '>': (machine, a, b) => machine.isLess(b, a),
  '>=': (machine, a, b) => machine.isLessOrEqual(b, a),
};
