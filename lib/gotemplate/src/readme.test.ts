import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
// example
import { sprigFunctions, TemplateLanguage, TemplateSet } from './index.ts';

const language = new TemplateLanguage(sprigFunctions());
const templates = new TemplateSet(language);
templates.parse(
  'list',
  '{{ range $i, $name := .names }}{{ $i }}={{ $name | title | quote }} {{ end }}',
);
templates.parse('page', '{{ template "list" . }}{{ printf "%06.2f" .ratio }}\n');
const text = templates.execute('page', { names: ['ada', 'grace'], ratio: 0.5 });
// end

test('the example of the README executes templates', () => {
  const source = readFileSync(import.meta.filename, 'utf8');
  const [, example = ''] = source.split(/\/\/ example\n|\/\/ end\n/);
  const shown = example.replace("'./index.ts'", "'@capstan/lib-gotemplate'");
  assert.ok(readFileSync(`${import.meta.dirname}/../README.md`, 'utf8').includes(shown));
  assert.equal(text, '0="Ada" 1="Grace" 000.50\n');
});
