import type { Expr } from './ast.ts';
import type { CelType } from './types.ts';

/** From at least to at most; `Number.MAX`-like values stand for "no bound is known". */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** cel-go counts in 64 bits and stays at the end of them. */
export const UNBOUNDED = 2 ** 64;
export const UNKNOWN_SIZE: Range = { min: 0, max: UNBOUNDED };

/** Going through a text costs a tenth of its length; a pattern a quarter of its own. */
export const TRAVERSAL = 0.1;
export const PATTERN = 0.25;

export function fixed(value: number): Range {
  return { min: value, max: value };
}

export function add(a: Range, b: Range): Range {
  return { min: Math.min(a.min + b.min, UNBOUNDED), max: Math.min(a.max + b.max, UNBOUNDED) };
}

export function multiply(a: Range, b: Range): Range {
  return { min: product(a.min, b.min), max: product(a.max, b.max) };
}

function product(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : Math.min(a * b, UNBOUNDED);
}

export function union(a: Range, b: Range): Range {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}

/** Times a factor, rounded up. */
export function scale(range: Range, factor: number): Range {
  return { min: scaled(range.min, factor), max: scaled(range.max, factor) };
}

function scaled(value: number, factor: number): number {
  return Math.min(Math.ceil(value * factor), UNBOUNDED);
}

/** A part of an expression as those see it who estimate calls. */
export interface CostNode {
  readonly expr: Expr | undefined;
  readonly type: CelType;
  /** From a variable down: `self`, `list`, `@items`; undefined when it stands for no variable. */
  readonly path: readonly string[] | undefined;
  readonly size: Range | undefined;
}

export interface CostSizes {
  /** How long the value of a node may be. */
  of(node: CostNode): Range;
  /** The elements of a list. */
  elementOf(node: CostNode): CostNode | undefined;
}

export interface CallEstimate {
  readonly cost: Range;
  readonly size?: Range;
}
