import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  anything,
  ExecError,
  type ExecuteOptions,
  fixed,
  GoFunc,
  type GoMethod,
  GoPointer,
  GoStruct,
  type GoType,
  type GoValue,
  int,
  pointerTo,
  renderText,
  STRING,
  TemplateLanguage,
  TemplateSet,
  text,
} from './index.ts';

const language = new TemplateLanguage();
const data = { a: 1, s: 'hi', n: null, l: [1, 'x', null], m: { b: 2, a: 1 } };

function check(
  cases: readonly (readonly [string, string])[],
  values: GoValue = data,
  options?: ExecuteOptions,
): void {
  for (const [template, expected] of cases) {
    assert.equal(outcome(template, values, options), expected, template);
  }
}

/** The output, or the error after `!`. */
function outcome(template: string, values: GoValue, options?: ExecuteOptions): string {
  try {
    return renderText(language, 't', template, values, options);
  } catch (error) {
    if (error instanceof Error) return `!${error.message}`;
    throw error;
  }
}

test('actions, trim markers, comments and literals', () => {
  check([
    ['a {{- .s -}} b', 'ahib'],
    ['{{/* no */}}{{"q\\t\\u00e9" | printf "%q"}}', '"q\\té"'],
    ["{{1}} {{1.0}} {{1e3}} {{0x10}} {{'a'}} {{1_000}} {{1+2i}}", '1 1 1000 16 97 1000 (1+2i)'],
    ['{{.s}}{{.missing}}{{.n}}', 'hi<no value><no value>'],
  ]);
});

test('control structures and the scope of variables', () => {
  check([
    ['{{if .n}}a{{else if .a}}b{{else}}c{{end}}', 'b'],
    ['{{with .n}}x{{else with .m}}{{.a}}{{end}}', '1'],
    ['{{range $i, $x := .l}}{{$i}}={{$x}};{{else}}none{{end}}', '0=1;1=x;2=<no value>;'],
    ['{{range $k, $v := .m}}{{$k}}{{$v}}{{end}}', 'a1b2'],
    ['{{range 3}}{{.}}{{end}}{{range .l}}{{break}}x{{end}}', '012'],
    ['{{range .l}}{{if eq (print .) "x"}}{{continue}}{{end}}{{.}}{{end}}', '1<no value>'],
    ['{{$x := 1}}{{if true}}{{$x = 5}}{{$x := 7}}{{end}}{{$x}}', '5'],
    ['{{if .a}}{{$y := 1}}{{else}}{{$y}}{{end}}', ''],
    [
      '{{if .n}}{{$y := 1}}{{else}}{{$y}}{{end}}',
      '!template: t:1:30: executing "t" at <$y>: undefined variable: $y',
    ],
  ]);
});

test('templates call each other and see no variables of their caller', () => {
  check([
    ['{{define "T"}}<{{.}}>{{end}}{{template "T" .s}}{{template "T"}}', '<hi><<no value>>'],
    ['{{block "B" .m}}{{.a}}{{end}}', '1'],
    [
      '{{define "B"}}over{{end}}{{block "B" .m}}{{.a}}{{end}}',
      '!template: t:1: template: multiple definition of template "B"',
    ],
    [
      '{{template "no"}}',
      '!template: t:1:11: executing "t" at <{{template "no"}}>: template "no" not defined',
    ],
  ]);
});

test('nil, missing keys and wrong types are told as Go tells them', () => {
  check([
    [
      '{{.n.x}}',
      '!template: t:1:4: executing "t" at <.n.x>: nil pointer evaluating interface {}.x',
    ],
    ['{{(.n).x}}{{.q.x}}', '<no value><no value>'],
    [
      '{{.s.x}}',
      `!template: t:1:4: executing "t" at <.s.x>: can't evaluate field x in type interface {}`,
    ],
    [
      '\n {{with .s}}{{.x}}{{end}}',
      `!template: t:2:14: executing "t" at <.x>: can't evaluate field x in type string`,
    ],
    [
      '{{eq .a 1}}',
      '!template: t:1:2: executing "t" at <eq .a 1>: error calling eq: incompatible types for comparison: float64 and int',
    ],
    [
      '{{index .l 9}}',
      '!template: t:1:2: executing "t" at <index .l 9>: error calling index: index out of range: 9',
    ],
    ['{{len 3}}', '!template: t:1:2: executing "t" at <len 3>: error calling len: len of type int'],
    ['{{printf 1}}', '!template: t:1:9: executing "t" at <1>: expected string; found 1'],
    ['{{range .a}}{{end}}', `!template: t:1:8: executing "t" at <.a>: range can't iterate over 1`],
  ]);
  const zero = { missingKey: 'zero' } as const;
  check(
    [
      [
        '{{.q.x}}',
        '!template: t:1:4: executing "t" at <.q.x>: nil pointer evaluating interface {}.x',
      ],
    ],
    data,
    zero,
  );
  const strict = { missingKey: 'error' } as const;
  check(
    [['{{.q}}', '!template: t:1:2: executing "t" at <.q>: map has no entry for key "q"']],
    data,
    strict,
  );
});

