import { type CompiledOperand, compilePipe } from './compile-pipe.ts';
import { type CompiledTemplate, Frame, type Signal, type Walk } from './execution.ts';
import { indirect } from './fields.ts';
import { sprint } from './fmt.ts';
import { listOf, sortedEntries } from './map.ts';
import {
  type ActionNode,
  type BranchNode,
  isEmptyTree,
  type ListNode,
  nodeText,
  type StatementNode,
  type TemplateNode,
} from './nodes.ts';
import type { ParsedTemplate } from './parser.ts';
import { quote } from './quote.ts';
import { type FunctionTable, Scope } from './scope.ts';
import { isTrue } from './truth.ts';
import {
  GoFunc,
  GoInt,
  GoKeyedMap,
  GoMap,
  GoNil,
  GoObject,
  GoSequence,
  type GoValue,
  INT64,
  int,
  isIntKind,
  isUintKind,
  normalInt,
  typeOf,
} from './value.ts';

/** Turns a parsed template into closures. Functions are bound here; everything else belongs to the run. */
export function compileTemplate(tree: ParsedTemplate, functions: FunctionTable): CompiledTemplate {
  const scope = new Scope(tree.source, functions);
  const walk = compileList(tree.root, scope);
  return { name: tree.name, slots: scope.slots, walk, isEmpty: isEmptyTree(tree.root) };
}

const GO_ON: Signal = 0;
const BREAK: Signal = 1;
const CONTINUE: Signal = 2;

function compileList(list: ListNode, scope: Scope): Walk {
  const walks = list.nodes.map((node) => compileStatement(node, scope));
  const [first, second] = walks;
  if (first === undefined) return () => GO_ON;
  if (second === undefined) return first;
  return (dot, frame) => {
    for (let i = 0; i < walks.length; i++) {
      const signal = (walks[i] ?? first)(dot, frame);
      if (signal !== GO_ON) return signal;
    }
    return GO_ON;
  };
}

function compileStatement(node: StatementNode, scope: Scope): Walk {
  switch (node.kind) {
    case 'text': {
      const { text } = node;
      return (_dot, frame) => {
        frame.execution.write(text);
        return GO_ON;
      };
    }
    case 'action':
      return compileAction(node, scope);
    case 'if':
      return compileIf(node, scope);
    case 'with':
      return compileWith(node, scope);
    case 'range':
      return compileRange(node, scope);
    case 'template':
      return compileTemplateCall(node, scope);
    case 'break':
      return () => BREAK;
    case 'continue':
      return () => CONTINUE;
  }
}

function compileAction(node: ActionNode, scope: Scope): Walk {
  const { run } = compilePipe(node.pipe, scope);
  if (node.pipe.declarations.length > 0) {
    return (dot, frame) => {
      run(dot, frame);
      return GO_ON;
    };
  }
  const fail = scope.failAt(node);
  return (dot, frame) => {
    const value = run(dot, frame);
    if (typeof value === 'string') frame.execution.write(value);
    else {
      const target = printable(value);
      if (target instanceof GoFunc || target instanceof GoSequence) {
        fail(frame, `can't print ${nodeText(node)} of type ${target.type.text}`);
      }
      frame.execution.write(target === undefined ? '<no value>' : sprint([target]));
    }
    return GO_ON;
  };
}

/** What fmt gets of a value: pointers are followed, unless the pointer itself has a String method. */
export function printable(value: GoValue): GoValue {
  const { stringer, pointerStringer } = typeOf(value);
  if (stringer !== undefined) return value;
  return pointerStringer === undefined ? indirect(value) : pointerStringer(value);
}

/** The else list does not see what the first one declares, though the parser lets it name it. */
function compileBranches(
  node: BranchNode,
  scope: Scope,
): { readonly then: Walk; readonly otherwise: Walk | undefined } {
  const mark = scope.mark();
  const then = compileList(node.list, scope);
  scope.pop(mark);
  const otherwise = node.elseList === undefined ? undefined : compileList(node.elseList, scope);
  return { then, otherwise };
}

function compileIf(node: BranchNode, scope: Scope): Walk {
  const mark = scope.mark();
  const { run } = compilePipe(node.pipe, scope);
  const { then, otherwise } = compileBranches(node, scope);
  scope.pop(mark);
  if (otherwise === undefined) {
    return (dot, frame) => (isTrue(run(dot, frame)) ? then(dot, frame) : GO_ON);
  }
  return (dot, frame) => (isTrue(run(dot, frame)) ? then(dot, frame) : otherwise(dot, frame));
}

function compileWith(node: BranchNode, scope: Scope): Walk {
  const mark = scope.mark();
  const { run } = compilePipe(node.pipe, scope);
  const { then, otherwise } = compileBranches(node, scope);
  scope.pop(mark);
  return (dot, frame) => {
    const value = run(dot, frame);
    if (!isTrue(value)) return otherwise === undefined ? GO_ON : otherwise(dot, frame);
    const saved = frame.dotIsInterface;
    frame.dotIsInterface = false;
    const signal = then(value, frame);
    frame.dotIsInterface = saved;
    return signal;
  };
}

function compileTemplateCall(node: TemplateNode, scope: Scope): Walk {
  const pipe: CompiledOperand | undefined =
    node.pipe === undefined ? undefined : compilePipe(node.pipe, scope);
  const fail = scope.failAt(node);
  const { name } = node;
  return (dot, frame) => {
    const { execution } = frame;
    const template = execution.lookup(name);
    if (template === undefined) return fail(frame, `template ${quote(name)} not defined`);
    const { budget } = execution;
    if (budget.depth >= budget.limits.depthMax) {
      fail(frame, `exceeded maximum template depth (${budget.limits.depthMax})`);
    }
    const value = pipe?.run(dot, frame);
    budget.step();
    budget.depth++;
    template.walk(value, new Frame(execution, template, value));
    budget.depth--;
    return GO_ON;
  };
}

