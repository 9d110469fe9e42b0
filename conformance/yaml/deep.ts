/**
 * Compares random inputs with the official libraries: `node conformance/yaml/deep.ts [seeds] [first]`. Each seed gives one
 * document, one mutation, one soup of tokens and one value, and every operation that fits. Differences are made small
 * and printed.
 */

import { agrees, compact, READERS, WRITERS } from './corpus.ts';
import { askOracle, type Question } from './oracle.ts';
import { answerOurs } from './ours.ts';
import { Random, randomDocument, randomMutation, randomSoup, randomValue } from './random-text.ts';

/** All questions of one seed. */
export function questionsOf(seed: number): Question[] {
  const random = new Random(seed);
  // Halves of a character do not reach the oracle, and two byte order marks make it skip a character of every line.
  const texts = [randomDocument(random), randomMutation(random), randomSoup(random)].map((text) =>
    text.toWellFormed().replace(/^\ufeff+/, '\ufeff'),
  );
  const value = JSON.stringify(randomValue(random));
  return [
    ...texts.flatMap((input) => READERS.map((op) => ({ op, input }))),
    ...WRITERS.map((op) => ({ op, input: value })),
  ];
}

/**
 * Go walks maps in random order. Of keys that JSON makes equal (`1` and `"1"`) any may win, and since the order of keys is
 * not transitive (8 < 0140 < 0o < 8), some values are written in more than one way. Ours is right when it is one of them.
 */
export async function isUndecided(question: Question): Promise<boolean> {
  const answers = await askOracle(Array.from({ length: 40 }, () => question));
  const ours = answerOurs(question);
  return answers.some((answer) => agrees(ours, answer));
}

/** Takes lines, then characters, out of the input of a difference as long as it stays one. */
async function minimise(question: Question): Promise<Question> {
  let best = question;
  for (let round = 0; round < 30; round++) {
    const inputs = shorter(best.input).filter(
      (input) => READERS.includes(best.op) || isJson(input),
    );
    const candidates = inputs.map((input) => ({ op: best.op, input: input.toWellFormed() }));
    const theirs = await askOracle(candidates);
    let found: Question | undefined;
    for (const [i, candidate] of candidates.entries()) {
      if (agrees(answerOurs(candidate), theirs[i]!) || (await isUndecided(candidate))) continue;
      found = candidate;
      break;
    }
    if (found === undefined) return best;
    best = found;
  }
  return best;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function shorter(text: string): string[] {
  const out: string[] = [];
  const lines = text.split('\n');
  for (let size = lines.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at + size <= lines.length; at += size) {
      out.push([...lines.slice(0, at), ...lines.slice(at + size)].join('\n'));
    }
  }
  for (let size = Math.min(16, text.length >> 1); size > 0; size >>= 1) {
    for (let at = 0; at + size <= text.length; at += size)
      out.push(text.slice(0, at) + text.slice(at + size));
  }
  return out.slice(0, 3000);
}

async function main(): Promise<void> {
  const seeds = Number(process.argv[2] ?? 1000);
  const first = Number(process.argv[3] ?? 1);
  const shown = Number(process.env['SHOW'] ?? 10);
  const only = process.env['OP'];
  const counts = new Map<string, { asked: number; differ: number }>();
  const differences: Question[] = [];
  for (let at = first; at < first + seeds; at += 500) {
    const end = Math.min(at + 500, first + seeds);
    const questions: Question[] = [];
    for (let seed = at; seed < end; seed++)
      questions.push(...questionsOf(seed).filter((q) => only === undefined || q.op === only));
    const answers = await askOracle(questions);
    for (const [i, question] of questions.entries()) {
      const count = counts.get(question.op) ?? { asked: 0, differ: 0 };
      counts.set(question.op, count);
      count.asked++;
      if (agrees(answerOurs(question), answers[i]!)) continue;
      if (await isUndecided(question)) continue;
      count.differ++;
      if (differences.length < 200) differences.push(question);
    }
  }
  for (const question of differences.slice(0, shown)) await show(await minimise(question));
  for (const [op, { asked, differ }] of counts)
    console.log(`${op}: ${asked} asked, ${differ} differ`);
  process.exitCode = differences.length > 0 ? 1 : 0;
}

async function show(question: Question): Promise<void> {
  const [theirs] = await askOracle([question]);
  const ours = answerOurs(question);
  console.log('-----', question.op, JSON.stringify(question.input));
  for (const part of ['error', 'output', 'wide', 'four', 'nodes'] as const) {
    const a = JSON.stringify(compact(ours[part]));
    const b = JSON.stringify(compact(theirs?.[part]));
    if (a !== b) console.log(`  ${part}\n    ours   ${a}\n    theirs ${b}`);
  }
}

if (import.meta.main) await main();
