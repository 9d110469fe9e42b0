import type { CallExpr } from './ast.ts';
import type { CallEstimate, CostNode, CostSizes } from './cost-types.ts';
import { type CelType, parseType, splitTypes } from './types.ts';
import type { CelValue } from './values.ts';

export interface Overload {
  readonly id: string;
  readonly isMember: boolean;
  /** The target of a member call is the first. */
  readonly params: readonly CelType[];
  readonly result: CelType;
}

export interface CelFunction {
  /** `add_int64: (int, int) -> int`, and of members `contains_string: string.(string) -> bool`. */
  readonly overloads: readonly string[];
  /**
   * Fails with `no such overload` on arguments that none of the overloads takes. `overload` is the one that the checker
   * found, if it is one.
   */
  call(args: readonly CelValue[], overload: string): CelValue;
}

/** Functions that expressions may use, and what they cost beyond the library's own rules. */
export interface CelLibrary {
  readonly functions: Readonly<Record<string, CelFunction>>;
  /** The names of types that it brings. */
  readonly types?: readonly string[];
  /** Those among all types it uses that are objects, though nobody may look at their fields. */
  readonly objectTypes?: readonly string[];
  /** What a call has cost; undefined: as any other. */
  cost?(
    call: { readonly name: string; readonly overload: string },
    args: readonly CelValue[],
    result: CelValue,
  ): number | undefined;
  /** What a call may cost. */
  estimate?(
    call: {
      readonly name: string;
      readonly overload: string;
      readonly target: CostNode | undefined;
      readonly args: readonly CostNode[];
    },
    sizes: CostSizes,
  ): CallEstimate | undefined;
  /** Why a call can never run, for its literals. */
  validate?(call: CallExpr): string | undefined;
}

const OVERLOAD = /^([\w@]+): (?:(.+)\.)?\((.*)\) -> (.+)$/;

function parseOverload(text: string): Overload {
  const [, id = '', target, params = '', result = ''] = OVERLOAD.exec(text) ?? [];
  const own = splitTypes(params).map(parseType);
  return {
    id,
    isMember: target !== undefined,
    params: target === undefined ? own : [parseType(target), ...own],
    result: parseType(result),
  };
}

/** All functions of some libraries; overloads of one name come together. */
export class Functions {
  readonly #overloads = new Map<string, Overload[]>();
  readonly #calls = new Map<string, readonly CelFunction['call'][]>();

  readonly types: ReadonlySet<string>;
  readonly objectTypes: ReadonlySet<string>;

  constructor(libraries: readonly CelLibrary[]) {
    this.types = new Set(libraries.flatMap(({ types = [] }) => types));
    this.objectTypes = new Set(libraries.flatMap(({ objectTypes = [] }) => objectTypes));
    for (const { functions } of libraries) {
      for (const [name, { overloads, call }] of Object.entries(functions)) {
        const parsed = overloads.map(parseOverload);
        this.#overloads.set(name, [...(this.#overloads.get(name) ?? []), ...parsed]);
        const known = this.#calls.get(name) ?? [];
        this.#calls.set(name, [...known, call]);
      }
    }
  }

  overloads(name: string): readonly Overload[] | undefined {
    return this.#overloads.get(name);
  }

  /** The implementations of a name, one for each library that has it. */
  calls(name: string): readonly CelFunction['call'][] {
    return this.#calls.get(name) ?? [];
  }
}