// Range -------------------------------------------------------------------------------------------------------------

interface RangeLoop {
  readonly body: Walk;
  /** Sets the loop's variables. */
  readonly bind: (frame: Frame, index: GoValue, element: GoValue) => void;
  readonly variables: number;
  readonly fail: (frame: Frame, message: string) => never;
  /** The variable that takes the elements, when the loop declares it. */
  readonly elementSlots: readonly number[];
}

function compileRange(node: BranchNode, scope: Scope): Walk {
  const mark = scope.mark();
  const pipe = compilePipe(node.pipe, scope);
  const { declarations, isAssign } = node.pipe;
  const slots = declarations.map((variable) => scope.find(variable.names[0] ?? '')?.slot ?? 0);
  const elementSlots = isAssign ? [] : slots.slice(-1);
  for (const slot of elementSlots) scope.markRangeVariable(slot);
  const { then: body, otherwise } = compileBranches(node, scope);
  scope.pop(mark);
  const loop: RangeLoop = {
    body,
    bind: binder(slots),
    variables: slots.length,
    fail: scope.failAt(pipe.last),
    elementSlots,
  };
  return (dot, frame) => {
    const value = indirect(pipe.run(dot, frame));
    const saved = frame.dotIsInterface;
    const ran = iterate(value, frame, loop);
    frame.dotIsInterface = saved;
    if (ran || otherwise === undefined) return GO_ON;
    return otherwise(dot, frame);
  };
}

function binder(slots: readonly number[]): RangeLoop['bind'] {
  const [first, second] = slots;
  if (first === undefined) return () => undefined;
  if (second === undefined) {
    return (frame, _index, element) => {
      frame.vars[first] = element;
    };
  }
  return (frame, index, element) => {
    frame.vars[first] = index;
    frame.vars[second] = element;
  };
}

/** Runs the body for every item; false when there is none. */
function iterate(value: GoValue, frame: Frame, loop: RangeLoop): boolean {
  if (Array.isArray(value)) {
    elementsAre(typeOf(value).elem?.kind === 'interface', frame, loop);
    return overItems(value, frame, loop);
  }
  if (value === undefined || value === null) return false;
  if (value instanceof GoNil && value.type.kind === 'map') return false;
  if (isMap(value)) {
    elementsAre(typeOf(value).elem?.kind === 'interface', frame, loop);
    return overEntries(sortedEntries(value), frame, loop);
  }
  elementsAre(false, frame, loop);
  if (value instanceof GoInt && (isIntKind(value.type.kind) || isUintKind(value.type.kind))) {
    return overCount(value, frame, loop);
  }
  if (typeof value === 'bigint') return overCount(new GoInt(INT64, value), frame, loop);
  const items = listOf(value);
  if (items !== undefined) return overItems(items, frame, loop);
  if (value instanceof GoSequence) return overSequence(value, frame, loop);
  return loop.fail(frame, `range can't iterate over ${sprint([value])}`);
}

function isMap(value: GoValue): boolean {
  if (value instanceof GoObject) return value instanceof GoMap || value instanceof GoKeyedMap;
  return typeof value === 'object' && !(value instanceof Uint8Array);
}

function elementsAre(interfaces: boolean, frame: Frame, loop: RangeLoop): void {
  frame.dotIsInterface = interfaces;
  for (const slot of loop.elementSlots) frame.setTyped(slot, !interfaces);
}

function overItems(items: readonly GoValue[], frame: Frame, loop: RangeLoop): boolean {
  const { body, bind } = loop;
  const { length } = items;
  for (let i = 0; i < length; i++) {
    frame.execution.budget.step();
    const item = items[i];
    const element = item === undefined ? null : item;
    if (loop.variables === 2) bind(frame, int(i), element);
    else if (loop.variables === 1) bind(frame, undefined, element);
    if (body(element, frame) === BREAK) break;
  }
  return length > 0;
}

function overEntries(
  entries: Iterable<readonly [GoValue, GoValue]>,
  frame: Frame,
  loop: RangeLoop,
): boolean {
  let ran = false;
  for (const [key, element] of entries) {
    ran = true;
    frame.execution.budget.step();
    loop.bind(frame, key, element);
    if (loop.body(element, frame) === BREAK) break;
  }
  return ran;
}

function overCount(count: GoInt, frame: Frame, loop: RangeLoop): boolean {
  if (loop.variables > 1) {
    loop.fail(frame, `can't use ${sprint([count])} to iterate over more than one variable`);
  }
  const end = BigInt(count.value);
  if (end <= 0n) return false;
  for (let i = 0; i < end; i++) {
    frame.execution.budget.step();
    const element = new GoInt(count.type, normalInt(count.type, i));
    loop.bind(frame, undefined, element);
    if (loop.body(element, frame) === BREAK) break;
  }
  return true;
}

function overSequence(sequence: GoSequence, frame: Frame, loop: RangeLoop): boolean {
  if (!sequence.pairs && loop.variables > 1) {
    loop.fail(frame, `can't use ${sprint([sequence])} iterate over more than one variable`);
  }
  let ran = false;
  for (const [first, second] of sequence.iterate()) {
    ran = true;
    frame.execution.budget.step();
    const both = sequence.pairs && loop.variables > 1;
    const element = both ? second : first;
    loop.bind(frame, both ? first : undefined, element);
    if (loop.body(element, frame) === BREAK) break;
  }
  return ran;
}
