import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@capstan/kube-object';
import { respectIgnored } from './ignore-rules.ts';
import { maskSecrets } from './mask-secrets.ts';
import { matchesGlob, matchesPattern, matchesSelector } from './patterns.ts';
import { findPlaces, parsePlainPath } from './plain-path.ts';
import { sameQuantity } from './quantity.ts';

test('quantities of one amount are the same however they are written', () => {
  const same: readonly (readonly [unknown, unknown])[] = [
    ['1', '1000m'],
    [1, '1'],
    ['1Gi', '1024Mi'],
    ['1e3', '1k'],
    ['0.1', '100m'],
    ['1.5Gi', '1536Mi'],
    ['1E', '1000P'],
    ['+5', '5'],
    ['0', '0Gi'],
  ];
  for (const [a, b] of same) assert.equal(sameQuantity(a, b), true, `${a} ${b}`);
  assert.equal(sameQuantity('1Gi', '1G'), false);
  for (const bad of ['', '.', 'Gi', '1 Gi', 'abc', null, {}])
    assert.equal(sameQuantity(bad, '1'), undefined);
});

test('globs match as a whole, in linear time', () => {
  const fits = (pattern: string, text: string) => matchesGlob(pattern, text);
  assert.ok(
    fits('team-a-*', 'team-a-web') && fits('*', '') && fits('a?c', 'abc') && fits('[a-c]x', 'bx'),
  );
  assert.ok(!fits('team-a-*', 'team-b-web') && !fits('[!a]x', 'ax') && !fits('a', 'ab'));
  assert.ok(!fits('*a'.repeat(40), 'a'.repeat(39)));
  assert.ok(
    matchesPattern('web-[0-9]+', 'web-12', 'regex') && !matchesPattern('web', 'webs', 'regex'),
  );
  assert.ok(!matchesPattern('(', 'x', 'regex'));
  assert.ok(matchesPattern('{apps,*.k8s.io}', 'networking.k8s.io', 'glob'));
  assert.ok(
    matchesPattern('web-\\*', 'web-*', 'glob') && !matchesPattern('web-\\*', 'web-a', 'glob'),
  );
});

test('selectors follow the syntax of Kubernetes', () => {
  const labels = { app: 'web', tier: 'front' };
  for (const selector of [
    '',
    'app=web',
    'app==web,tier!=back',
    'app in (api, web)',
    'tier notin (back),app',
    '!gone',
  ]) {
    assert.ok(matchesSelector(selector, labels), selector);
  }
  for (const selector of ['app=api', 'app notin (web)', '!app', 'gone', 'gone in (x)']) {
    assert.ok(!matchesSelector(selector, labels), selector);
  }
});

test('the plain subset of jq paths is parsed and the rest is not', () => {
  const object = {
    a: [
      { n: 'x', 'v-1': 1 },
      { n: 'y', 'v-1': 2 },
    ],
    b: { c: null },
  };
  const places = (text: string) => {
    const path = parsePlainPath(text);
    return path === undefined ? undefined : findPlaces(object, path);
  };
  assert.deepEqual(places('.a[].n'), [
    ['a', 0, 'n'],
    ['a', 1, 'n'],
  ]);
  assert.deepEqual(places('.a[] | select(.n == "y") | ."v-1"'), [['a', 1, 'v-1']]);
  assert.deepEqual(places('.a[-1]["v-1"]'), [['a', 1, 'v-1']]);
  assert.deepEqual(places('.b?.c'), [['b', 'c']]);
  assert.deepEqual(places('.none.at.all'), []);
  for (const text of [
    '..',
    '.a | length',
    'del(.a)',
    '.a[] | select(.n | test("x"))',
    '',
    'until(false;.)',
    '."\\(1)"',
  ]) {
    assert.equal(places(text), undefined, text);
  }
});

test('values of Secrets are masked, equal ones of a key alike', () => {
  const secret = (data: { readonly [key: string]: string }): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 's',
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'secret', note: 'n' },
    },
    data,
  });
  const [a, b] = maskSecrets([secret({ x: 'MQ==', y: 'Mg==' }), secret({ x: 'MQ==', y: 'Mw==' })]);
  assert.deepEqual(a?.['data'], { x: '++++++++', y: '++++++++' });
  assert.deepEqual(b?.['data'], { x: '++++++++', y: '+++++++++' });
  assert.equal(JSON.stringify([a, b]).includes('secret'), false);
  assert.equal(a?.metadata.annotations?.['note'], 'n');
});

test('ignored fields are sent as they are live, or not at all', () => {
  const desired: KubeObject = {
    apiVersion: 'v1',
    kind: 'A',
    metadata: { name: 'x' },
    spec: { replicas: 1, other: 2 },
  };
  const live: KubeObject = {
    apiVersion: 'v1',
    kind: 'A',
    metadata: { name: 'x' },
    spec: { replicas: 5 },
  };
  const rules = [
    {
      target: { syntax: 'glob' as const },
      jsonPointers: ['/spec/replicas', '/spec/other', '/metadata/name'],
      pathExpressions: [],
      managers: [],
    },
  ];
  const sent = respectIgnored(desired, live, { rules });
  assert.deepEqual(sent, {
    apiVersion: 'v1',
    kind: 'A',
    metadata: { name: 'x' },
    spec: { replicas: 5 },
  });
});
