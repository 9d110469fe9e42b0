import { type Frame, type LastNode, locatedError, resolveLast } from './execution.ts';
import type { Fail } from './fields.ts';
import type { TemplateSource } from './parser.ts';
import type { GoFunc } from './value.ts';

/** A function a template may call, and whether it is one of the language's own (and, or and call are special). */
export interface TableEntry {
  readonly func: GoFunc;
  readonly isBuiltin: boolean;
}

export type FunctionTable = ReadonlyMap<string, TableEntry>;

interface Variable {
  readonly name: string;
  readonly slot: number;
}

/** What the compiler knows at a place of a template: the variables in sight and their slots. Slot 0 is `$`. */
export class Scope {
  readonly source: TemplateSource;
  readonly functions: FunctionTable;
  readonly #variables: Variable[];
  readonly #shared: { slots: number; readonly rangeSlots: Set<number> };

  constructor(source: TemplateSource, functions: FunctionTable, from?: Scope) {
    this.source = source;
    this.functions = functions;
    this.#variables = from === undefined ? [{ name: '$', slot: 0 }] : [...from.#variables];
    this.#shared = from === undefined ? { slots: 1, rangeSlots: new Set() } : from.#shared;
  }

  get slots(): number {
    return this.#shared.slots;
  }

  /** The scope as it is here, for what is compiled later. */
  snapshot(): Scope {
    return new Scope(this.source, this.functions, this);
  }

  mark(): number {
    return this.#variables.length;
  }

  pop(mark: number): void {
    this.#variables.length = mark;
  }

  declare(name: string): number {
    const slot = this.#shared.slots++;
    this.#variables.push({ name, slot });
    return slot;
  }

  /** The innermost variable of that name. */
  find(name: string): Variable | undefined {
    return this.#variables.findLast((variable) => variable.name === name);
  }

  markRangeVariable(slot: number): void {
    this.#shared.rangeSlots.add(slot);
  }

  isRangeVariable(slot: number): boolean {
    return this.#shared.rangeSlots.has(slot);
  }

  /** Throws an error located at a node. */
  failAt(node: LastNode): Fail {
    const { source } = this;
    return (frame: Frame, message: string) => {
      throw locatedError(source, frame.template.name, resolveLast(node, frame), message);
    };
  }
}
