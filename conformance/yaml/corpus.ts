import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer, Operation, Question } from './oracle.ts';

/** The cases live with the package they test, so that its own tests run them without Go. */
const DIRECTORY = join(import.meta.dirname, '..', '..', 'lib', 'yaml', 'testdata');
const EXPECTED = join(DIRECTORY, 'expected.jsonl');

export const READERS: readonly Operation[] = [
  'nodes',
  'unmarshal',
  'unmarshal-strict',
  'node-value',
];
export const WRITERS: readonly Operation[] = ['marshal', 'pretty', 'json', 'json-indent'];

export interface Case extends Question {
  readonly name: string;
}

/** Every case of the corpus with every operation that fits it. */
export function readCorpus(): Case[] {
  const cases: Case[] = [];
  for (const { name, input } of [...readDocuments(), ...readLines('scalars.txt')]) {
    for (const op of READERS) cases.push({ name, op, input });
  }
  for (const { name, input } of readLines('values.jsonl')) {
    for (const op of WRITERS) cases.push({ name, op, input: input.trimEnd() });
  }
  return cases;
}

/** `=== name`, then the text of a document, or a JSON string where the text cannot stand as it is. */
function readDocuments(): { name: string; input: string }[] {
  const text = readFileSync(join(DIRECTORY, 'documents.txt'), 'utf8');
  return text
    .split(/^=== /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf('\n');
      const body = part.slice(end + 1);
      return { name: part.slice(0, end), input: body.startsWith('"') ? JSON.parse(body) : body };
    });
}

/** Each line is a case, and stands in a document of its own. */
function readLines(file: string): { name: string; input: string }[] {
  const lines = readFileSync(join(DIRECTORY, file), 'utf8').split('\n').slice(0, -1);
  return lines.map((line, index) => ({ name: `${file}:${index + 1}`, input: `${line}\n` }));
}

/** The stored answers, by name and operation. */
export function readExpected(): Map<string, Answer> {
  const expected = new Map<string, Answer>();
  for (const line of readFileSync(EXPECTED, 'utf8').split('\n')) {
    if (line === '') continue;
    const { name, op, answer } = JSON.parse(line);
    expected.set(`${op} ${name}`, answer);
  }
  return expected;
}

export function writeExpected(cases: readonly Case[], answers: readonly Answer[]): void {
  const lines = cases.map(({ name, op, input }, i) =>
    JSON.stringify({ name, op, input, answer: compact(answers[i]) }),
  );
  writeFileSync(EXPECTED, `${lines.join('\n')}\n`);
}

/** An answer in one form: what is empty left out, properties in one order. */
export function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compact);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => !isEmpty(item));
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, compact(item)]));
}

function isEmpty(value: unknown): boolean {
  return value === '' || value === 0 || (Array.isArray(value) && value.length === 0);
}

/** Whether two answers say the same. */
export function agrees(ours: Answer, theirs: Answer): boolean {
  return JSON.stringify(compact(ours)) === JSON.stringify(compact(theirs));
}
