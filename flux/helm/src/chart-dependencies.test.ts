import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChartRepository, loadChart, loadChartArchive, packChart } from '@capstan/kube-helm';
import { memoryTree } from '@capstan/lib-files';
import { messageOf } from '@capstan/lib-std';
import { withDependencies } from './chart-dependencies.ts';
import { chartOf } from './testing/chart-server.ts';

const yaml = (name: string, version: string, rest = '') =>
  `apiVersion: v2\nname: ${name}\nversion: ${version}\n${rest}`;

/** Offers `remote` in three versions, and says what was asked for. */
function repository(asked: string[]): (url: string) => ChartRepository {
  return (url) => ({
    has: async () => true,
    async resolve(name, constraint) {
      asked.push(`${url} ${name} ${constraint}`);
      if (constraint === '9.x') throw new Error('nothing fits');
      return { name, version: '1.2.3', urls: [''], digest: '' };
    },
    async fetch({ name, version }) {
      if (name === 'lost') throw new Error('404');
      if (name === 'broken') return new TextEncoder().encode('no archive');
      return packChart(chartOf({ 'Chart.yaml': yaml(name, version) }));
    },
    provenance: async () => new Uint8Array(),
    fileName: () => '',
  });
}

interface Case {
  readonly dependencies?: string;
  readonly lock?: string;
  readonly files?: Readonly<Record<string, string>>;
}

/** The dependencies of the packed chart, or why there is none. */
async function outcome({ dependencies = '', lock, files = {} }: Case, asked: string[] = []) {
  const rest = dependencies === '' ? '' : `dependencies:\n${dependencies}`;
  const tree = memoryTree({
    'apps/web/Chart.yaml': yaml('web', '1.0.0', rest),
    ...(lock === undefined ? {} : { 'apps/web/Chart.lock': lock }),
    'libs/common/Chart.yaml': yaml('common', '0.2.0'),
    ...files,
  });
  try {
    const chart = loadChart(tree, 'apps/web');
    const sources = { tree, path: 'apps/web', open: repository(asked) };
    const packed = loadChartArchive(packChart(await withDependencies(chart, sources)));
    return packed.dependencies.map(({ metadata: { name, version } }) => `${name} ${version}`);
  } catch (error) {
    return messageOf(error);
  }
}

const remote = (name: string, version: string, more = '') =>
  `- {name: ${name}, version: "${version}", repository: "https://charts.example.com"${more}}\n`;
const local = (version: string, path: string) =>
  `- {name: common, version: "${version}", repository: "${path}"}\n`;
const LOCKED =
  'dependencies:\n- {name: remote, version: 1.2.0, repository: "https://locked.example.com"}\ndigest: sha256:0\ngenerated: "2026-01-01T00:00:00Z"\n';

test('what charts/ does not hold is added, and nothing else is asked for', async () => {
  const asked: string[] = [];
  assert.deepEqual(await outcome({}), []);
  assert.deepEqual(await outcome({ dependencies: remote('remote', '*') }, asked), ['remote 1.2.3']);
  assert.deepEqual(asked.splice(0), ['https://charts.example.com remote ']);
  const held = { 'apps/web/charts/remote/Chart.yaml': yaml('remote', '0.9.0') };
  const both = remote('remote', '1.x') + local('>=0.1.0', 'file://../../libs/common');
  assert.deepEqual(await outcome({ dependencies: both, files: held }, asked), [
    'remote 0.9.0',
    'common 0.2.0',
  ]);
  assert.deepEqual(asked, []);
});

test('a lock is followed, whether it fits Chart.yaml or not', async () => {
  const asked: string[] = [];
  const found = await outcome({ dependencies: remote('remote', '1.x'), lock: LOCKED }, asked);
  assert.deepEqual(found, ['remote 1.2.3']);
  assert.deepEqual(asked, ['https://locked.example.com remote 1.2.0']);
});

test('what cannot be added is told in the words of source-controller', async () => {
  const rows: readonly (readonly [string, string])[] = [
    [
      remote('remote', '9.x'),
      "failed to add remote dependency 'remote': failed to get chart 'remote' version '9.x' from 'https://charts.example.com': nothing fits",
    ],
    [
      remote('lost', '1.x'),
      "failed to add remote dependency 'lost': chart download of version '1.2.3' failed: 404",
    ],
    [
      remote('broken', '1.x'),
      "failed to add remote dependency 'broken': failed to load downloaded archive of version '1.2.3': ",
    ],
    [
      remote('remote', '9.x', ', alias: other'),
      "failed to add remote dependency 'other': failed to get chart 'remote'",
    ],
    [
      '- {name: remote, version: 1.x, repository: "@charts"}\n',
      "failed to add remote dependency 'remote': aliased repository dependency is not supported: @charts",
    ],
    [
      '- {name: remote, version: 1.x, repository: "ftp://x"}\n',
      "failed to add remote dependency 'remote': invalid dependency repository URL: ftp://x",
    ],
    [
      local('>=0.1.0', 'file://../none'),
      "failed to add local dependency 'common': no chart found at '/apps/none' (reference 'file://../none')",
    ],
    [
      local('>=0.1.0', 'file://../../../../etc'),
      "failed to add local dependency 'common': no chart found at '/' (reference 'file://../../../../etc')",
    ],
    [
      local('', ''),
      "failed to add local dependency 'common': no chart found at '/apps/web/charts/common' (reference '')",
    ],
    [
      local('no-range', 'file://../../libs/common'),
      "failed to add local dependency 'common': invalid version/constraint format 'no-range': improper constraint",
    ],
    [
      local('>=9', 'file://../../libs/common'),
      "failed to add local dependency 'common': can't get a valid version for constraint '>=9'",
    ],
  ];
  for (const [dependencies, message] of rows) {
    const told = await outcome({ dependencies });
    assert.ok(String(told).startsWith(message), `${String(told)}\n${message}`);
  }
});
