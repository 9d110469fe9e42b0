import { fitValue, literalFor } from './arguments.ts';
import { explainFailure } from './call.ts';
import { type Frame, type LastNode, resolveLast, type StopSite, UNSET } from './execution.ts';
import { elementsAreInterfaces, type Fail, lookUpField } from './fields.ts';
import {
  type AnyNode,
  type ChainNode,
  type CommandNode,
  type IdentifierNode,
  nodeText,
  type OperandNode,
  type PipeNode,
  type VariableNode,
} from './nodes.ts';
import type { Scope, TableEntry } from './scope.ts';
import { isTrue } from './truth.ts';
import {
  ANY,
  type GoFunc,
  GoMap,
  type GoSignature,
  type GoType,
  type GoValue,
  isPlainDict,
  REFLECT,
  STRING,
  typeOf,
} from './value.ts';

export type Evaluate = (dot: GoValue, frame: Frame) => GoValue;

/** A command gets the value that is piped into it. */
type EvaluateCommand = (dot: GoValue, frame: Frame, piped?: GoValue) => GoValue;

/** `last` is the node that Go would name in an error that follows the evaluation. */
export interface CompiledOperand {
  readonly run: Evaluate;
  readonly last: LastNode;
}

interface CompiledCommand {
  readonly run: EvaluateCommand;
  readonly last: LastNode;
  /** Its nil is an invalid value already. */
  readonly givesNoNil?: boolean;
}

/** A pipeline: commands, each given the value of the one before; then the declared variables are set. */
export function compilePipe(pipe: PipeNode, scope: Scope): CompiledOperand {
  const commands: CompiledCommand[] = [];
  let last: LastNode = pipe;
  for (const [index, command] of pipe.commands.entries()) {
    const compiled = compileCommand(command, scope, { isPiped: index > 0, before: last });
    commands.push(compiled);
    last = compiled.last;
  }
  const run = runCommands(commands);
  return { run: withDeclarations(pipe, { run, last }, scope), last };
}

/** A nil interface{} that leaves a command is an invalid value from there on. */
function runCommands(commands: readonly CompiledCommand[]): Evaluate {
  const runs = commands.map((command) => command.run);
  const [first, second, third] = runs;
  if (first === undefined) return () => undefined;
  if (second === undefined) {
    // One closure less on the stack for what nests deepest: functions that render templates.
    if (commands[0]?.givesNoNil === true) return first;
    return (dot, frame) => first(dot, frame) ?? undefined;
  }
  if (third === undefined) {
    return (dot, frame) => second(dot, frame, first(dot, frame) ?? undefined) ?? undefined;
  }
  return (dot, frame) => {
    let value: GoValue;
    for (const run of runs) value = run(dot, frame, value) ?? undefined;
    return value;
  };
}

function withDeclarations(pipe: PipeNode, { run, last }: CompiledOperand, scope: Scope): Evaluate {
  if (pipe.declarations.length === 0) return run;
  const names = pipe.declarations.map((variable) => variable.names[0] ?? '');
  const unknown = pipe.isAssign ? names.find((name) => scope.find(name) === undefined) : undefined;
  if (unknown !== undefined) {
    const fail = scope.failAt(last);
    return (dot, frame) => {
      run(dot, frame);
      return fail(frame, `undefined variable: ${unknown}`);
    };
  }
  const slots = names.map((name) =>
    pipe.isAssign ? (scope.find(name)?.slot ?? 0) : scope.declare(name),
  );
  const [only, other] = slots;
  if (only !== undefined && other === undefined) {
    return (dot, frame) => {
      const value = run(dot, frame);
      frame.vars[only] = value;
      return value;
    };
  }
  return (dot, frame) => {
    const value = run(dot, frame);
    for (const slot of slots) frame.vars[slot] = value;
    return value;
  };
}

interface CommandSite {
  readonly isPiped: boolean;
  /** The node an error would name before the command has set its own. */
  readonly before: LastNode;
}

