/**
 * Compares random sequences of applies and updates with Kubernetes' own libraries:
 * `node conformance/merge/deep.ts [seeds] [first]`. Prints the first differences, and the figures.
 */
import { loadCatalogue } from '@capstan/kube-schema';
import { startOracle } from './oracle.ts';
import { firstDifference, randomSession } from './sessions.ts';
import { subjectsOf } from './subjects.ts';

const [seeds = '10000', first = '1'] = process.argv.slice(2);

await using oracle = startOracle();
const subjects = subjectsOf(await loadCatalogue());
let different = 0;
let steps = 0;
const batch = Math.min(50, Number(seeds));
for (let seed = Number(first); seed < Number(first) + Number(seeds); seed += batch) {
  const sessions = Array.from({ length: batch }, (_, i) => randomSession(seed + i, subjects));
  const answers = await Promise.all(sessions.map(({ question }) => oracle.ask(question)));
  for (const [i, session] of sessions.entries()) {
    steps += session.ours.length;
    const difference = firstDifference(session, answers[i]!);
    if (difference === undefined) continue;
    different++;
    if (process.env['SHOW'] === '1' && different === 1)
      console.log(session.question.steps.map((step) => JSON.stringify(step)).join('\n'));
    if (different <= 5) console.log(`seed ${seed + i} (${session.question.kind}): ${difference}\n`);
  }
}
console.log(`${seeds} sequences, ${steps} writes, ${different} sequences differ`);
process.exitCode = different > 0 ? 1 : 0;
