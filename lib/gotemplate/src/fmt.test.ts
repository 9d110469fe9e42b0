import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  GoInt,
  GoNil,
  type GoValue,
  int,
  LIST,
  sprint,
  sprintf,
  sprintln,
  strings,
  UINT8,
} from './index.ts';

function check(cases: readonly (readonly [string, readonly GoValue[], string])[]): void {
  for (const [format, args, expected] of cases) {
    assert.equal(sprintf(format, args), expected, `${format} of ${JSON.stringify(args.length)}`);
  }
}

test('integers print in every base, with sign, width, precision and zeros', () => {
  check([
    ['%d|%5d|%-5d|%05d', [int(42), int(42), int(42), int(-42)], '42|   42|42   |-0042'],
    ['%+d|% d|%.4d|%8.4d', [int(5), int(5), int(5), int(5)], '+5| 5|0005|    0005'],
    [
      '%x|%X|%#x|%o|%#o|%O|%b|%#b',
      [255, 255, 255, 8, 8, 8, 5, 5].map(int),
      'ff|FF|0xff|10|010|0o10|101|0b101',
    ],
    ['%c|%q|%U|%#U', [65, 65, 65, 65].map(int), "A|'A'|U+0041|U+0041 'A'"],
    [
      '%#v|%v|%T',
      [new GoInt(UINT8, 200), new GoInt(UINT8, 200), new GoInt(UINT8, 200)],
      '0xc8|200|uint8',
    ],
    ['%.0d|%5.0d|', [int(0), int(0)], '|     |'],
  ]);
});

test('floats print as Go rounds them: half to even on the exact value', () => {
  check([
    ['%v %v %v %v', [1e6, 123456, 1e21, 0.00001], '1e+06 123456 1e+21 1e-05'],
    ['%.0f %.0f %.2f %.1f', [0.5, 2.5, 1.005, 0.25], '0 2 1.00 0.2'],
    [
      '%e %E %g %G %8.3f|%-8.2f|%+.1e',
      [1234.5678, 1234.5678, 1e-7, 1e21, 3.1425, 2.5, 12345.678],
      '1.234568e+03 1.234568E+03 1e-07 1E+21    3.143|2.50    |+1.2e+04',
    ],
    ['%x %b %#g %.3v', [1.5, 1, 1, 0], '0x1.8p+00 4503599627370496p-52 1.00000 0'],
    [
      '%f %5v| %06v',
      [Number.POSITIVE_INFINITY, Number.NaN, Number.NEGATIVE_INFINITY],
      '+Inf   NaN|   -Inf',
    ],
    ['%v', [-0], '-0'],
  ]);
});

test('strings are bytes: width counts runes, %x shows bytes, precision cuts runes', () => {
  check([
    [
      '%5s|%-5s|%.2s|%q|%+q|%#q',
      ['é', 'é', 'héllo', 'a"b\n', 'é', 'a'],
      '    é|é    |hé|"a\\"b\\n"|"\\u00e9"|`a`',
    ],
    ['%x|% x|%#x|%X', ['hi', 'hi', 'hi', 'é'], '6869|68 69|0x6869|C3A9'],
  ]);
});

test('composite values print in Go syntax, maps by key', () => {
  const map = { b: 2, a: [1, null, 'x'] };
  check([
    ['%v', [map], 'map[a:[1 <nil> x] b:2]'],
    ['%#v', [map], 'map[string]interface {}{"a":[]interface {}{1, interface {}(nil), "x"}, "b":2}'],
    [
      '%d',
      [map],
      'map[%!d(string=a):[%!d(float64=1) <nil> %!d(string=x)] %!d(string=b):%!d(float64=2)]',
    ],
    ['%v %#v', [strings(['p']), strings(['p'])], '[p] []string{"p"}'],
    ['%v %#v', [new GoNil(LIST), new GoNil(LIST)], '[] []interface {}(nil)'],
    ['%s %v', [Uint8Array.of(104, 105), Uint8Array.of(1)], 'hi [1]'],
  ]);
});

test('what is wrong with a format shows in the output', () => {
  check([
    ['%d', ['hi'], '%!d(string=hi)'],
    ['%d %d', [int(1)], '1 %!d(MISSING)'],
    ['%d', [int(1), 'x'], '1%!(EXTRA string=x)'],
    ['%', [], '%!(NOVERB)'],
    ['%z', [int(1)], '%!z(int=1)'],
    ['%[3]d', [int(1)], '%!d(BADINDEX)'],
    ['%*d', ['x', int(3)], '%!(BADWIDTH)3'],
    ['%.*d', ['x', int(3)], '%!(BADPREC)3'],
    ['%s', [null], '%!s(<nil>)'],
    ['%[2]d %[1]d', [int(1), int(2)], '2 1'],
    ['%[2]*[1]d', [int(2), int(5)], '    2'],
    ['%%|%t', [int(1)], '%|%!t(int=1)'],
  ]);
});

test('print puts spaces between operands that are no strings, println always', () => {
  assert.equal(sprint([int(1), int(2), 'x', int(3), null]), '1 2x3 <nil>');
  assert.equal(sprintln(['a', 'b', int(1)]), 'a b 1\n');
});
