import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { runCapstan } from '../testing/run-capstan.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'capstan-build-test-')));
after(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const capstan = (...args: string[]) => runCapstan(['build', ...args], { cwd: root });

const CM = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n';
write('app/kustomization.yaml', 'resources: [cm.yaml, ns.yaml]\nnamespace: apps\n');
write('app/cm.yaml', CM);
write('app/ns.yaml', 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: apps\n');
write('two/kustomization.yaml', 'resources: [../app, cm.yaml]\n');
write('two/cm.yaml', CM.replace('name: a', 'name: a\n  namespace: Other'));
write(
  'chart/kustomization.yaml',
  'helmCharts:\n- name: c\n  releaseName: r\n  valuesInline: {level: high}\n',
);
write('chart/charts/c/Chart.yaml', 'apiVersion: v2\nname: c\nversion: 1.0.0\n');
write('chart/charts/c/values.yaml', 'level: low\nother: kept\n');
write(
  'chart/charts/c/templates/cm.yaml',
  'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  level: {{ .Values.level }}\n  other: {{ .Values.other }}\n',
);

test('output goes to standard output, and the code is 0', async () => {
  const { code, out, err } = await capstan('app');
  assert.equal(code, 0);
  assert.equal(err, '');
  assert.match(out, /^apiVersion: v1\nkind: Namespace\n.*---\napiVersion: v1\nkind: ConfigMap/s);
});

test('output to a file, and a file a resource into a directory', async () => {
  assert.deepEqual(await capstan('app', '-o', 'all.yaml'), { code: 0, out: '', err: '' });
  assert.match(readFileSync(join(root, 'all.yaml'), 'utf8'), /kind: Namespace/);
  mkdirSync(join(root, 'one'));
  await capstan('app', '--output=one');
  assert.deepEqual(readdirSync(join(root, 'one')).sort(), [
    'v1_configmap_a.yaml',
    'v1_namespace_apps.yaml',
  ]);
  mkdirSync(join(root, 'several'));
  await capstan('two', '-o', 'several');
  const want = ['apps_v1_configmap_a.yaml', 'other_v1_configmap_a.yaml', 'v1_namespace_apps.yaml'];
  assert.deepEqual(readdirSync(join(root, 'several')).sort(), want);
});

test('nothing is written through a link that lies in the output directory', async () => {
  mkdirSync(join(root, 'links'));
  symlinkSync(join(root, 'victim'), join(root, 'links/v1_configmap_a.yaml'));
  const { code, err } = await capstan('app', '-o', 'links');
  assert.equal(code, 1);
  assert.match(err, /is a symbolic link/);
});

test('wrong arguments end with 1 and the words of the original', async () => {
  const rows: [string[], string][] = [
    [['app', 'two'], 'Error: specify one path to kustomization.yaml\n'],
    [
      ['app', '--load-restrictor', 'x'],
      'Error: illegal flag value --load-restrictor x; legal values: [LoadRestrictionsRootOnly LoadRestrictionsNone]\n',
    ],
    [['app', '--nothing'], 'Error: unknown flag: --nothing\n'],
    [
      ['nowhere'],
      `Error: must build at directory: not a valid directory: evalsymlink failure on 'nowhere' : lstat ${root}/nowhere: no such file or directory\n`,
    ],
    [['app/cm.yaml'], "Error: must build at directory: 'app/cm.yaml': file is not directory\n"],
  ];
  for (const [args, err] of rows)
    assert.deepEqual(await capstan(...args), { code: 1, out: '', err });
});

test('charts need --enable-helm, and are rendered by our own Helm then', async () => {
  const refused = await capstan('chart');
  assert.equal(refused.code, 1);
  assert.match(refused.err, /must specify --enable-helm\n$/);
  const { out } = await capstan('chart', '--enable-helm');
  assert.equal(
    out,
    'apiVersion: v1\ndata:\n  level: high\n  other: kept\nkind: ConfigMap\nmetadata:\n  name: r\n',
  );
});

test('a file:// repository is refused', async () => {
  const { code, err } = await capstan(`file://${root}/app`);
  assert.equal(code, 1);
  assert.match(err, /scheme 'file' is never allowed/);
});