function compileCommand(command: CommandNode, scope: Scope, site: CommandSite): CompiledCommand {
  const [first, ...args] = command.args;
  if (first === undefined) return { run: () => undefined, last: command };
  switch (first.kind) {
    case 'field':
    case 'chain':
    case 'variable':
      return compileChain(first, scope, { args, isPiped: site.isPiped });
    case 'identifier':
      return compileFunction(first, scope, {
        node: command,
        args,
        isPiped: site.isPiped,
        givesNoNil: true,
      });
    case 'pipe': {
      if (args.length > 0 || site.isPiped) return notAFunction(first, site.before, scope);
      return compilePipe(first, scope);
    }
    default:
  }
  if (args.length > 0 || site.isPiped) return notAFunction(first, first, scope);
  if (first.kind === 'dot') return { run: (dot) => dot, last: first };
  const fail = scope.failAt(first);
  if (first.kind === 'nil')
    return { run: (_dot, frame) => fail(frame, 'nil is not a command'), last: first };
  return { run: constant(literalFor(first, ANY), fail), last: first };
}

function notAFunction(first: OperandNode, at: LastNode, scope: Scope): CompiledCommand {
  const fail = scope.failAt(at);
  const message = `can't give argument to non-function ${argumentNodeText(first)}`;
  return { run: (_dot, frame) => fail(frame, message), last: first };
}

function argumentNodeText(node: OperandNode): string {
  return nodeText(node);
}

function constant(literal: { readonly fits: GoValue } | string, fail: Fail): Evaluate {
  if (typeof literal === 'string') return (_dot, frame) => fail(frame, literal);
  const { fits } = literal;
  return () => fits;
}

// Fields ------------------------------------------------------------------------------------------------------------

interface ChainSite {
  readonly args: readonly OperandNode[];
  readonly isPiped: boolean;
}

type ChainLike = Extract<OperandNode, { kind: 'field' | 'chain' | 'variable' }>;

interface ChainStart {
  readonly run: Evaluate;
  readonly names: readonly string[];
  /** Whether the start comes out of an interface{} container, which error texts show. */
  readonly isInterface: (frame: Frame) => boolean;
  readonly last: LastNode;
}

function compileChain(node: ChainLike, scope: Scope, site: ChainSite): CompiledCommand {
  const start = chainStart(node, scope);
  const { run, names, isInterface } = start;
  if (names.length === 0) {
    if (site.args.length > 0 || site.isPiped) return notAFunction(node, node, scope);
    return { run, last: start.last };
  }
  const fail = scope.failAt(start.last);
  const call = methodCaller(node, scope, site);
  if (site.args.length === 0 && !site.isPiped) {
    return { run: plainChain({ run, names, isInterface, fail, call }), last: start.last };
  }
  const last = site.args.at(-1) ?? start.last;
  const end = names.length - 1;
  const finalName = names[end] ?? '';
  return {
    run: (dot, frame, piped) => {
      const chain: ChainRun = { dot, frame, isInterface, fail, call };
      const before = names.slice(0, end);
      const receiver = walkFields(run(dot, frame), before, chain);
      const fromInterface = end === 0 ? isInterface(frame) : chain.fromInterface === true;
      const found = lookUpField(receiver, finalName, {
        frame,
        fail,
        hasArgs: true,
        isInterface: fromInterface,
      });
      if (found.kind === 'value') return found.value;
      return call(found.method, finalName, { dot, frame, piped, withArgs: true });
    },
    last,
  };
}

function chainStart(node: ChainLike, scope: Scope): ChainStart {
  if (node.kind === 'field') {
    const { names } = node;
    return { run: (dot) => dot, names, isInterface: (frame) => frame.dotIsInterface, last: node };
  }
  if (node.kind === 'variable') return variableStart(node, scope);
  return pipeStart(node, scope);
}

function pipeStart(node: ChainNode, scope: Scope): ChainStart {
  const names = node.names;
  if (node.node.kind === 'nil') {
    const fail = scope.failAt(node);
    const message = `indirection through explicit nil in ${nodeText(node)}`;
    return {
      run: (_dot, frame) => fail(frame, message),
      names,
      isInterface: () => false,
      last: node,
    };
  }
  const inner = compileUntyped(node.node, scope);
  return { run: inner.run, names, isInterface: () => false, last: inner.last };
}

