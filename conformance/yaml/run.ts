/**
 * Holds lib/yaml against Go's libraries: the corpus with its stored answers, and a fixed sample of random cases against
 * the oracle. `UPDATE=1` has the oracle write the answers anew. Without Go only the corpus runs.
 */
import { spawnSync } from 'node:child_process';
import { agrees, compact, readCorpus, readExpected, writeExpected } from './corpus.ts';
import { isUndecided, questionsOf } from './deep.ts';
import { askOracle } from './oracle.ts';
import { answerOurs } from './ours.ts';

/** Seeds of the fixed sample: sixteen questions each. */
const SEEDS = 1500;

const counts = { passed: 0, failed: 0, skipped: 0 };

function record(ok: boolean, label: string, details: () => string): void {
  if (ok) counts.passed++;
  else {
    counts.failed++;
    console.log(`FAILED ${label}\n${details()}`);
  }
}

function checkCorpus(): void {
  const expected = readExpected();
  for (const question of readCorpus()) {
    const theirs = expected.get(`${question.op} ${question.name}`) ?? { error: 'no stored answer' };
    const ours = answerOurs(question);
    record(agrees(ours, theirs), `${question.op} ${question.name}`, () => {
      const shown = [ours, theirs].map((answer) => JSON.stringify(compact(answer)));
      return `  input  ${JSON.stringify(question.input)}\n  ours   ${shown[0]}\n  theirs ${shown[1]}`;
    });
  }
}

async function checkSample(): Promise<void> {
  const questions = Array.from({ length: SEEDS }, (_, seed) => questionsOf(seed + 1)).flat();
  const answers = await askOracle(questions);
  for (const [i, question] of questions.entries()) {
    const ok = agrees(answerOurs(question), answers[i] ?? {}) || (await isUndecided(question));
    record(ok, `${question.op} at random`, () => `  input  ${JSON.stringify(question.input)}`);
  }
}

const hasGo = spawnSync('go', ['version']).status === 0;
if (process.env['UPDATE'] === '1') {
  const cases = readCorpus();
  writeExpected(cases, await askOracle(cases));
}
checkCorpus();
if (hasGo) await checkSample();
else counts.skipped += SEEDS;
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exitCode = counts.failed > 0 ? 1 : 0;
