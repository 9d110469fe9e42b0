import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { memoryTree } from '@capstan/lib-files';
import { chartOfFiles, loadChart, loadChartArchive, packChart, renderChart } from './index.ts';

const CHART = 'apiVersion: v2\nname: app\nversion: 0.1.0\n';
const RELEASE = { release: { name: 'r', namespace: 'default' } };

interface Entry {
  readonly name: string;
  readonly data?: string;
  readonly type?: string;
  readonly size?: number;
}

function tar(entries: readonly Entry[]): Uint8Array {
  const blocks = entries.flatMap(({ name, data = '', type = '0', size }) => {
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    header.write(`${(size ?? Buffer.byteLength(data)).toString(8).padStart(11, '0')} `, 124);
    header.write(type, 156);
    header.write('ustar', 257);
    const body = Buffer.alloc(Math.ceil(Buffer.byteLength(data) / 512) * 512);
    body.write(data);
    return [header, body];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

const chartEntry = { name: 'app/Chart.yaml', data: CHART };

test('an archive entry cannot leave the chart, be a link or a device, or lie about its size (row 18)', () => {
  const refused = (entry: Entry, message: RegExp) =>
    assert.throws(() => loadChartArchive(tar([chartEntry, entry])), message);
  refused({ name: 'app/../../evil', data: 'x' }, /illegally references parent directory/);
  refused({ name: 'app//etc/passwd', data: 'x' }, /absolute paths/);
  refused({ name: 'app/link', type: '2' }, /neither a file nor a folder/);
  refused({ name: 'app/hard', type: '1' }, /neither a file nor a folder/);
  refused({ name: 'app/device', type: '3' }, /neither a file nor a folder/);
  refused({ name: 'app/big', size: 10_000_000_000 }, /cut off or damaged/);
  refused({ name: 'app/c:/x', data: 'x' }, /illegally named files/);
});

test('an archive is bounded in bytes and in entries (row 18)', () => {
  const zeros = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  assert.throws(
    () => loadChartArchive(zeros, { bytesMax: 1024 * 1024 }),
    /larger than the maximum size/,
  );
  const many = Array.from({ length: 300 }, (_, i) => ({ name: `app/f${i}`, data: 'x' }));
  assert.throws(
    () => loadChartArchive(tar([chartEntry, ...many]), { filesMax: 200 }),
    /more than 200 files/,
  );
});

test('one file of a chart is bounded, in the words of the original', () => {
  const limit = 5 * 1024 * 1024;
  const filesOf = (size: number) => ({ 'Chart.yaml': CHART, 'files/x': 'x'.repeat(size) });
  const pack = (size: number) => {
    const files = Object.entries(filesOf(size));
    const encoder = new TextEncoder();
    return packChart(
      chartOfFiles(files.map(([name, data]) => ({ name, data: encoder.encode(data) }))),
    );
  };
  assert.equal(loadChart(memoryTree(filesOf(limit))).files.length, 1);
  assert.equal(loadChartArchive(pack(limit)).files.length, 1);
  assert.throws(() => loadChart(memoryTree(filesOf(limit + 1))), {
    message: `chart file "x" is larger than the maximum file size ${limit}`,
  });
  assert.throws(() => loadChartArchive(pack(limit + 1)), {
    message:
      /^decompressed chart file "[^/"]+\/files\/x" is larger than the maximum file size 5242880$/,
  });
});

test('a chart cannot be named out of its folder, nor an alias (row 16)', () => {
  for (const name of ['..', '.', 'a/b']) {
    const tree = memoryTree({ 'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n` });
    assert.throws(() => loadChart(tree), /chart\.metadata\.name/);
  }
  const alias = `${CHART}dependencies:\n- {name: x, version: "1", alias: ../../y}\n`;
  assert.throws(
    () => loadChart(memoryTree({ 'Chart.yaml': alias })),
    /disallowed characters in the alias/,
  );
});

test('a symbolic link out of the tree is refused and its target is not named (row 17)', () => {
  for (const link of ['/etc/cron.d/x', '../../etc/passwd']) {
    const tree = memoryTree({ 'c/Chart.yaml': CHART, 'c/Chart.lock': { link } });
    assert.throws(
      () => loadChart(tree, 'c'),
      (error: Error) =>
        /leads out of the repository/.test(error.message) && !error.message.includes('etc'),
    );
  }
});

test('files of other folders are not there for a template (row 13)', () => {
  const tree = memoryTree({
    'c/Chart.yaml': CHART,
    'secret.txt': 'no',
    'c/templates/a.yaml':
      'a: "{{ .Files.Get "../secret.txt" }}{{ range $p, $_ := .Files.Glob "../*" }}{{ $p }}{{ end }}"\n',
  });
  assert.equal(renderChart(loadChart(tree, 'c'), {}, RELEASE).manifests[0]?.content, 'a: ""\n');
});

test('a schema cannot reach the network, nor run for ever (row 20)', () => {
  const render = (schema: string) => {
    const tree = memoryTree({
      'Chart.yaml': CHART,
      'values.yaml': 'a: {}\n',
      'values.schema.json': schema,
    });
    return () => renderChart(loadChart(tree), {}, RELEASE);
  };
  assert.throws(
    render('{"$ref":"http://169.254.169.254/x.json"}'),
    /references outside are not followed/,
  );
  assert.throws(render('{"$ref":"#"}'), /refers to itself without end/);
  assert.throws(render('{"$ref":"file:///etc/passwd"}'), /references outside are not followed/);
  const deep = `${'{"allOf":['.repeat(300)}true${']}'.repeat(300)}`;
  assert.throws(render(deep), /too deep/);
});

test('a template cannot resolve hosts, read the environment, or recurse without end (row 15)', () => {
  const render = (text: string) => {
    const tree = memoryTree({ 'Chart.yaml': CHART, 'templates/a.yaml': text });
    return renderChart(
      loadChart(tree),
      {},
      { ...RELEASE, limits: { depthMax: 400, stepsMax: 100_000 } },
    );
  };
  assert.equal(render('a: {{ getHostByName "localhost" }}\n').manifests[0]?.content, 'a: \n');
  assert.throws(() => render('{{ env "HOME" }}'), /function "env" not defined/);
  assert.throws(() =>
    render('{{ define "x" }}{{ tpl "{{ include \\"x\\" . }}" . }}{{ end }}{{ include "x" . }}'),
  );
  assert.throws(() => render('{{ range $i := 1000000000 }}{{ end }}'), /steps/);
});

test('of several entries of one name the last holds; names that differ in case are two files (row 18)', () => {
  const entries = [
    chartEntry,
    { name: 'app/templates/a.yaml', data: 'a: first\n' },
    { name: 'app/templates/a.yaml', data: 'a: second\n' },
    { name: 'app/templates/A.yaml', data: 'a: other\n' },
  ];
  const { manifests } = renderChart(loadChartArchive(tar(entries)), {}, RELEASE);
  assert.deepEqual(manifests.map(({ content }) => content).toSorted(), [
    'a: other\n',
    'a: second\n',
  ]);
});

test('lookup asks nobody but the port, which is absent unless it is handed in (row 14)', () => {
  const template = 'a: {{ lookup "v1" "Secret" "other" "s" | toJson }}\n';
  const tree = memoryTree({ 'Chart.yaml': CHART, 'templates/a.yaml': template });
  assert.equal(renderChart(loadChart(tree), {}, RELEASE).manifests[0]?.content, 'a: {}\n');
  const denied = (): never => {
    throw new Error('secrets "s" is forbidden');
  };
  assert.throws(
    () => renderChart(loadChart(tree), {}, { ...RELEASE, lookup: denied }),
    /forbidden/,
  );
});

test('YAML of a chart is bounded in aliases and depth, and never crashes (row 27)', () => {
  const bomb = Array.from(
    { length: 12 },
    (_, i) =>
      `a${i}: &a${i} [${Array(9)
        .fill(i === 0 ? 'x' : `*a${i - 1}`)
        .join(', ')}]`,
  ).join('\n');
  const faults = {
    aliases: bomb,
    depth: `a: ${'['.repeat(10_001)}${']'.repeat(10_001)}`,
    'NUL bytes': 'a: "\0"\nb: \0',
    'invalid UTF-8': Uint8Array.from([0x61, 0x3a, 0x20, 0xff, 0xfe]),
    'a cut off value': 'a: {b: [',
  };
  for (const [what, values] of Object.entries(faults)) {
    const tree = memoryTree({ 'Chart.yaml': CHART, 'values.yaml': values });
    assert.throws(() => loadChart(tree), { name: 'ChartError' }, what);
    const rendered = memoryTree({ 'Chart.yaml': CHART, 'templates/a.yaml': values });
    assert.throws(() => renderChart(loadChart(rendered), {}, RELEASE), { name: /Error/ }, what);
  }
});
