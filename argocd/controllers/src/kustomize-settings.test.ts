import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_KUSTOMIZE, kustomizeOptions, readKustomize } from './kustomize-settings.ts';

const ROOT = { enableHelm: false, loadRestriction: 'root' };

test('build options are read in the spellings of all versions', () => {
  const rows: readonly (readonly [text: string, options: object, problem?: RegExp])[] = [
    ['', ROOT],
    ['--enable-helm', { ...ROOT, enableHelm: true }],
    [
      '--enable-helm --load-restrictor LoadRestrictionsNone',
      { enableHelm: true, loadRestriction: 'none' },
    ],
    ['--load-restrictor=LoadRestrictionsNone', { ...ROOT, loadRestriction: 'none' }],
    ['--load_restrictor none', { ...ROOT, loadRestriction: 'none' }],
    ['--load-restrictor LoadRestrictionsRootOnly', ROOT],
    ['--reorder legacy  --enable-helm', { ...ROOT, enableHelm: true, reorder: 'legacy' }],
    ['--enable-alpha-plugins --enable-exec', ROOT],
    ['--helm-command helm3 --enable-helm', { ...ROOT, enableHelm: true }],
    ['--frobnicate', ROOT, /kustomize\.buildOptions: --frobnicate is not known/],
  ];
  for (const [text, options, problem] of rows) {
    const problems: string[] = [];
    assert.deepEqual(readKustomize({ 'kustomize.buildOptions': text }, problems).options, options);
    assert.match(problems.join(), problem ?? /^$/, text);
  }
});

test('a source is built by the options of the version that it names', () => {
  const settings = readKustomize(
    {
      'kustomize.buildOptions': '--enable-helm',
      'kustomize.version.v4.5.7': '/tools/kustomize_4_5_7',
      'kustomize.path.v5.0.0': '/tools/kustomize_5',
      'kustomize.buildOptions.v5.0.0': '--load-restrictor LoadRestrictionsNone',
    },
    [],
  );
  const of = (source: Parameters<typeof kustomizeOptions>[0]) => {
    const { remote, ...rest } = kustomizeOptions(source, settings, 'spec.source.kustomize');
    assert.deepEqual(remote?.hosts, ['*']);
    return rest;
  };
  assert.deepEqual(of({}), { charts: {} });
  assert.deepEqual(of({ version: 'v4.5.7' }), { charts: {} });
  assert.deepEqual(of({ version: 'v5.0.0' }), { loadRestriction: 'none' });
  assert.deepEqual(of({ kubeVersion: '1.30', apiVersions: ['a/v1'] }), {
    charts: { kubeVersion: 'v1.30', apiVersions: ['a/v1'] },
  });
  assert.throws(
    () => of({ version: 'v9' }),
    /spec\.source\.kustomize\.version: .* v9 is not registered/,
  );
  assert.equal(kustomizeOptions({}, DEFAULT_KUSTOMIZE, '').charts, undefined);
});
