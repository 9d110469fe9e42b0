import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_PROJECT_SPEC } from './project-guard.ts';
import { readRepositoryCredential } from './repositories.ts';
import { application, CONTEXT, SOURCE } from './testing/lowering.ts';
import { toDelivery } from './to-delivery.ts';

const KEY = '4AEE18F83AFDEB23';

function sourceUnder(mode: string) {
  const data = { url: SOURCE.repoURL, depth: '3' };
  const encoded = Object.entries(data).map(([key, text]) => [key, btoa(text)]);
  const credential = readRepositoryCredential({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'r', labels: { 'argocd.argoproj.io/secret-type': 'repository' } },
    data: Object.fromEntries(encoded),
  });
  const policy = { repos: [{ url: '*' }], gpg: { mode, keys: [KEY] } };
  const project = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'default' },
    spec: { ...DEFAULT_PROJECT_SPEC, sourceIntegrity: { git: { policies: [policy] } } },
  };
  const delivery = toDelivery(application({}), {
    ...CONTEXT,
    project,
    credentials: credential === undefined ? [] : [credential],
    keys: { [KEY]: 'armored' },
  });
  return delivery.sources[0];
}

test('a history that is to be signed is fetched as a whole, whatever the Secret says of its depth', () => {
  const depths = ['none', 'head', 'strict'].map((mode) => {
    const found = sourceUnder(mode);
    return [mode, found?.verify?.mode, found?.source.kind === 'git' ? found.source.depth : NaN];
  });
  assert.deepEqual(depths, [
    ['none', undefined, 3],
    ['head', 'tagOrHead', 3],
    ['strict', 'history', undefined],
  ]);
});
