import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  anything,
  type ExecuteOptions,
  fixed,
  GoError,
  LimitError,
  renderText,
  sprigFunctions,
  TemplateLanguage,
  text,
} from './index.ts';

const tpl = fixed([text, anything], (source, dot, context) =>
  context.renderText('inner', source, dot),
);
const language = new TemplateLanguage([...sprigFunctions(), ['tpl', tpl]]);

function limited(template: string, problem: RegExp, options: ExecuteOptions = {}): void {
  const started = performance.now();
  assert.throws(
    () => renderText(language, 't', template, { t: '{{ tpl .t . }}' }, options),
    (error) => error instanceof LimitError && problem.test(error.message),
    template,
  );
  assert.ok(performance.now() - started < 10_000, 'a bound holds soon');
}

test('templates that call themselves without end are stopped', () => {
  limited(
    '{{define "r"}}{{template "r" .}}{{end}}{{template "r" .}}',
    /exceeded maximum template depth/,
  );
  limited('{{ tpl .t . }}', /exceeded maximum template depth/);
  limited('{{ tpl .t . }}', /exceeded maximum template depth \(50\)/, { limits: { depthMax: 50 } });
});

test('nested ranges are stopped by the bound on steps', () => {
  const nested =
    '{{range until 1000}}{{range until 1000}}{{range until 1000}}{{end}}{{end}}{{end}}';
  limited(nested, /more than 100000 steps/, { limits: { stepsMax: 100_000 } });
  limited('{{range 9000000000000000000}}{{end}}', /steps/, { limits: { stepsMax: 10_000 } });
});

test('time is a bound by the injected clock', () => {
  let now = 0;
  limited('{{range 1000000000}}{{end}}', /longer than 500 ms/, {
    now: () => (now += 100),
    limits: { timeMaxMs: 500 },
  });
});

test('output is a bound, also of what is built on the way', () => {
  limited('{{range until 1000}}{{repeat 1000 "x"}}{{end}}', /output is longer than 10000 bytes/, {
    limits: { outputMax: 10_000 },
  });
  limited('{{ repeat 1000000000 "x" }}', /repeat: result is longer/);
  limited('{{ repeat 100000 (repeat 100000 "x") }}', /repeat: result is longer/);
  limited('{{ indent 1000000 (repeat 1000 "\\n") }}', /indent: result is longer/);
  limited('{{ replace "x" (repeat 100000 "y") (repeat 100000 "x") }}', /replace: result is longer/);
  limited('{{ until 1000000000 | len }}', /more than 1000000 items/);
  limited('{{ untilStep 0 1000000000 1 | len }}', /more than 1000000 items/);
  limited('{{ seq 1000000000 }}', /more than 1000000 items/);
  limited('{{ randAlpha 1000000000 }}', /longer/);
  limited(`{{ printf (repeat 80 "%1000000d") ${'1 '.repeat(80)} }}`, /print: result is longer/);
});

test('values that share their parts do not unfold without end', () => {
  const doubling = '{{$l := list 1}}{{range until 40}}{{$l = list $l $l}}{{end}}';
  limited(`${doubling}{{$l}}`, /longer|parts/);
  limited(`${doubling}{{toJson $l}}`, /parts/);
  limited(`${doubling}{{deepCopy $l | len}}`, /parts/);
  const other = doubling.replaceAll('$l', '$m');
  limited(`${doubling}${other}{{deepEqual $l $m}}`, /parts/);
});

test('a value that holds itself is an error, not a crash', () => {
  const cyclic = '{{$d := dict}}{{$_ := set $d "self" $d}}';
  for (const use of ['{{$d}}', '{{mustToJson $d}}', '{{deepCopy $d}}']) {
    assert.throws(() => renderText(language, 't', cyclic + use, null), GoError, use);
  }
});

test('patterns and white space cost no more than their length', () => {
  const started = performance.now();
  const hostile = { s: `${'a'.repeat(20_000)}!`, spaces: `a${' '.repeat(200_000)}b` };
  assert.equal(renderText(language, 't', '{{regexMatch "^(a+)+$" .s}}', hostile), 'false');
  renderText(language, 't', '{{trim .spaces | len}}{{clean .spaces | len}}', hostile);
  assert.ok(performance.now() - started < 10_000);
});

test('a long template is read in time that grows with its length', () => {
  const started = performance.now();
  const line = '{{ .a | printf "%v" }} text '.repeat(40_000);
  assert.equal(renderText(language, 't', line, { a: 'x' }).length, 7 * 40_000);
  renderText(language, 't', `{{/* ${'{{'.repeat(500_000)} */}}`, null);
  assert.throws(
    () => renderText(language, 't', `{{ ${'('.repeat(100_000)}`, null),
    /max expression depth/,
  );
  assert.ok(performance.now() - started < 10_000);
});

test('a template reads neither environment nor network', () => {
  for (const template of ['{{env "HOME"}}', '{{expandenv "$HOME"}}']) {
    assert.throws(() => renderText(language, 't', template, null), /function "\w+" not defined/);
  }
  assert.equal(renderText(language, 't', '[{{getHostByName "localhost"}}]', null), '[]');
});

test('what the host hands in is answered', () => {
  const open = new TemplateLanguage(
    sprigFunctions({
      environment: (name) => (name === 'A' ? 'x' : undefined),
      resolveHost: (name) => `ip of ${name}`,
    }),
  );
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Go's syntax, not JavaScript's
  const template = '{{env "A"}} {{env "B"}} {{expandenv "${A}-$A-$B"}} {{getHostByName "h"}}';
  assert.equal(renderText(open, 't', template, null), 'x  x-x- ip of h');
});
