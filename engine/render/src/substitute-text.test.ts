// biome-ignore-all lint/suspicious/noTemplateCurlyInString: such texts are the language that is read here
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SubstitutionError, substituteText } from './substitute-text.ts';

const VARIABLES = {
  name: 'web',
  mixed: 'abcDEF',
  upper: 'ABC',
  path: '/home/ann/notes.for.today',
  file: 'bash.string.txt',
  repeated: 'abcABC123ABCabc',
  slashes: 'foo/bar/baz',
  accents: 'éa',
  empty: '',
  image: 'host:5000/a/b:v1',
};

function run(text: string, strict = false): string {
  try {
    return substituteText(text, { variables: VARIABLES, strict });
  } catch (error) {
    if (error instanceof SubstitutionError) return `! ${error.message} @${error.offset}`;
    throw error;
  }
}

test('each form gives what the original gives', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['plain $name $(name) text', 'plain $name $(name) text'],
    ['a ${name} b${name}', 'a web bweb'],
    ['${none}', ''],
    ['$${name}', '${name}'],
    ['$$$${name} costs $$5', '$${name} costs $5'],
    ['$$${name}', '$web'],
    ['some ${name}$${var$${name}$name${name}', 'some web${var${name}$nameweb'],
    ['$${var=${name}}', '${var=web}'],
    ['${#mixed} ${#accents}', '6 3'],
    ['${mixed^} ${mixed^^} ${upper,} ${upper,,}', 'AbcDEF ABCDEF aBC abc'],
    ['${path:6} ${path:6:3} ${path:-5:5}', 'ann/notes.for.today ann /home/ann/notes.for.today'],
    ['${path:0:-6} ${path:99} ${path:x}', '/home/ann/notes.for  /home/ann/notes.for.today'],
    ['${none:=x y} ${none:-z} ${none=w} ${name:=x} ${empty:=e}', 'x y z w web e'],
    ['${none:=pre${name}-${mixed^^}}', 'preweb-ABCDEF'],
    ['${none:=}', ''],
    ['${none:=a$$b}', 'a$$b'],
    ['${repeated/abc/xyz} ${repeated//abc/xyz}', 'xyzABC123ABCabc xyzABC123ABCxyz'],
    [
      '${repeated/#abc/X} ${repeated/%abc/X} ${repeated/abc/}',
      'XABC123ABCabc abcABC123ABCX ABC123ABCabc',
    ],
    ['${slashes/\\//-} ${slashes//\\//-}', 'foo-bar/baz foo-bar-baz'],
    ['${name/web/$&}', '$&'],
    ['${file#*.} ${file##*.} ${file%.*} ${file%%.*}', 'string.txt txt bash.string bash'],
    ['${slashes#*/} ${slashes##*/}', 'bar/baz baz'],
    ['${name##[!w]} ${name##[^!]}', 'eb eb'],
    ['${image%:*}', 'host:5000/a/b'],
    ['\\\\x ${name}', '\\\\x web'],
    ['', ''],
  ];
  for (const [text, expected] of cases) assert.equal(run(text), expected, text);
});

test('what the language cannot read is an error with its place', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['a ${', '! unable to parse variable name @2'],
    ['${}', '! unable to parse variable name @0'],
    ['${ name }', '! unable to parse variable name @0'],
    ['ab ${name', '! missing closing brace @3'],
    ['${name-x}', '! missing closing brace @0'],
    ['${name.x}', '! missing closing brace @0'],
    ['${name:}', '! unable to parse substitution within function @0'],
    ['${name:', '! bad substitution @0'],
    ['${name:=x', '! unable to parse substitution within function @0'],
    ['${name#}', '! unable to parse substitution within function @0'],
    ['${name/a}', '! bad substitution @0'],
    ['${#}', '! bad substitution @0'],
    ['${name:é}', '! bad substitution @0'],
  ];
  for (const [text, expected] of cases) assert.equal(run(text), expected, text);
  assert.equal(run('${a:='.repeat(500)), '! too many levels @500');
});

test('in strict mode a variable without value and default is an error, whatever is done to it', () => {
  for (const text of [
    '${none}',
    '${#none}',
    '${none^^}',
    '${none:0:2}',
    '${none/a/b}',
    '${none%x}',
  ]) {
    assert.equal(run(text, true), '! variable not set (strict mode): "none" @0', text);
  }
  for (const text of ['${none:-d}', '${none:=d}', '${none=d}']) assert.equal(run(text, true), 'd');
  assert.equal(run('${empty}', true), '');
  assert.equal(run('${constructor}', true), '! variable not set (strict mode): "constructor" @0');
});
