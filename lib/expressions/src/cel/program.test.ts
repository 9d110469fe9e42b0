import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENCODERS, LISTS, OPTIONALS, SETS } from './collections.ts';
import { jsonToCel, type PlainValue, toPlain } from './json-values.ts';
import { createCelEnvironment } from './program.ts';
import { STRINGS, STRINGS_REVERSE } from './strings.ts';
import { type CelType, DYN, listOf, named } from './types.ts';

const environment = createCelEnvironment([
  OPTIONALS,
  STRINGS,
  STRINGS_REVERSE,
  LISTS,
  SETS,
  ENCODERS,
]);
const VARIABLES: ReadonlyMap<string, CelType> = new Map([
  ['names', listOf(named('string'))],
  ['count', named('int')],
  ['any', DYN],
]);
const GIVEN: { readonly [name: string]: PlainValue } = {
  names: ['a', 'b', 'c'],
  count: 3,
  any: { list: [1, 2], text: 'x' },
};

function compile(source: string) {
  return environment.compile(source, { variables: VARIABLES });
}

function run(source: string): unknown {
  const program = compile(source);
  if ('issues' in program) return program.text;
  const { outcome } = program.evaluate({
    variable: (name) => (GIVEN[name] === undefined ? undefined : jsonToCel(GIVEN[name])),
  });
  return 'value' in outcome ? numbers(toPlain(outcome.value)) : outcome.error;
}

/** Integers as the tables have them. */
function numbers(value: PlainValue): PlainValue {
  if (typeof value === 'bigint') return Number(value);
  return Array.isArray(value) ? value.map(numbers) : value;
}

test('values', () => {
  const table: readonly (readonly [string, unknown])[] = [
    ['1 + 2 * 3 - -4', 11],
    ['7 / 2 == 3 && -7 % 3 == -1', true],
    ['false || 1 / 0 == 1 || true', true],
    ['1 / 0 == 1 || false', 'division by zero'],
    ['9223372036854775807 + 1', 'integer overflow'],
    ['"\\u00e4\\x41" + r"\\n"', 'äA\\n'],
    ['size("😀") == 1 && "😀b".charAt(1) == "b"', true],
    ['[1, 2, 3].map(i, i > 1, i * 2)', [4, 6]],
    ['{"a": 1, "b": 2}.exists_one(k, k == "a")', true],
    ['names.all(n, n < "d") && !names.exists(n, n == "x")', true],
    ['[[1], [2, 3]].flatten()', [1, 2, 3]],
    ['names.slice(1, 3).reverse()', ['c', 'b']],
    ['any.?nothing.orValue(5)', 5],
    ['[?any.?text, ?any.?nothing]', ['x']],
    ['any.list[0] == 1.0 && any.list[1] == 2u', true],
    ['"%s has %d of %.2f, %x".format(["a", 2, 1.5, 255])', 'a has 2 of 1.50, ff'],
    ['duration("90m").getHours() == 1 && duration("1h") + duration("1m") == duration("61m")', true],
    ['timestamp("2026-11-29T23:30:00Z").getDayOfYear("+01:00")', 333],
    ['type(1) == int && type([]) == list', true],
    ['string(b"abc") + base64.encode(b"hi")', 'abcaGk='],
  ];
  for (const [source, expected] of table) assert.deepEqual(run(source), expected, source);
});

test('what does not compile is told as cel-go tells it', () => {
  const table: readonly (readonly [string, string])[] = [
    [
      'count == "a"',
      "ERROR: <input>:1:7: found no matching overload for '_==_' applied to '(int, string)'\n | count == \"a\"\n | ......^",
    ],
    ['names.exists(n, n + 1)', "found no matching overload for '_+_' applied to '(string, int)'"],
    ['nobody == 1', "ERROR: <input>:1:1: undeclared reference to 'nobody' (in container '')"],
    ['1 +', "Syntax error: mismatched input '<EOF>' expecting"],
    [
      'names.matches("(")',
      "found no matching overload for 'matches' applied to 'list(string).(string)'",
    ],
    ['"a".matches("(")', 'invalid matches argument'],
    ['count && true', "ERROR: <input>:1:1: expected type 'bool' but found 'int'"],
    ['"%d".format(["a"])', 'decimal clause can only be used on integers, was given string'],
    ['"%s %s".format([1])', 'index 1 out of range'],
    ['é', "token recognition error at: 'é'\n | é\n | ＾"],
  ];
  for (const [source, expected] of table) {
    const found = compile(source);
    assert.ok('issues' in found, source);
    assert.ok(found.text.includes(expected), found.text);
  }
});

test('costs: estimated from sizes, counted in a run, and limited', () => {
  const program = compile('names.all(n, n == "abc")');
  assert.ok('estimate' in program);
  const short = program.estimate(() => ({ min: 0, max: 10 }));
  const long = program.estimate(() => ({ min: 0, max: 1000 }));
  assert.ok(short.min === long.min && short.max * 50 < long.max, `${short.max} ${long.max}`);
  const variable = () => jsonToCel(['abc', 'abc']);
  const { cost } = program.evaluate({ variable });
  assert.ok(cost > 0 && cost <= short.max, String(cost));
  assert.equal(program.evaluate({ variable, costMax: cost - 1 }).isCostExceeded, true);
  assert.notEqual(program.evaluate({ variable, costMax: cost }).isCostExceeded, true);
});
