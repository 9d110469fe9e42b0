import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonProblem } from './json-problem.ts';

// The texts on the right were printed by Go's encoding/json.
const cases: readonly (readonly [string, string | undefined])[] = [
  ['{"a": [1, -0.5e+3, true, null, "\\u00e9"]} ', undefined],
  ['', 'unexpected end of JSON input'],
  ['[1 2]', "invalid character '2' after array element"],
  ['[1,]', "invalid character ']' looking for beginning of value"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a": 1 "b"}', "invalid character '\"' after object key:value pair"],
  ['{a: 1}', "invalid character 'a' looking for beginning of object key string"],
  ['{"a": 1,}', "invalid character '}' looking for beginning of object key string"],
  ['nul', "invalid character ' ' in literal null (expecting 'l')"],
  ['"\\', "invalid character ' ' in string escape code"],
  ['"a', 'unexpected end of JSON input'],
  ['nulx', "invalid character 'x' in literal null (expecting 'l')"],
  ['01', "invalid character '1' after top-level value"],
  ['1.x', "invalid character 'x' after decimal point in numeric literal"],
  ['1ex', "invalid character 'x' in exponent of numeric literal"],
  ['-x', "invalid character 'x' in numeric literal"],
  ['"\\x"', "invalid character 'x' in string escape code"],
  ['"\\u00g0"', "invalid character 'g' in \\u hexadecimal character escape"],
  ['"a\nb"', "invalid character '\\n' in string literal"],
  ['{} é', "invalid character 'Ã' after top-level value"],
  ["'a'", "invalid character '\\'' looking for beginning of value"],
];

for (const [text, want] of cases) {
  test(`${text} is ${want ?? 'JSON'}`, () => {
    assert.equal(jsonProblem(text), want);
  });
}
