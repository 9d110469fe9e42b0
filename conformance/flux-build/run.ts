/** A fixed sample of random substitutions and builds against Flux's own packages; `deep.ts` takes more of them. */
import { closingLine } from '../tools/run-suite.ts';
import { compareBuilds, compareTexts, oracleProgram } from './compare.ts';
import { report, seedsFrom } from './report.ts';

const TEXTS = 3000;
const BUILDS = 150;

const program = oracleProgram();
if (program === undefined)
  console.log(closingLine({ passed: 0, failed: 0, skipped: TEXTS + BUILDS }));
else {
  report([
    ...compareTexts(program, seedsFrom(1, TEXTS)),
    ...compareBuilds(program, seedsFrom(1, BUILDS)),
  ]);
}
