import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject } from '@capstan/kube-object';
import type { Outside } from './observation.ts';
import { generate, makeSet } from './testing/generate.ts';
import { texts } from './testing/outside-world.ts';
import { startStandIn } from './testing/stand-in.ts';

describe('cluster decision resource generators', () => {
  const decision: KubeObject = {
    apiVersion: 'apps.example.com/v1',
    kind: 'PlacementDecision',
    metadata: { name: 'p' },
    status: { decisions: [{ clusterName: 'two', weight: 3 }, { clusterName: 'gone' }, {}] },
  };
  const outside: Partial<Outside> = {
    controlConfigMap: async () => ({
      apiVersion: 'apps.example.com/v1',
      kind: 'placementdecisions',
      statusListKey: 'decisions',
      matchKey: 'clusterName',
    }),
    listResources: async () => [decision],
  };

  test('registered clusters that are decided for, with what the decision says', async () => {
    const clusterDecisionResource = { configMapRef: 'c', name: 'p', values: { env: '{{name}}' } };
    const generator = { clusterDecisionResource };
    const text = '{{.name}} {{.server}} {{.weight}} {{.values.env}}';
    assert.deepEqual(await texts({ generator, text, outside }), [
      'two https://two.example.com 3 {{name}}',
    ]);
    const plain = '{{name}} {{clusterName}} {{values.env}}';
    assert.deepEqual(await texts({ generator, text: plain, goTemplate: false, outside }), [
      'two two {{name}}',
    ]);
  });

  test('either a name or labels', async () => {
    const clusterDecisionResource = { configMapRef: 'c' };
    const message = await texts({ generator: { clusterDecisionResource }, text: '', outside });
    assert.match(String(message), /problem with the definition of the ClusterDecisionResource/);
  });
});

describe('plugin generators', () => {
  test('the service is asked with the input, by the token of its Secret', async () => {
    await using standIn = await startStandIn(({ path, body }) =>
      path === '/api/v1/getparams.execute' && body.includes('"applicationSetName":"set"')
        ? {
            json: {
              output: { parameters: [{ key: { deep: 'v', n: 1 } }, { key: { deep: 'w' } }] },
            },
          }
        : undefined,
    );
    const outside = {
      controlConfigMap: async () => ({ baseUrl: standIn.url, token: '$plugin:tok' }),
    };
    const plugin = {
      configMapRef: { name: 'p' },
      input: { parameters: { size: 2 } },
      values: { both: '{{ .key.deep }}-{{ .generator.input.parameters.size }}' },
    };
    const text = '{{.key.deep}} {{.values.both}}';
    assert.deepEqual(await texts({ generator: { plugin }, text, outside }), ['v v-2', 'w w-2']);
    const { values: _values, ...without } = plugin;
    const plain = '{{key.deep}} {{key.n}}';
    const given = { generator: { plugin: without }, text: plain, goTemplate: false, outside };
    assert.deepEqual(await texts(given), ['v 1', 'w {{key.n}}']);
    assert.equal(standIn.asked[0]?.headers.authorization, 'Bearer plugin.tok');
    assert.match(standIn.asked[0]?.body ?? '', /"input":\{"parameters":\{"size":2\}\}/);
  });

  test('a token that names no Secret is refused', async () => {
    const outside = {
      controlConfigMap: async () => ({ baseUrl: 'http://127.0.0.1:1', token: 'plain' }),
    };
    const message = await texts({
      generator: { plugin: { configMapRef: { name: 'p' } } },
      text: '',
      outside,
    });
    assert.match(String(message), /does not reference a secret key starting with '\$'/);
    assert.doesNotMatch(String(message), /plain/);
  });
});

test('without a cluster at hand, services are not asked', async () => {
  const set = makeSet({ generators: [{ plugin: { configMapRef: { name: 'p' } } }] });
  const found = await generate(set);
  assert.equal(found.kind === 'failed' && found.error.code, 'GENERATOR_UNSUPPORTED');
});
