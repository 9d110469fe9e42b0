import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  emitDocuments,
  emitValue,
  goJson,
  nodeToValue,
  parseDocument,
  parseDocuments,
  parseJson,
  parseYaml,
  parseYamlStrict,
  toYaml,
  type YamlNode,
} from './index.ts';

/** One question with the answer of Go's libraries, as conformance/yaml has stored it. */
interface Line {
  readonly name: string;
  readonly op: string;
  readonly input: string;
  readonly answer: Readonly<Record<string, unknown>>;
}

const file = join(import.meta.dirname, '..', 'testdata', 'expected.jsonl');
const lines: Line[] = readFileSync(file, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line));

/** Runs all cases of an operation; the answer is compared part by part with what was stored. */
function check(op: string, perform: (input: string) => Record<string, unknown>): void {
  const cases = lines.filter((line) => line.op === op);
  assert.ok(cases.length > 100, `the corpus has cases for ${op}`);
  for (const { name, input, answer } of cases) {
    let ours: Record<string, unknown>;
    try {
      ours = perform(input);
    } catch (error) {
      ours = { error: error instanceof Error ? error.message : String(error) };
    }
    assert.deepEqual(compact(ours), answer, `${op} ${name}: ${JSON.stringify(input)}`);
  }
}

function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compact);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([key, item]) =>
      key !== 'alias' && item !== '' && item !== 0 && !(Array.isArray(item) && item.length === 0),
  );
  return Object.fromEntries(kept.map(([key, item]) => [key, compact(item)]));
}

function nodes(documents: readonly YamlNode[]): Record<string, unknown> {
  try {
    return {
      nodes: documents,
      output: emitDocuments(documents),
      wide: emitDocuments(documents, { compactSequences: false }),
      four: emitDocuments(documents, { indent: 4, compactSequences: false }),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { nodes: documents, error: `emit: ${reason}` };
  }
}

test('documents become the nodes of go.yaml.in/yaml/v3 and are written as its encoder writes them', () => {
  check('nodes', (input) => nodes(parseDocuments(input)));
});

test('values are those of sigs.k8s.io/yaml', () => {
  check('unmarshal', (input) => ({ output: goJson(parseYaml(input)) }));
});

test('equal keys are refused as UnmarshalStrict refuses them', () => {
  check('unmarshal-strict', (input) => ({ output: goJson(parseYamlStrict(input)) }));
});

test('nodes decode as go.yaml.in/yaml/v3 decodes them', () => {
  check('node-value', (input) => {
    const first = parseDocument(input);
    return { output: first === undefined ? 'null' : goJson(nodeToValue(first)) };
  });
});

test('values are written as sigs.k8s.io/yaml marshals them', () => {
  check('marshal', (input) => ({ output: toYaml(parseJson(input)) }));
});

test('values are written as go.yaml.in/yaml/v3 encodes them', () => {
  check('pretty', (input) => ({
    output: emitValue(JSON.parse(input), { compactSequences: false }),
  }));
});

test('JSON is printed as encoding/json prints it', () => {
  check('json', (input) => ({ output: goJson(JSON.parse(input)) }));
  check('json-indent', (input) => ({ output: goJson(JSON.parse(input), { indent: '  ' }) }));
});
