import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type MemoryFiles, memoryTree } from '@capstan/lib-files';
import { remoteMount } from './mounted-remotes.ts';
import { type ChartRequest, renderHelm } from './render-helm.ts';
import type { HelmOptions } from './render-spec.ts';

const FILES: MemoryFiles = {
  'apps/web/Chart.yaml': 'name: web\n',
  'apps/web/values-a.yaml': 'a: 1\n',
  'apps/web/env/one.yaml': 'one: 1\n',
  'apps/web/env/deep/two.yaml': 'two: 2\n',
  'apps/web/inside.yaml': { link: '../../shared/common.yaml' },
  'shared/common.yaml': 'common: true\n',
  '$values/prod.yaml': 'prod: true\n',
};

/** The values files that the chart is given, by the names they were asked for with. */
function given(options: Partial<HelmOptions>, more: MemoryFiles = {}): readonly string[] {
  let request: ChartRequest | undefined;
  renderHelm(memoryTree({ ...FILES, ...more }), 'apps/web', {
    releaseName: 'web',
    releaseNamespace: 'default',
    ...options,
    renderChart: (asked) => {
      request = asked;
      return [];
    },
  });
  return (request?.valueTexts ?? []).map(({ text }) => text);
}

function refuses(name: string, more: MemoryFiles = {}): void {
  for (const ignoreMissingValueFiles of [false, true]) {
    for (const options of [
      { valueFiles: [name], ignoreMissingValueFiles },
      { fileParameters: [{ name: 'x', path: name }], ignoreMissingValueFiles },
    ]) {
      // A pattern is one of values files only.
      if ('fileParameters' in options && name.includes('*')) continue;
      assert.throws(() => given(options, more), { code: 'VALUES_REFUSED' }, name);
    }
  }
}

test('values files are read from the chart, from the root of the repository and from another source', () => {
  const valueFiles = ['values-a.yaml', '/shared/common.yaml', '../../shared/common.yaml'];
  assert.deepEqual(given({ valueFiles }), ['a: 1\n', 'common: true\n']);
  assert.deepEqual(given({ valueFiles: ['$values/prod.yaml'] }), ['prod: true\n']);
  assert.deepEqual(given({ valueFiles: ['env/**/*.yaml'] }), ['one: 1\n', 'two: 2\n']);
  const alternatives = ['env/**/{one,two}.yaml'];
  assert.deepEqual(given({ valueFiles: alternatives }), ['two: 2\n', 'one: 1\n']);
});

test('a text that keeps its line breaks keeps the one that stands between documents', () => {
  const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: |+\n    y\n';
  const { objects } = renderHelm(memoryTree(FILES), 'apps/web', {
    releaseName: 'web',
    releaseNamespace: 'default',
    renderChart: () => [{ path: 'web/templates/a.yaml', text }],
  });
  assert.deepEqual(objects[0]?.object['data'], { x: 'y\n\n' });
});

test('parameters are given as flags of helm: the last of a name, texts over what is typed', () => {
  const parameters = [
    { name: 'a', value: 'x,y', forceString: true },
    { name: 'b', value: '{1,2}' },
    { name: 'c', value: '{1},2' },
    { name: 'a', value: '1' },
    { name: 'b', value: '3' },
  ];
  let settings: ChartRequest['settings'] = [];
  renderHelm(memoryTree(FILES), 'apps/web', {
    releaseName: 'web',
    releaseNamespace: 'default',
    parameters,
    renderChart: (asked) => {
      settings = asked.settings;
      return [];
    },
  });
  assert.deepEqual(
    settings.map(({ text, mode }) => `${mode} ${text}`),
    ['typed b=3', 'typed c={1}\\,2', 'typed a=1', 'string a=x\\,y'],
  );
});

test('values files at admitted addresses are asked for, and read when they are here', () => {
  const url = 'https://values.example.com/prod.yaml';
  const remoteValues = { schemes: ['https'], hosts: ['*'] };
  const options = { releaseName: 'web', releaseNamespace: 'default', renderChart: () => [] };
  const wanted = { ...options, remoteValues, valueFiles: ['values-a.yaml', url] };
  const first = renderHelm(memoryTree(FILES), 'apps/web', wanted);
  assert.deepEqual(first.pending, [{ kind: 'file', url }]);
  const mount = remoteMount({ kind: 'file', url });
  assert.deepEqual(given(wanted, { [`${mount}/content`]: 'remote: true\n' }), [
    'a: 1\n',
    'remote: true\n',
  ]);
  const failed = { [`${mount}/.capstan-remote-failed`]: '{"message":"404","http":true}' };
  assert.throws(() => given({ ...wanted, ignoreMissingValueFiles: true }, failed), {
    code: 'VALUES_MISSING',
    message: /cannot be had: 404/,
  });
  assert.throws(() => given({ ...wanted, remoteValues: { schemes: ['s3'], hosts: ['*'] } }), {
    code: 'VALUES_REFUSED',
    message: /the URL scheme 'https' is not allowed/,
  });
  const metadata = { ...wanted, valueFiles: ['https://169.254.169.254/latest'] };
  assert.throws(() => given(metadata), /local or link-local/);
});

// The numbers are those of the list of abuse cases.
describe('values files cannot', () => {
  test('name what is outside the repository, in any spelling (row 1)', () => {
    for (const name of [
      '../../../../etc/passwd',
      '../../../etc/passwd',
      'file:///etc/passwd',
      'https://169.254.169.254/latest',
      '..%2f..%2f..%2fetc%2fpasswd',
      '%2e%2e/%2e%2e/%2e%2e/etc/passwd',
      '..\\..\\..\\etc\\passwd',
      '../..\\../etc/passwd',
    ]) {
      refuses(name);
    }
    // An absolute path means the root of the repository, as in Argo CD.
    assert.throws(() => given({ valueFiles: ['/etc/passwd'] }), { code: 'VALUES_MISSING' });
  });

  test('be links out of the repository (row 2)', () => {
    for (const link of ['/proc/self/environ', '../../../other-app/values.yaml', '/etc/passwd']) {
      refuses('leak.yaml', { 'apps/web/leak.yaml': { link } });
      refuses('dir/values.yaml', { 'apps/web/dir': { link: link.replace(/\/[^/]*$/, '') } });
    }
    refuses('loop.yaml', { 'apps/web/loop.yaml': { link: 'loop.yaml' } });
  });

  test('but may be links within it (row 3)', () => {
    assert.deepEqual(given({ valueFiles: ['inside.yaml'] }), ['common: true\n']);
  });

  test('be found by a pattern behind a link out of the repository, nor be hidden as missing (row 4)', () => {
    const folder = { 'apps/web/env/out': { link: '../../../../other-app' } };
    refuses('env/**/*.yaml', folder);
    refuses('env/out/*.yaml', folder);
    refuses('env/*.yaml', { 'apps/web/env/out.yaml': { link: '/etc/passwd' } });
    refuses('../../../*.yaml');
  });

  test('leave the source that they refer to (row 5)', () => {
    refuses('$values/../../other/secret.yaml');
    refuses('$values/../secret.yaml');
    refuses('$values/leak.yaml', { '$values/leak.yaml': { link: '../shared/common.yaml' } });
    refuses('$values/../*.yaml');
  });

  test('say in an error what stands in them', () => {
    const secret = { 'apps/web/leak.yaml': { link: '/etc/shadow' } };
    assert.throws(
      () => given({ valueFiles: ['leak.yaml'] }, secret),
      (error: Error) => !error.message.includes('shadow'),
    );
  });
});
