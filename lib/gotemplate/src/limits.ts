import { GoError } from './value.ts';

/** Bounds of one run. What goes over is a LimitError that names the bound. */
export interface Limits {
  /** Length of the output, and of each text that is built on the way, in UTF-16 units (bytes for ASCII). */
  readonly outputMax: number;
  /** Nested template calls. */
  readonly depthMax: number;
  /** Iterations, template calls and items made in bulk. */
  readonly stepsMax: number;
  /** Milliseconds by the clock of the run. */
  readonly timeMaxMs: number;
}

export const DEFAULT_LIMITS: Limits = {
  outputMax: 128 * 1024 * 1024,
  depthMax: 100_000,
  stepsMax: 100_000_000,
  timeMaxMs: 60_000,
};

/** A bound of the run was reached. Never wrapped, never caught by a template. */
export class LimitError extends GoError {
  constructor(message: string) {
    super(message);
    this.name = 'LimitError';
  }
}

const PARTS_MAX = 2_000_000;

/** Counts the parts of a value that is walked: maps and lists may share parts, so that a small value unfolds without end. */
export class PartCount {
  #count = 0;

  add(): void {
    if (++this.#count > PARTS_MAX) throw new LimitError(`value has more than ${PARTS_MAX} parts`);
  }
}
