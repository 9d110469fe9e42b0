import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFlags } from '../flags.ts';
import { FLUX_FLAGS } from './flux-flags.ts';
import { readSourceFlags, SOURCE_FLAGS } from './source-flags.ts';

const read = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  readSourceFlags(parseFlags(args, SOURCE_FLAGS), environment);

test("source-controller's flags say where artifacts are, and which stay", () => {
  const { artifacts, settings, notes } = read([
    '--storage-path=/data',
    '--storage-addr=:9090',
    '--storage-adv-addr=source-controller.flux-system.svc.cluster.local.',
    '--artifact-retention-ttl=5m',
    '--artifact-retention-records=4',
    '--artifact-digest-algo=sha512',
    '--helm-index-max-size=1000',
    '--helm-chart-max-size=2000',
    '--helm-chart-file-max-size=3000',
    '--interval-jitter-percentage=10',
  ]);
  assert.deepEqual(artifacts, {
    folder: '/data',
    address: '0.0.0.0',
    port: 9090,
    url: 'http://source-controller.flux-system.svc.cluster.local.',
    retentionMs: 300_000,
    retentionRecords: 4,
    digestAlgorithm: 'sha512',
  });
  assert.deepEqual(settings, {
    helmIndexBytesMax: 1000,
    helmChartBytesMax: 2000,
    helmChartFileBytesMax: 3000,
    intervalJitter: 0.1,
  });
  assert.deepEqual(notes, []);
  const { artifacts: given } = read([], {
    STORAGE_PATH: '/x',
    STORAGE_ADDRESS: '[::1]:80',
    STORAGE_ADV_ADDR: 'http://h',
  });
  assert.deepEqual(given, { folder: '/x', address: '::1', port: 80, url: 'http://h' });
});

test('the arguments of a stock source-controller are taken, and what changes nothing is said', () => {
  const { notes } = read([
    '--events-addr=http://notification-controller.flux-system.svc.cluster.local./',
    '--watch-all-namespaces=true',
    '--log-level=info',
    '--enable-leader-election',
    '--storage-path=/data',
    '--storage-adv-addr=source-controller.$(RUNTIME_NAMESPACE).svc.cluster.local.',
    '--helm-cache-max-size=10',
    '--kube-api-qps=500',
  ]);
  assert.deepEqual(
    notes.map((note) => note.slice(0, note.indexOf(':'))),
    [
      '--helm-cache-max-size',
      '--kube-api-qps',
      '--events-addr',
      '--enable-leader-election',
      '--log-level',
    ],
  );
  assert.deepEqual(
    Object.keys(FLUX_FLAGS).filter((name) => name in SOURCE_FLAGS),
    [],
  );
});

test('values that cannot be are refused', () => {
  for (const flag of [
    '--artifact-digest-algo=md5',
    '--artifact-retention-records=-1',
    '--artifact-retention-ttl=soon',
    '--storage-addr=9090',
    '--interval-jitter-percentage=100',
    '--watch-all-namespaces=false',
  ]) {
    assert.throws(() => read([flag]), { code: /^(?:OPTION|DURATION)_INVALID$/ }, flag);
  }
});
