/**
 * The fixed sample that CI runs: the same seeds every time. `deep.ts` and `deep-patches.ts` go further, with any seeds.
 */
import { loadCatalogue } from '@capstan/kube-schema';
import { closingLine } from '../tools/run-suite.ts';
import { startOracle, whyNoOracle } from './oracle.ts';
import { judgePatch, randomPatches } from './patches.ts';
import { firstDifference, randomSession } from './sessions.ts';
import { subjectsOf } from './subjects.ts';
import { answerText, randomTexts, textDifference } from './texts.ts';

const sequenceSeeds = 1500;
const patchSeeds = 400;
const textSeeds = 2000;

const reason = whyNoOracle();
if (reason === false) process.exitCode = await run();
else console.log(`${closingLine({ passed: 0, failed: 0, skipped: sequenceSeeds })} (${reason})`);

async function run(): Promise<number> {
  await using oracle = startOracle();
  const subjects = subjectsOf(await loadCatalogue());
  const counts = { passed: 0, failed: 0 };
  const report = (name: string, difference: string | undefined): void => {
    if (difference === undefined) counts.passed++;
    else {
      counts.failed++;
      console.log(`${name}: ${difference}\n`);
    }
  };
  for (let seed = 1; seed <= sequenceSeeds; seed++) {
    const session = randomSession(seed, subjects);
    report(`sequence ${seed}`, firstDifference(session, await oracle.ask(session.question)));
  }
  for (let seed = 1; seed <= patchSeeds; seed++)
    for (const { question, schema } of randomPatches(seed, subjects))
      report(`${question.op} ${seed}`, await judgePatch(oracle, question, schema));
  for (let seed = 1; seed <= textSeeds; seed++)
    for (const [op, text] of randomTexts(seed)) {
      const theirs = await oracle.ask({ op, original: text });
      report(`${op} ${JSON.stringify(text)}`, textDifference(op, answerText(op, text), theirs));
    }
  console.log(closingLine(counts));
  return counts.failed > 0 ? 1 : 0;
}
