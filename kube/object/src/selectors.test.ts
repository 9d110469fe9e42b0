import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFieldSelector, matchesFields, parseFieldSelector } from './field-selector.ts';
import {
  formatLabelSelector,
  labelSelectorOf,
  matchesLabels,
  parseLabelSelector,
} from './label-selector.ts';

function selects(text: string, labels: Record<string, string>): boolean {
  return matchesLabels(parseLabelSelector(text), labels);
}

test('label selectors match as kubectl get -l does', () => {
  assert.ok(selects('', {}));
  assert.ok(selects('a=1,b!=2', { a: '1' }));
  assert.ok(selects('a in (1, 2),b notin (x),!c,d', { a: '2', d: '' }));
  assert.ok(selects('n>3,n<10', { n: '5' }));
  assert.ok(selects('a in (,x)', { a: '' }));
  assert.ok(!selects('a', { b: '1' }));
  assert.ok(!selects('n>3', { n: 'many' }));
  assert.ok(!selects('constructor', {}));
});

test('label selectors are printed sorted by key', () => {
  assert.equal(
    formatLabelSelector(parseLabelSelector('z,a in (2,1),!m,k==v')),
    'a in (1,2),k==v,!m,z',
  );
});

test('mistakes in a label selector are said in the words of the API server', () => {
  const messages: Readonly<Record<string, string>> = {
    'a=1,': "found '', expected: identifier after ','",
    '=1': "found '=', expected: !, identifier, or 'end of string'",
    'a b': "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
    'a in 1': "unable to parse requirement: found '1' expected: '('",
    'a=b=c': "found '=', expected: ',' or 'end of string'",
    'n>x':
      "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
  };
  for (const [text, message] of Object.entries(messages))
    assert.throws(() => parseLabelSelector(text), { message }, text);
});

test('the selector of an object has labels and expressions; an absent one matches nothing', () => {
  const selector = labelSelectorOf({
    matchLabels: { app: 'web' },
    matchExpressions: [{ key: 'tier', operator: 'In', values: ['a', 'b'] }],
  });
  assert.ok(matchesLabels(selector!, { app: 'web', tier: 'b' }));
  assert.ok(!matchesLabels(selector!, { app: 'web', tier: 'c' }));
  assert.equal(labelSelectorOf(undefined), undefined);
  assert.throws(() => labelSelectorOf({ matchExpressions: [{ key: 'a', operator: 'Like' }] }), {
    message: '"Like" is not a valid label selector operator',
  });
});

test('field selectors compare values, with escapes', () => {
  const selector = parseFieldSelector('metadata.name=a\\,b,status.phase!=Running');
  const fields: Record<string, string> = { 'metadata.name': 'a,b', 'status.phase': 'Pending' };
  assert.ok(matchesFields(selector, (field) => fields[field]));
  assert.equal(formatFieldSelector(selector), 'metadata.name=a\\,b,status.phase!=Running');
  assert.throws(() => parseFieldSelector('abc'), {
    message: "invalid selector: 'abc'; can't understand 'abc'",
  });
  assert.throws(() => parseFieldSelector('a=b\\x'), {
    message: 'invalid field selector: invalid escape sequence: \\x',
  });
});
