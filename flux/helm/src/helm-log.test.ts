import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HelmLog } from './helm-log.ts';

function logAt(times: readonly number[]): HelmLog {
  let at = 0;
  const now = () => times[at++] ?? times.at(-1) ?? 0;
  return new HelmLog({ now, after: () => ({ cancel: () => {} }) } as never);
}

test('the last ten lines follow a message, repeated ones counted', () => {
  const log = logAt([0, 1500, 2000, 3000]);
  assert.equal(log.appendTo('failed'), 'failed');
  log.add('applying resource', { namespace: 'apps', name: 'web', kind: 'Deployment' });
  for (const _ of [1, 2, 3]) log.add('waiting');
  assert.equal(
    log.appendTo('failed'),
    [
      'failed\n\nLast Helm logs:\n',
      '1970-01-01T00:00:00Z: applying resource: {"namespace":"apps","name":"web","kind":"Deployment"}',
      '1970-01-01T00:00:01.5Z: waiting: {}',
      '1970-01-01T00:00:03Z: waiting: {} (1 duplicate line omitted)',
    ].join('\n'),
  );
  const long = logAt([0]);
  for (let at = 0; at < 12; at++) long.add(`line ${at}`);
  const lines = long.appendTo('').split('\n').slice(4);
  assert.deepEqual([lines.length, lines[0]], [10, '1970-01-01T00:00:00Z: line 2: {}']);
});
