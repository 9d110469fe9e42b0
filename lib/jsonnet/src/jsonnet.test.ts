import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { memoryTree } from '@capstan/lib-files';
import { evaluateJsonnet, type JsonnetOptions } from './index.ts';

function run(
  source: string,
  options: JsonnetOptions = {},
  files: { readonly [path: string]: string } = {},
): unknown {
  return evaluateJsonnet(
    memoryTree({ 'a/main.jsonnet': source, ...files }),
    'a/main.jsonnet',
    options,
  );
}

const ROWS: readonly (readonly [source: string, value: unknown])[] = [
  ['1 + 2 * 3 - 4 / 2', 5],
  ['[1, 2][1]', 2],
  ['"a" + 1 + null', 'a1null'],
  ['{ a: 1, b:: 2, c::: 3 }', { a: 1, c: 3 }],
  ['({ a:: 1 } + { a: 2 })', {}],
  ['({ a:: 1 } + { a::: 2 })', { a: 2 }],
  [
    '{ a: 1, b: self.a + 1, c: $.b, d: { e: $.a, f: self.e } }',
    { a: 1, b: 2, c: 2, d: { e: 1, f: 1 } },
  ],
  ['{ a: 1, b: self.a } + { a: 5 }', { a: 5, b: 5 }],
  ['{ a: { x: 1 } } + { a+: { y: 2 } }', { a: { x: 1, y: 2 } }],
  ['{ a: 1 } + { a: super.a + 1, b: "a" in super, c: "z" in super }', { a: 2, b: true, c: false }],
  ['{ a: 1 } { b: 2 }', { a: 1, b: 2 }],
  ['local f(x, y=x * 2) = x + y; [f(1), f(1, 1), f(y=0, x=3)]', [3, 2, 3]],
  ['local a = 1, b = a + 1; b', 2],
  ['{ local x = self.a, a: 1, b: x }', { a: 1, b: 1 }],
  ['[x * y for x in [1, 2, 3] if x > 1 for y in [10, 20]]', [20, 40, 30, 60]],
  ['{ [k + "1"]: k for k in ["a", "b"] }', { a1: 'a', b1: 'b' }],
  ['{ [if false then "a"]: 1, ["b"]: 2 }', { b: 2 }],
  ['{ f(x): x }.f(3)', 3],
  ['if false then 1', null],
  ['[1, 2, 3, 4][1:3]', [2, 3]],
  ['[1, 2, 3, 4][::2]', [1, 3]],
  ['"héllo"[1:3]', 'él'],
  ['[1, 2, 3][-2:]', [2, 3]],
  ['local x = error "never"; 1', 1],
  ['[error "lazy", 2][1]', 2],
  ['|||\n  a\n   b\n\n  c\n|||', 'a\n b\n\nc\n'],
  ['|||-\n  a\n|||', 'a'],
  ['@"a\\n""b"', 'a\\n"b'],
  ["'\\u0041\\t'", 'A\t'],
  ['1_000 + 0x', undefined],
  ['5 % 3', 2],
  ['"%s is %05.1f%% of %d" % ["a", 3.14159, 7]', 'a is 003.1% of 7'],
  ['"%(a)s-%(b)03d|%-4s|%+d|%x" % { a: 1, b: 2 }', undefined],
  ['"%(a)s-%(b)03d" % { a: "x", b: 2 }', 'x-002'],
  ['"%-4s|%+d|%#x|%e|%g" % ["a", 3, 255, 12345.678, 0.0001]', 'a   |+3|0xff|1.234568e+04|0.0001'],
  ['1 << 4 | 1', 17],
  ['~5', -6],
  ['!true || 1 == 1 && "a" < "b"', true],
  ['{ a: 1 } == { a: 1, b:: 2 }', true],
  ['std.length({ a: 1, b:: 2 })', 1],
  ['std.map(function(x) x + 1, [1, 2])', [2, 3]],
  ['std.foldl(function(a, b) a + b, [1, 2, 3], 0)', 6],
  ['std.sort([3, 1, 2])', [1, 2, 3]],
  ['std.set([2, 1, 2])', [1, 2]],
  ['std.setDiff([1, 2, 3], [2])', [1, 3]],
  ['std.uniq([1, 1, 2])', [1, 2]],
  ['std.join(", ", ["a", null, "b"])', 'a, b'],
  ['std.split("a-b-c", "-")', ['a', 'b', 'c']],
  ['std.splitLimit("a-b-c", "-", 1)', ['a', 'b-c']],
  ['std.strReplace("aXbX", "X", "-")', 'a-b-'],
  ['std.objectFields({ b: 1, a: 2, c:: 3 })', ['a', 'b']],
  ['std.objectFieldsAll({ b: 1, a: 2, c:: 3 })', ['a', 'b', 'c']],
  ['std.objectHas({ a:: 1 }, "a")', false],
  ['std.get({ a: 1 }, "b", "d")', 'd'],
  ['std.mergePatch({ a: 1, b: { c: 2, d: 3 } }, { a: null, b: { c: 4 } })', { b: { c: 4, d: 3 } }],
  ['std.prune({ a: null, b: [], c: { d: null }, e: 1 })', { e: 1 }],
  ['std.base64("hé")', 'aMOp'],
  ['std.base64Decode("aGk=")', 'hi'],
  ['std.md5("a")', '0cc175b9c0f1b6a831c399e269772661'],
  ['std.parseJson("{\\"a\\": [1, 2.5]}")', { a: [1, 2.5] }],
  ['std.parseYaml("a: [1]\\nb: x")', { a: [1], b: 'x' }],
  [
    'std.manifestJsonEx({ a: [1, {}], b: "x" }, "  ")',
    '{\n  "a": [\n    1,\n    {\n\n    }\n  ],\n  "b": "x"\n}',
  ],
  ['std.manifestJsonMinified({ a: [1, {}] })', '{"a":[1,{}]}'],
  [
    'std.manifestYamlDoc({ a: [1, { b: "x\\ny\\n" }], c: {} })',
    '"a":\n- 1\n- "b": |\n    x\n    y\n"c": {}',
  ],
  ['std.toString({ a: [1, 2], b: {} })', '{"a": [1, 2], "b": { }}'],
  ['std.range(1, 3) + std.makeArray(2, function(i) i)', [1, 2, 3, 0, 1]],
  ['std.mapWithKey(function(k, v) k + v, { a: 1 })', { a: 'a1' }],
  ['std.flattenArrays([[1], [2, 3]])', [1, 2, 3]],
  ['std.asciiUpper("aé")', 'Aé'],
  ['std.trim("  a ")', 'a'],
  ['std.type(std.length)', 'function'],
  ['[std.codepoint("a"), std.char(97)]', [97, 'a']],
  ['{ assert self.a > 0 : "too small", a: 1 }', { a: 1 }],
  ['std.assertEqual({ a: 1 }, { a: 1 })', true],
  ['local o = { a: 1 }; o { a+: 1 }', { a: 2 }],
  ['local a = { x: self.y, y: 1 }; (a + { y: 2 }).x', 2],
  [
    'local tail(n, acc) = if n == 0 then acc else tail(n - 1, acc + n) tailstrict; tail(50, 0)',
    1275,
  ],
];

