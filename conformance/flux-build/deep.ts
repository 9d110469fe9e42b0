/**
 * Many random substitutions and builds against Flux's own packages:
 *
 *     node conformance/flux-build/deep.ts [first seed] [texts] [builds]
 */
import { compareBuilds, compareTexts, oracleProgram } from './compare.ts';
import { report, seedsFrom } from './report.ts';

const [first = '10000', texts = '100000', builds = '3000'] = process.argv.slice(2);

const program = oracleProgram();
if (program === undefined) throw new Error('the oracle needs Go');
report([
  ...compareTexts(program, seedsFrom(Number(first), Number(texts))),
  ...compareBuilds(program, seedsFrom(Number(first), Number(builds))),
]);
