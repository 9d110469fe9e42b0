/**
 * Renders every case of cases/ and compares with what Go's text/template and Sprig gave for it, which is kept in expected/.
 * `UPDATE=1` asks the oracle again (needs Go) and rewrites expected/; then a fixed sample of random templates is compared
 * with the oracle, when it can be built. `--verbose` shows all differences.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { closingLine } from '../tools/run-suite.ts';
import { readTopics, type Topic } from './cases.ts';
import { type Answer, askOracle, oracleProgram, type Question } from './oracle.ts';
import { answerOf, languages } from './ours.ts';
import { compareSeeds } from './random.ts';

const SHOWN_MAX = process.argv.includes('--verbose') ? Number.POSITIVE_INFINITY : 30;
const SAMPLE_SEEDS = 300;

const counts = { passed: 0, failed: 0, skipped: 0 };

function expectedFile(topic: Topic): string {
  return join(import.meta.dirname, 'expected', `${topic.name}.jsonl`);
}

async function update(program: string, topic: Topic): Promise<void> {
  const answers = await askOracle(program, topic.questions);
  writeFileSync(
    expectedFile(topic),
    answers.map((answer) => `${JSON.stringify(answer)}\n`).join(''),
  );
}

function readExpected(topic: Topic): Answer[] {
  const file = expectedFile(topic);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

function report(question: Question, expected: string, actual: string): void {
  counts.failed++;
  if (counts.failed > SHOWN_MAX) return;
  const { template, constraint, version } = question;
  console.log(`\n✖ ${template ?? `${constraint ?? ''} @ ${version ?? ''}`}`);
  console.log(`  expected ${expected}\n  actual   ${actual}`);
}

function compare(topic: Topic): void {
  const expected = readExpected(topic);
  const known = languages();
  for (const [index, question] of topic.questions.entries()) {
    const wanted = JSON.stringify(expected[index] ?? 'nothing: run with UPDATE=1');
    const actual = JSON.stringify(answerOf(question, known));
    if (wanted === actual) counts.passed++;
    else report(question, wanted, actual);
  }
}

const isUpdate = process.env['UPDATE'] === '1';
const program = oracleProgram();
if (isUpdate && program === undefined) throw new Error('UPDATE=1 needs Go');
for (const topic of readTopics()) {
  if (isUpdate && program !== undefined) await update(program, topic);
  compare(topic);
}
if (program === undefined) counts.skipped++;
else {
  const seeds = Array.from({ length: SAMPLE_SEEDS }, (_, seed) => seed);
  for (const { question, expected, actual } of await compareSeeds(program, seeds)) {
    if (expected === actual) counts.passed++;
    else report(question, expected, actual);
  }
}
console.log(closingLine(counts));
process.exitCode = counts.failed > 0 ? 1 : 0;
