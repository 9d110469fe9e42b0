/**
 * Compares random patches with Kubernetes' own libraries: `node conformance/merge/deep-patches.ts [seeds] [first]`. Each seed
 * makes and applies strategic, JSON merge and JSON patches.
 */
import { loadCatalogue } from '@capstan/kube-schema';
import { startOracle } from './oracle.ts';
import { judgePatch, randomPatches } from './patches.ts';
import { subjectsOf } from './subjects.ts';

const [seeds = '5000', first = '1'] = process.argv.slice(2);

await using oracle = startOracle();
const subjects = subjectsOf(await loadCatalogue());
const differences = new Map<string, number>();
let patches = 0;
for (let seed = Number(first); seed < Number(first) + Number(seeds); seed++) {
  const questions = randomPatches(seed, subjects);
  for (const { question, schema } of questions) {
    patches++;
    const difference = await judgePatch(oracle, question, schema);
    if (difference === undefined) continue;
    const count = (differences.get(question.op) ?? 0) + 1;
    differences.set(question.op, count);
    if (count <= 3)
      console.log(`seed ${seed} ${question.op}: ${difference}\n${JSON.stringify(question)}\n`);
  }
}
console.log(
  `${patches} patches, ${[...differences].map(([op, n]) => `${op} ${n}`).join(', ') || 'none'} differ`,
);
process.exitCode = differences.size > 0 ? 1 : 0;