describe('programs', () => {
  for (const [source, value] of ROWS) {
    if (value === undefined) continue;
    test(source.slice(0, 90).replaceAll('\n', '⏎'), () => assert.deepEqual(run(source), value));
  }
});

describe('what is wrong is told with its place', () => {
  const rows: readonly (readonly [source: string, message: RegExp])[] = [
    ['{ a: 1, a: 2 }', /duplicate field: a/],
    ['1 +', /a\/main\.jsonnet:1:4: unexpected end of file/],
    ['x', /1:1: Unknown variable: x/],
    ['{ a: 1 }.b', /Field does not exist: b/],
    ['[1][2]', /out of bounds/],
    ['error "a" + 1', /1:1: a1$/],
    ['assert false : "no"; 1', /no$/],
    ['{ assert false : "never", a: 1 }.a', /never/],
    ['(function(x) x)()', /Missing argument: x/],
    ['function(x) x', /Missing argument: x/],
    ['1 / 0', /Division by zero/],
    ['"%d" % ["a"]', /Format required number/],
    ['import "none.libsonnet"', /couldn't open import "none\.libsonnet"/],
    ['import "../../../etc/passwd"', /couldn't open import/],
    ['std.extVar("x")', /Undefined external variable: x/],
  ];
  for (const [source, message] of rows) {
    test(source, () => assert.throws(() => run(source), { message }));
  }
});

describe('every program ends', () => {
  const rows: readonly string[] = [
    'local f(x) = f(x + 1); f(0)',
    'local x = x; x',
    '{ a: self.b, b: self.a }.a',
    'std.makeArray(1e9, function(x) x)',
    'local f(n) = if n == 0 then 1 else f(n - 1) + f(n - 1); f(60)',
    'local r(s, n) = if n == 0 then s else r(s + s, n - 1) tailstrict; std.length(r("aaaaaaaaaa", 60))',
    `${'['.repeat(2000)}${']'.repeat(2000)}`,
  ];
  for (const source of rows) {
    test(source.slice(0, 70), () => {
      assert.throws(() => run(source, { stepsMax: 500_000 }));
    });
  }
});

describe('what comes from outside', () => {
  test('external variables, texts and programs', () => {
    const externals = [
      { name: 'env', value: 'prod' },
      { name: 'size', value: '{ n: 1 + 1 }', isCode: true },
    ];
    const source = '{ env: std.extVar("env"), n: std.extVar("size").n }';
    assert.deepEqual(run(source, { externals }), { env: 'prod', n: 2 });
  });

  test('top-level arguments', () => {
    const topLevel = [
      { name: 'a', value: 'x' },
      { name: 'b', value: '[1]', isCode: true },
    ];
    assert.deepEqual(run('function(a, b, c="d") [a, b, c]', { topLevel }), ['x', [1], 'd']);
  });

  test('imports beside the file, then from libraries, the last one first', () => {
    const files = {
      'a/near.libsonnet': '{ a: importstr "text.txt", f: std.thisFile }',
      'a/text.txt': 'T',
      'lib1/x.libsonnet': '1',
      'lib2/x.libsonnet': '2',
      'lib2/data.json': '{"d": [true]}',
    };
    const source =
      '[import "near.libsonnet", import "x.libsonnet", import "data.json", importbin "text.txt"]';
    assert.deepEqual(run(source, { libraries: ['lib1', 'lib2'] }, files), [
      { a: 'T', f: 'a/near.libsonnet' },
      2,
      { d: [true] },
      [84],
    ]);
  });
});
