import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NodePath, parseYaml, replaceScalar } from './index.ts';

const TEXT = `# head
spec:
  image: &i 'nginx:1.0'   # {"$imagepolicy": "x"}
  list: [a, "b", {c: d}]
  tag: 1.0
  "😀": {e: 😀, f: g}
  text: |
    x
  empty:
`;

function check(path: NodePath, value: string, expected: string): void {
  const replaced = replaceScalar(TEXT, path, value);
  const [before, after] = [TEXT.split('\n'), replaced.split('\n')];
  const changed = after.filter((line, i) => line !== before[i]);
  assert.deepEqual(changed, [expected]);
  let found: unknown = parseYaml(replaced);
  for (const step of path) found = Object(found)[step];
  assert.equal(found, value);
}

test('a scalar is replaced in its quotes and nothing else changes', () => {
  check(['spec', 'image'], 'nginx:2.0', `  image: &i 'nginx:2.0'   # {"$imagepolicy": "x"}`);
  check(['spec', 'list', 0], 'z', '  list: [z, "b", {c: d}]');
  check(['spec', 'list', 1], 'z"', '  list: [a, "z\\"", {c: d}]');
  check(['spec', 'list', 2, 'c'], 'z', '  list: [a, "b", {c: z}]');
  check(['spec', '😀', 'f'], 'z', '  "😀": {e: 😀, f: z}');
});

test('an absent value is filled in', () => {
  check(['spec', 'empty'], 'x', '  empty: x');
});

test('a plain scalar is quoted when its new value would not stay a string', () => {
  check(['spec', 'tag'], '2.0', '  tag: "2.0"');
  check(['spec', 'tag'], 'yes', '  tag: "yes"');
  check(['spec', 'list', 0], 'a, b', `  list: ['a, b', "b", {c: d}]`);
  check(['spec', 'image'], 'a\nb', '  image: &i "a\\nb"   # {"$imagepolicy": "x"}');
});

test('what is no scalar on one line is refused', () => {
  const refuse = (path: NodePath, message: string) =>
    assert.throws(() => replaceScalar(TEXT, path, 'x'), { code: 'YAML_VALUE', message });
  refuse(['spec', 'none'], 'cannot replace spec.none: it is not there');
  refuse(['spec', 'list'], 'cannot replace spec.list: it is a sequence, not a scalar');
  refuse(['spec', 'text'], 'cannot replace spec.text: it does not stand on one line');
});

test('line breaks of all kinds and further documents are counted', () => {
  assert.equal(replaceScalar('a: 1\r\nb: c\r\n', ['b'], 'd'), 'a: 1\r\nb: d\r\n');
  assert.equal(
    replaceScalar('\ufeffa: b\n---\na: c\n', ['a'], 'd', { document: 1 }),
    '\ufeffa: b\n---\na: d\n',
  );
  assert.equal(replaceScalar('\ufeffa: b\n', ['a'], 'd'), '\ufeffa: d\n');
});
