/** Many random templates against the oracle: `node conformance/gotemplate/deep.ts [first seed] [count]`. */
import { closingLine } from '../tools/run-suite.ts';
import { oracleProgram } from './oracle.ts';
import { compareSeeds } from './random.ts';

const [first = '1000', count = '20000'] = process.argv.slice(2);
const BATCH = 1000;
const SHOWN_MAX = 25;

const program = oracleProgram();
if (program === undefined) throw new Error('the oracle needs Go');
const counts = { passed: 0, failed: 0 };
const end = Number(first) + Number(count);
for (let start = Number(first); start < end; start += BATCH) {
  const size = Math.min(BATCH, end - start);
  const seeds = Array.from({ length: size }, (_, index) => start + index);
  for (const { seed, question, expected, actual } of await compareSeeds(program, seeds)) {
    if (expected === actual) {
      counts.passed++;
      continue;
    }
    counts.failed++;
    if (counts.failed > SHOWN_MAX) continue;
    console.log(`\n✖ seed ${seed}: ${question.template}\n  data ${JSON.stringify(question.data)}`);
    console.log(`  expected ${expected}\n  actual   ${actual}`);
  }
}
console.log(closingLine(counts));
process.exitCode = counts.failed > 0 ? 1 : 0;
