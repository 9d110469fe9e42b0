import type { GoFunc } from '../value.ts';
import { defaultFunctions } from './defaults.ts';
import type { Functions } from './define.ts';
import { dictFunctions } from './dicts.ts';
import { encodingFunctions } from './encoding.ts';
import { jsonFunctions } from './json.ts';
import { listFunctions } from './lists.ts';
import { mathFunctions } from './math.ts';
import { pathFunctions } from './paths.ts';
import { stringFunctions } from './strings.ts';

export interface SprigOptions {
  /** A random integer in [0, limit). */
  readonly randomInt: (limit: number) => number;
}

/** The functions of Sprig v3.3.0. */
export function sprigFunctions(options: SprigOptions): Map<string, GoFunc> {
  const groups: readonly Functions[] = [
    stringFunctions(),
    listFunctions(),
    dictFunctions(),
    defaultFunctions(),
    mathFunctions(options.randomInt),
    pathFunctions(),
    encodingFunctions(),
    jsonFunctions(),
  ];
  return new Map(groups.flat());
}