/** The head of a chain: a parenthesized pipeline or a function without arguments. */
function compileUntyped(node: OperandNode, scope: Scope): CompiledOperand {
  if (node.kind === 'pipe') return compilePipe(node, scope);
  if (node.kind === 'identifier') {
    return asOperand(compileFunction(node, scope, { node, args: [], isPiped: false }));
  }
  return compileArgument(node, ANY, scope);
}

function variableStart(node: VariableNode, scope: Scope): ChainStart {
  const name = node.names[0] ?? '$';
  const variable = scope.find(name);
  const fail = scope.failAt(node);
  const message = `undefined variable: ${name}`;
  if (variable === undefined) {
    const run: Evaluate = (_dot, frame) => fail(frame, message);
    return { run, names: node.names.slice(1), isInterface: () => false, last: node };
  }
  const { slot } = variable;
  const isRange = scope.isRangeVariable(slot);
  return {
    run: (_dot, frame) => {
      const value = frame.vars[slot];
      return value === UNSET ? fail(frame, message) : value;
    },
    names: node.names.slice(1),
    isInterface: isRange ? (frame) => !frame.isTyped(slot) : () => false,
    last: node,
  };
}

type MethodCaller = (
  method: GoFunc,
  name: string,
  site: {
    readonly dot: GoValue;
    readonly frame: Frame;
    readonly piped: GoValue;
    readonly withArgs: boolean;
  },
) => GoValue;

interface ChainRun {
  readonly dot: GoValue;
  readonly frame: Frame;
  readonly isInterface: (frame: Frame) => boolean;
  readonly fail: Fail;
  readonly call: MethodCaller;
  /** Set when the walk ends: whether the value came out of an interface{} container. */
  fromInterface?: boolean;
}

function plainChain(parts: {
  readonly run: Evaluate;
  readonly names: readonly string[];
  readonly isInterface: (frame: Frame) => boolean;
  readonly fail: Fail;
  readonly call: MethodCaller;
}): Evaluate {
  const { run, names, isInterface, fail, call } = parts;
  const count = names.length;
  return (dot, frame) => {
    const start = run(dot, frame);
    let receiver = start;
    for (let i = 0; i < count; i++) {
      const name = names[i] ?? '';
      const value = fastField(receiver, name);
      if (value === undefined) {
        return walkFields(start, names, { dot, frame, isInterface, fail, call });
      }
      receiver = value;
    }
    return receiver;
  };
}

/** The field of a map where that needs no further rules; undefined for everything else. */
function fastField(receiver: GoValue, name: string): GoValue {
  let map = receiver;
  if (receiver instanceof GoMap) {
    if (receiver.type.methods?.has(name) === true) return undefined;
    map = receiver.data;
  }
  if (!isPlainDict(map)) return undefined;
  const value = map[name];
  return typeof value === 'function' || name === '__proto__' ? undefined : value;
}

function walkFields(start: GoValue, names: readonly string[], chain: ChainRun): GoValue {
  const { dot, frame, fail, call } = chain;
  let receiver = start;
  let isInterface = chain.isInterface(frame);
  for (const name of names) {
    const site = { frame, fail, hasArgs: false, isInterface };
    const found = lookUpField(receiver, name, site);
    if (found.kind === 'value') {
      isInterface = elementsAreInterfaces(receiver, name);
      receiver = found.value;
    } else {
      isInterface = false;
      receiver = call(found.method, name, { dot, frame, piped: undefined, withArgs: false });
    }
  }
  chain.fromInterface = isInterface;
  return receiver;
}

/** Calls methods found at run time; the compiled arguments are kept by signature. */
function methodCaller(node: ChainLike, scope: Scope, site: ChainSite): MethodCaller {
  const compiled = new Map<string, CompiledCall>();
  const frozen = site.args.length > 0 ? scope.snapshot() : scope;
  return (method, name, { dot, frame, piped, withArgs }) => {
    const { signature } = method;
    const plan = (args: readonly OperandNode[], isPiped: boolean): CompiledCall =>
      compileCall(signature, frozen, { name, at: node, args, isPiped, errorNode: node });
    if (!withArgs) return plan([], false)(method, dot, frame, piped);
    const key = method.type.text;
    const call = compiled.get(key) ?? plan(site.args, site.isPiped);
    compiled.set(key, call);
    return call(method, dot, frame, piped);
  };
}

