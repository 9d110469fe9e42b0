/** Values of references and of the spec, one over the other, as Flux's chartutil composes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HelmRelease } from '@capstan/flux-api';
import type { KubeClient } from '@capstan/kube-client';
import { valuesToJson } from '@capstan/kube-helm';
import type { JsonObject } from '@capstan/kube-object';
import { messageOf } from '@capstan/lib-std';
import { composeValues } from './compose-values.ts';

interface Reference {
  readonly name: string;
  readonly valuesKey?: string;
  readonly targetPath?: string;
  readonly literal?: boolean;
  readonly optional?: boolean;
}

async function compose(
  data: Readonly<Record<string, string>>,
  refs: readonly Reference[],
  values: JsonObject = {},
): Promise<unknown> {
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'map' }, data };
  const find = async ({ name }: { readonly name: string }) => (name === 'map' ? map : undefined);
  const release: HelmRelease = {
    apiVersion: 'helm.toolkit.fluxcd.io/v2',
    kind: 'HelmRelease',
    metadata: { name: 'web', namespace: 'apps' },
    spec: {
      interval: '1m',
      values,
      valuesFrom: refs.map((ref) => ({ kind: 'ConfigMap', ...ref })),
    },
    status: {},
  };
  const signal = new AbortController().signal;
  try {
    const client = { find } as unknown as KubeClient;
    return valuesToJson(await composeValues(release, client, { signal }));
  } catch (error) {
    return messageOf(error).replace(/^could not resolve .*with key '[^']*': /, '');
  }
}

const at = (targetPath: string, more: Partial<Reference> = {}): readonly Reference[] => [
  { name: 'map', valuesKey: 'k', targetPath, ...more },
];

test('a target path sets inside of lists and tables, in the language of --set', async () => {
  const rows: readonly (readonly [string, readonly Reference[], JsonObject, unknown])[] = [
    ['1', at('a.b'), { a: { c: 2 } }, { a: { b: 1, c: 2 } }],
    ['x', at('list[0]'), { list: [[], 0] }, { list: ['x', 0] }],
    ['x', at('list[0].a.b'), { list: [[], 0] }, { list: [{ a: { b: 'x' } }, 0] }],
    ['x', at('list[1].a'), {}, { list: [null, { a: 'x' }] }],
    // Behind the end of a list, what has no value at all is left out.
    ['', at('list[0].a'), {}, { list: [] }],
    ['"', at('a'), {}, { a: '' }],
    ['"1"', at('a'), {}, { a: '1' }],
    ['{a,b}', at('a', { literal: true }), {}, { a: '{a,b}' }],
    ['{a,b}', at('a'), {}, { a: ['a', 'b'] }],
  ];
  for (const [text, refs, values, expected] of rows) {
    assert.deepEqual(
      await compose({ k: text }, refs, values),
      expected,
      `${text} ${refs[0]?.targetPath}`,
    );
  }
});

test('a document is read as Flux reads it, and failures are told as it tells them', async () => {
  const of = (text: string) => compose({ 'values.yaml': text }, [{ name: 'map' }]);
  assert.deepEqual(await of('# c\n---\na: 1\n---\nb: 2\n'), { a: 1 });
  assert.deepEqual(await of(''), {});
  const wrong = 'error unmarshaling JSON: while decoding JSON: json: cannot unmarshal';
  assert.equal(await of('true'), `${wrong} bool into Go value of type common.Values`);
  assert.equal(await of('[1]'), `${wrong} array into Go value of type common.Values`);
  const none = { name: 'none' };
  assert.equal(await compose({}, [none]), 'configmaps "none" not found');
  assert.equal(await compose({}, [{ ...none, optional: true }, none]), 'resource not found');
  assert.equal(await compose({}, [{ name: 'map' }]), 'key not found');
});
