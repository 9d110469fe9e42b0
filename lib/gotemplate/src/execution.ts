import { LimitError, type Limits } from './limits.ts';
import { type AnyNode, nodeText } from './nodes.ts';
import type { TemplateSource } from './parser.ts';
import { quote } from './quote.ts';
import { byteLength } from './text.ts';
import { type CallContext, GoError, GoNil, type GoValue } from './value.ts';

/** An error during execution, with the place in the template as Go prints it. */
export class ExecError extends GoError {
  readonly templateName: string;

  constructor(templateName: string, message: string) {
    super(message);
    this.name = 'ExecError';
    this.templateName = templateName;
  }
}

/** What `missingkey` may be: how a key that a map does not have is taken. */
export type MissingKey = 'default' | 'zero' | 'error';

/** 0 goes on, 1 breaks out of the innermost range, 2 continues it. */
export type Signal = 0 | 1 | 2;

export type Walk = (dot: GoValue, frame: Frame) => Signal;

export interface CompiledTemplate {
  readonly name: string;
  readonly slots: number;
  readonly walk: Walk;
  /** Nothing but space and definitions: does not replace another definition. */
  readonly isEmpty: boolean;
}

export type TemplateLookup = (name: string) => CompiledTemplate | undefined;

/** One run of a set of templates: the output so far, and the bounds. */
export class Execution {
  out = '';
  readonly missingKey: MissingKey;
  readonly lookup: TemplateLookup;
  readonly context: CallContext;
  readonly budget: Budget;

  constructor(parts: {
    readonly missingKey: MissingKey;
    readonly lookup: TemplateLookup;
    readonly context: (execution: Execution) => CallContext;
    readonly budget: Budget;
  }) {
    this.missingKey = parts.missingKey;
    this.lookup = parts.lookup;
    this.budget = parts.budget;
    this.context = parts.context(this);
  }

  write(text: string): void {
    this.out += text;
    if (this.out.length > this.budget.limits.outputMax) this.budget.outputExceeded();
  }
}

/** What is shared by a run and all runs nested in it (include, tpl). */
export class Budget {
  readonly limits: Limits;
  readonly now: () => number;
  readonly #deadline: number;
  #steps = 0;
  #checkAt = CHECK_EVERY;
  depth = 0;

  constructor(limits: Limits, now: () => number) {
    this.limits = limits;
    this.now = now;
    this.#deadline = now() + limits.timeMaxMs;
  }

  step(count = 1): void {
    this.#steps += count;
    if (this.#steps >= this.#checkAt) this.#check();
  }

  #check(): void {
    const { stepsMax, timeMaxMs } = this.limits;
    if (this.#steps > stepsMax) {
      throw new LimitError(`template: more than ${stepsMax} steps of execution`);
    }
    if (this.now() > this.#deadline) {
      throw new LimitError(`template: execution took longer than ${timeMaxMs} ms`);
    }
    this.#checkAt = Math.min(this.#steps + CHECK_EVERY, stepsMax + 1);
  }

  outputExceeded(): never {
    throw new LimitError(`template: output is longer than ${this.limits.outputMax} bytes`);
  }
}

const CHECK_EVERY = 1024;

/** The content of a slot before its variable is declared. */
export const UNSET: GoValue = new GoNil({ kind: 'invalid', text: 'unset' });

/** Stands for the operand at which an `and` or `or` stopped: known at run time only. */
export interface StopSite {
  readonly kind: 'stop';
  readonly fallback: AnyNode;
}

/** A node, or the operand at which evaluation stopped. */
export type LastNode = AnyNode | StopSite;

export function resolveLast(node: LastNode, frame: Frame): AnyNode {
  if (node.kind !== 'stop') return node;
  return frame.stoppedIn === node ? (frame.stoppedAt ?? node.fallback) : node.fallback;
}

/** One call of a template: its variables live in slots that the compiler gave out. */
export class Frame {
  readonly vars: GoValue[];
  readonly execution: Execution;
  readonly template: CompiledTemplate;
  /** Dot is the element of an []interface{} or map[string]interface{}: error texts speak of interface {} then. */
  dotIsInterface = false;
  /** Where the last `and` or `or` stopped, for errors that follow it. */
  stoppedIn: StopSite | undefined;
  stoppedAt: AnyNode | undefined;
  /** Slots of range variables whose values come from a typed container. */
  #typedSlots: Set<number> | undefined;

  constructor(execution: Execution, template: CompiledTemplate, dot: GoValue) {
    this.execution = execution;
    this.template = template;
    const vars: GoValue[] = [dot];
    for (let i = 1; i < template.slots; i++) vars.push(UNSET);
    this.vars = vars;
  }

  setTyped(slot: number, typed: boolean): void {
    if (typed) {
      this.#typedSlots ??= new Set();
      this.#typedSlots.add(slot);
    } else this.#typedSlots?.delete(slot);
  }

  isTyped(slot: number): boolean {
    return this.#typedSlots?.has(slot) ?? false;
  }
}

/** `template: name:line:column: executing "name" at <node>: message` */
export function locatedError(
  source: TemplateSource,
  templateName: string,
  node: AnyNode,
  message: string,
): ExecError {
  const before = source.text.slice(0, node.position);
  const lineStart = before.lastIndexOf('\n') + 1;
  const line = before.split('\n').length;
  const column = byteLength(before.slice(lineStart));
  const place = `${source.name}:${line}:${column}`;
  const text = `template: ${place}: executing ${quote(templateName)} at <${nodeText(node)}>: ${message}`;
  return new ExecError(templateName, text);
}