// Functions ---------------------------------------------------------------------------------------------------------

interface FunctionSite extends ChainSite {
  /** The node that an error of the function names. */
  readonly node: AnyNode;
  /** The value leaves a command, where nil becomes an invalid value. */
  readonly givesNoNil?: boolean;
}

function compileFunction(node: IdentifierNode, scope: Scope, site: FunctionSite): CompiledCommand {
  const entry = scope.functions.get(node.name);
  const fail = scope.failAt(node);
  if (entry === undefined) {
    const message = `"${node.name}" is not a defined function`;
    return { run: (_dot, frame) => fail(frame, message), last: node };
  }
  if (entry.isBuiltin && (node.name === 'and' || node.name === 'or')) {
    return compileShortCircuit(entry, scope, { ...site, name: node.name, at: node });
  }
  const { func } = entry;
  const { name } = node;
  const prepared = prepareCall(func.signature, scope, {
    name,
    at: node,
    args: site.args,
    isPiped: site.isPiped,
    errorNode: site.node,
    ...(entry.isBuiltin && name === 'call'
      ? { calleeName: site.args[0] === undefined ? '' : nodeText(site.args[0]) }
      : {}),
  });
  const { gather, failCall, last } = prepared;
  const nil = site.givesNoNil === true ? undefined : null;
  const run: EvaluateCommand = (dot, frame, piped) => {
    const values = gather(dot, frame, piped);
    try {
      return func.call(frame.execution.context, values) ?? nil;
    } catch (error) {
      return explainFailure(error, name, frame, failCall);
    }
  };
  return { run, last, givesNoNil: site.givesNoNil === true };
}

type CompiledCall = (func: GoFunc, dot: GoValue, frame: Frame, piped: GoValue) => GoValue;

interface CallSite extends ChainSite {
  readonly name: string;
  readonly at: AnyNode;
  readonly errorNode: AnyNode;
  /** For the builtin `call`: the text of the function it calls. */
  readonly calleeName?: string;
}

/** The arguments of a call, checked and evaluated in order, and where its errors are told. */
interface PreparedCall {
  readonly gather: (dot: GoValue, frame: Frame, piped: GoValue) => GoValue[];
  readonly failCall: Fail;
  readonly last: LastNode;
}

function compileCall(signature: GoSignature, scope: Scope, site: CallSite): CompiledCall {
  const { gather, failCall } = prepareCall(signature, scope, site);
  const { name } = site;
  return (func, dot, frame, piped) => {
    const values = gather(dot, frame, piped);
    try {
      return func.call(frame.execution.context, values);
    } catch (error) {
      return explainFailure(error, name, frame, failCall);
    }
  };
}

function prepareCall(signature: GoSignature, scope: Scope, site: CallSite): PreparedCall {
  const { args, isPiped, at } = site;
  const fail = scope.failAt(at);
  const failCall = scope.failAt(site.errorNode);
  const wrongCount = countProblem(signature, site);
  if (wrongCount !== undefined) {
    return { gather: (_dot, frame) => fail(frame, wrongCount), failCall, last: at };
  }
  const runs: Evaluate[] = [];
  let last: LastNode = at;
  for (const [index, arg] of args.entries()) {
    const compiled = compileArgument(arg, parameterType(signature, index), scope);
    runs.push(compiled.run);
    last = compiled.last;
  }
  const pipedType = isPiped ? parameterType(signature, args.length) : undefined;
  const failLast = scope.failAt(last);
  const { calleeName } = site;
  const count = runs.length;
  const gather: PreparedCall['gather'] = (dot, frame, piped) => {
    const values: GoValue[] = [];
    for (let i = 0; i < count; i++) values.push(runs[i]?.(dot, frame));
    if (pipedType !== undefined) values.push(fit(piped, pipedType, frame, failLast));
    if (calleeName !== undefined) values.unshift(calleeName || pipedName(values[0]));
    return values;
  };
  return { gather, failCall, last };
}

/** How reflect names a value that is called but has no text in the template. */
function pipedName(value: GoValue): string {
  if (typeof value === 'string') return value;
  const { kind, text } = typeOf(value);
  return kind === 'invalid' ? '<invalid Value>' : `<${text} Value>`;
}

