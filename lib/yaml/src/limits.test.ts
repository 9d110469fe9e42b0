import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeYamlText, nodeToValue, parseDocuments, parseYaml } from './index.ts';

/** Checks that both readers refuse `text` within a second. */
function checkRefused(text: string, code: string, message: RegExp): void {
  for (const read of [parseYaml, parseDocuments]) {
    const start = performance.now();
    assert.throws(() => read(text), { code, message });
    assert.ok(performance.now() - start < 10_000, 'the refusal takes no long time');
  }
}

test('an alias bomb is refused when it is expanded, and cheap as nodes', () => {
  let text = 'a0: &a0 [x, x, x, x, x, x, x, x, x]\n';
  for (let i = 1; i < 12; i++)
    text += `a${i}: &a${i} [${Array(9)
      .fill(`*a${i - 1}`)
      .join(', ')}]\n`;
  const start = performance.now();
  assert.throws(() => parseYaml(text), {
    code: 'YAML_LIMIT',
    message: 'error converting YAML to JSON: yaml: document contains excessive aliasing',
  });
  const [document] = parseDocuments(text);
  assert.throws(() => nodeToValue(document!), { code: 'YAML_LIMIT' });
  assert.ok(performance.now() - start < 10_000);
});

test('aliases may not add more nodes than the limit even in a document that is large itself', () => {
  const text = `a: &a [${Array(1000).fill('x').join(', ')}]\nb: [${Array(50).fill('*a').join(', ')}]\n`;
  assert.throws(() => parseYaml(text, { limits: { aliasNodesMax: 10_000 } }), {
    code: 'YAML_LIMIT',
    message: /aliases expand to more than 10000 nodes/,
  });
});

test('nesting is refused at its limit, in flow and in block style', () => {
  checkRefused('['.repeat(10_000), 'YAML_LIMIT', /line 1: exceeded max depth of 1000/);
  checkRefused('- '.repeat(10_000), 'YAML_LIMIT', /line 1: exceeded max depth of 1000/);
  checkRefused('{a: '.repeat(10_000), 'YAML_LIMIT', /line 1: exceeded max depth of 1000/);
  const deep = Array.from({ length: 3000 }, (_, i) => `${' '.repeat(i)}a:\n`).join('');
  checkRefused(deep, 'YAML_LIMIT', /exceeded max depth of 1000/);
});

test('nesting below the limit is read', () => {
  const depth = 900;
  let value = parseYaml('['.repeat(depth) + ']'.repeat(depth));
  for (let i = 1; i < depth; i++) {
    assert.ok(Array.isArray(value));
    value = value[0] ?? null;
  }
  assert.deepEqual(value, []);
});

test('a text longer than the limit is refused before it is read', () => {
  assert.throws(() => parseYaml(`a: ${'x'.repeat(200)}`, { limits: { lengthMax: 100 } }), {
    code: 'YAML_LIMIT',
    message: /document of 203 characters is longer than the 100 allowed/,
  });
});

test('a scalar of many megabytes is read', () => {
  const text = `a: "${'x'.repeat(20_000_000)}"\n`;
  assert.equal(parseDocuments(text)[0]!.content[0]!.content[1]!.value.length, 20_000_000);
});

test('NUL and other control characters are refused', () => {
  checkRefused('a: b\0c\n', 'YAML_SYNTAX', /control characters are not allowed/);
  checkRefused('a: \u001b[31m\n', 'YAML_SYNTAX', /control characters are not allowed/);
  checkRefused('a: \ud800\n', 'YAML_SYNTAX', /control characters are not allowed/);
});

test('octets that are not UTF-8 are refused, UTF-16 with its mark is read', () => {
  const octets = (...values: number[]) => Uint8Array.from(values);
  assert.equal(decodeYamlText(new TextEncoder().encode('a: é😀')), 'a: é😀');
  assert.equal(decodeYamlText(octets(0xff, 0xfe, 0x61, 0, 0x3d, 0xd8, 0, 0xde)), 'a😀');
  assert.equal(decodeYamlText(octets(0xfe, 0xff, 0, 0x61)), 'a');
  assert.equal(decodeYamlText(octets(0xef, 0xbb, 0xbf, 0x61)), '\ufeffa');
  const refusals: [Uint8Array, string][] = [
    [octets(0x61, 0xff), 'yaml: invalid leading UTF-8 octet'],
    [octets(0x61, 0xc3, 0x28), 'yaml: invalid trailing UTF-8 octet'],
    [octets(0x61, 0xc3), 'yaml: incomplete UTF-8 octet sequence'],
    [octets(0xc0, 0x80), 'yaml: invalid length of a UTF-8 sequence'],
    [octets(0xed, 0xa0, 0x80), 'yaml: invalid Unicode character'],
    [octets(0xff, 0xfe, 0, 0xdc), 'yaml: unexpected low surrogate area'],
    [octets(0xff, 0xfe, 0x61), 'yaml: incomplete UTF-16 character'],
  ];
  for (const [input, message] of refusals) {
    assert.throws(() => decodeYamlText(input), { code: 'YAML_SYNTAX', message });
  }
});

test('equal keys by the thousand are named up to a bound', () => {
  const text = 'a: 1\n'.repeat(5000);
  const [document] = parseDocuments(text);
  assert.throws(
    () => nodeToValue(document!),
    (error: Error) => {
      return error.message.split('\n').length <= 1001;
    },
  );
});

test('a long line of plain words and many keys takes linear time', () => {
  const start = performance.now();
  parseDocuments(`a: ${'word '.repeat(400_000)}\n`);
  parseDocuments('# comment\n'.repeat(50_000));
  parseDocuments(Array.from({ length: 50_000 }, (_, i) => `k${i}: [a, b] # c\n`).join(''));
  assert.ok(performance.now() - start < 10_000);
});