test('a text that does not parse is told with its line', () => {
  check([
    ['\n{{if .a}}', '!template: t:2: unexpected EOF'],
    ['{{foo}}', '!template: t:1: function "foo" not defined'],
    ['{{.a', '!template: t:1: unclosed action'],
    ['{{(1}}', '!template: t:1: unclosed left paren'],
    ['{{$x}}', '!template: t:1: undefined variable "$x"'],
    ['{{break}}', '!template: t:1: {{break}} outside {{range}}'],
    ['{{1 | 2}}', '!template: t:1: non executable command in pipeline stage 2'],
  ]);
});

test('keys that plain objects inherit are no entries', () => {
  check(
    [
      [
        '{{.constructor}} {{.toString}} {{.__proto__}} {{index . "valueOf"}}',
        '<no value> <no value> <no value> <no value>',
      ],
    ],
    {},
  );
  check([['{{.__proto__}}', 'own']], JSON.parse('{"__proto__":"own"}'));
});

test('a host value has fields and methods', () => {
  const hasMethods = new Map<string, GoMethod>([
    [
      'Greet',
      (self) =>
        new GoFunc({ params: [STRING] }, (_context, [word]) => `${String(word)} ${nameOf(self)}`),
    ],
  ]);
  const type: GoType = {
    kind: 'struct',
    text: 'host.User',
    named: true,
    fields: [{ name: 'Name', type: STRING }],
    methods: hasMethods,
  };
  const user = new GoPointer(new GoStruct(type, { Name: 'Ann' }), pointerTo(type));
  check(
    [
      ['{{.Name}} {{.Greet "hello"}} {{"hi" | .Greet}}', 'Ann hello Ann hi Ann'],
      [
        '{{.Greet}}',
        '!template: t:1:2: executing "t" at <.Greet>: wrong number of args for Greet: want 1 got 0',
      ],
      ['{{.Greet 1}}', '!template: t:1:9: executing "t" at <1>: expected string; found 1'],
      [
        '{{.Nope}}',
        `!template: t:1:2: executing "t" at <.Nope>: can't evaluate field Nope in type *host.User`,
      ],
      ['{{printf "%v %+v %T" . . .}}', '&{Ann} &{Name:Ann} *host.User'],
    ],
    user,
  );
});

function nameOf(value: GoValue): string {
  const target = value instanceof GoPointer ? value.elem : value;
  return target instanceof GoStruct ? String(target.values['Name']) : '';
}

test('a function may render other templates of the set, and texts that only it sees', () => {
  const include = fixed([text, anything], (name, dot, context) => context.render(name, dot));
  const tpl = fixed([text, anything], (source, dot, context) =>
    context.renderText('t', source, dot),
  );
  const set = new TemplateSet(
    new TemplateLanguage([
      ['include', include],
      ['tpl', tpl],
    ]),
  );
  set.parse('helpers', '{{define "h"}}[{{.s}}]{{end}}{{define "bad"}}{{.s.x}}{{end}}');
  set.parse(
    'main',
    '{{include "h" .}}{{tpl "{{define \\"x\\"}}X{{end}}{{template \\"x\\"}}{{include \\"h\\" .}}" .}}',
  );
  assert.equal(set.execute('main', data), '[hi]X[hi]');
  assert.equal(set.has('x'), false);
  set.parse('main', '{{include "bad" .}}');
  assert.throws(() => set.execute('main', data), {
    message: `template: main:1:2: executing "main" at <include "bad" .>: error calling include: template: helpers:1:49: executing "bad" at <.s.x>: can't evaluate field x in type interface {}`,
  });
});

test('a later definition replaces an earlier one, an empty one does not', () => {
  const set = new TemplateSet(language);
  set.parse('one', '{{define "x"}}1{{end}}');
  set.parse('two', '{{define "x"}}2{{end}}');
  set.parse('three', '{{define "x"}} {{/* nothing */}} {{end}}');
  set.parse('main', '{{template "x"}}');
  assert.equal(set.execute('main', null), '2');
});

test('delimiters may be others', () => {
  const other = new TemplateLanguage([], { left: '<<', right: '>>' });
  assert.equal(renderText(other, 't', 'a <<- .s ->> b {{x}}', data), 'ahib {{x}}');
});

test('a template is compiled once for its name and content', () => {
  const first = language.compile('same', '{{.}}');
  assert.equal(language.compile('same', '{{.}}'), first);
  assert.notEqual(language.compile('same', '{{. }}'), first);
});

test('bytes that are not UTF-8 survive', () => {
  const out = renderText(language, 't', '{{slice .s 0 1}}{{slice .s 1}}', { s: 'é' });
  assert.equal(out, 'é');
  assert.equal(outcome('{{printf "%q" (slice .s 0 1)}}', { s: 'é' }), '"\\xc3"');
});

test('an error knows the template it happened in', () => {
  const set = new TemplateSet(language);
  set.parse('main', '{{define "inner"}}{{.s.x}}{{end}}{{template "inner" .}}');
  assert.throws(
    () => set.execute('main', data),
    (error) => error instanceof ExecError && error.templateName === 'inner',
  );
  assert.equal(renderText(language, 't', '{{len .}}', [int(1)]), '1');
});