function countProblem(
  { params, rest }: GoSignature,
  { name, args, isPiped }: CallSite,
): string | undefined {
  const given = args.length + (isPiped ? 1 : 0);
  if (rest !== undefined) {
    if (given >= params.length) return undefined;
    return `wrong number of args for ${name}: want at least ${params.length} got ${args.length}`;
  }
  if (given === params.length) return undefined;
  return `wrong number of args for ${name}: want ${params.length} got ${given}`;
}

function parameterType({ params, rest }: GoSignature, index: number): GoType {
  return params[index] ?? rest ?? ANY;
}

/** `and` and `or` evaluate no further than they must. */
function compileShortCircuit(
  entry: TableEntry,
  scope: Scope,
  site: FunctionSite & { readonly name: string; readonly at: AnyNode },
): CompiledCommand {
  const wrongCount = countProblem(entry.func.signature, { ...site, errorNode: site.node });
  const fail = scope.failAt(site.at);
  if (wrongCount !== undefined) {
    return { run: (_dot, frame) => fail(frame, wrongCount), last: site.at };
  }
  const args = site.args.map((arg) => compileArgument(arg, REFLECT, scope));
  const stopsAt = site.name === 'or';
  const { isPiped } = site;
  const stop: StopSite = { kind: 'stop', fallback: site.at };
  const run: EvaluateCommand = (dot, frame, piped) => {
    let value: GoValue;
    for (const arg of args) {
      value = arg.run(dot, frame);
      if (isTrue(value) === stopsAt) {
        markStop(frame, stop, arg);
        return value;
      }
    }
    markStop(frame, stop, args.at(-1));
    return isPiped ? piped : value;
  };
  return { run, last: stop };
}

function markStop(frame: Frame, stop: StopSite, arg: CompiledOperand | undefined): void {
  frame.stoppedAt = arg === undefined ? stop.fallback : resolveLast(arg.last, frame);
  frame.stoppedIn = stop;
}

// Arguments ---------------------------------------------------------------------------------------------------------

function asOperand({ run, last }: CompiledCommand): CompiledOperand {
  return { run: (dot, frame) => run(dot, frame, undefined), last };
}

/** An argument, checked against the type of its parameter. */
function compileArgument(node: OperandNode, type: GoType, scope: Scope): CompiledOperand {
  switch (node.kind) {
    case 'dot':
      return fitted({ run: (dot) => dot, last: node }, type, scope);
    case 'field':
    case 'variable':
    case 'chain': {
      const chain = compileChain(node, scope, { args: [], isPiped: false });
      return fitted(asOperand(chain), type, scope);
    }
    case 'pipe':
      return fitted(compilePipe(node, scope), type, scope);
    case 'identifier': {
      const call = compileFunction(node, scope, { node, args: [], isPiped: false });
      return fitted(asOperand(call), type, scope);
    }
    case 'nil':
      return nilArgument(node, type, scope);
    default:
      return { run: constant(literalFor(node, type), scope.failAt(node)), last: node };
  }
}

function nilArgument(node: OperandNode, type: GoType, scope: Scope): CompiledOperand {
  const fitting = fitValue(undefined, type);
  const fail = scope.failAt(node);
  if (typeof fitting !== 'string') return { run: () => fitting.fits, last: node };
  return { run: (_dot, frame) => fail(frame, `cannot assign nil to ${type.text}`), last: node };
}

function fitted(operand: CompiledOperand, type: GoType, scope: Scope): CompiledOperand {
  const { run, last } = operand;
  if (type === REFLECT) return operand;
  if (type === ANY) return { run: (dot, frame) => run(dot, frame) ?? null, last };
  const fail = scope.failAt(last);
  if (type === STRING) {
    return {
      run: (dot, frame) => {
        const value = run(dot, frame);
        return typeof value === 'string' ? value : fit(value, type, frame, fail);
      },
      last,
    };
  }
  return { run: (dot, frame) => fit(run(dot, frame), type, frame, fail), last };
}

function fit(value: GoValue, type: GoType, frame: Frame, fail: Fail): GoValue {
  const fitting = fitValue(value, type);
  return typeof fitting === 'string' ? fail(frame, fitting) : fitting.fits;
}
