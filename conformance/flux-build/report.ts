import { closingLine } from '../tools/run-suite.ts';
import type { Comparison } from './compare.ts';

const SHOWN_MAX = 12;
const TEXT_MAX = 2000;

export function seedsFrom(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

/** Shows the first differences and the closing line, and sets the exit code. */
export function report(comparisons: readonly Comparison[]): void {
  const different = comparisons.filter(({ agrees }) => !agrees);
  for (const { seed, question, theirs, ours } of different.slice(0, SHOWN_MAX)) {
    console.log(`\nFAILED seed ${seed}: ${JSON.stringify(question)}`);
    for (const [side, outcome] of Object.entries({ flux: theirs, ours })) {
      console.log(`  ${side} ${JSON.stringify(outcome).slice(0, TEXT_MAX)}`);
    }
  }
  const failed = different.length;
  console.log(closingLine({ passed: comparisons.length - failed, failed }));
  process.exitCode = failed > 0 ? 1 : 0;
}
