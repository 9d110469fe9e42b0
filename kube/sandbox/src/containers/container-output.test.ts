import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLocalClient, type LogRequest, SYSTEM } from '@capstan/kube-apiserver';
import { startSandbox } from '../start-sandbox.ts';
import { LOG_ANNOTATION, readLogs } from './container-output.ts';

const whole: LogRequest = {
  container: 'c',
  follow: false,
  previous: false,
  timestamps: false,
  tailLines: undefined,
  sinceMs: undefined,
  limitBytes: undefined,
  signal: undefined,
};

test('who follows a container gets what it says later, and the end with its end', async () => {
  await using sandbox = await startSandbox();
  const { core } = sandbox.server;
  const client = createLocalClient(core, SYSTEM, 'test');
  client.create('v1/pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'p',
      namespace: 'default',
      annotations: { [LOG_ANNOTATION]: 'one\ntwo', 'sandbox.capstan.dev/run-for': '1s' },
    },
    spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i:1' }] },
  });
  const pod = () => {
    const found = client.get('v1/pods', 'default', 'p');
    assert.ok(found);
    return found;
  };
  const phase = () => Object(pod()['status']).phase;
  for (let i = 0; i < 200 && phase() !== 'Running'; i++)
    await new Promise((r) => setTimeout(r, 20));
  const output = readLogs(core, pod(), { ...whole, follow: true, tailLines: 1 });
  assert.ok(typeof output !== 'string');
  const seen: string[] = [];
  for await (const text of output) {
    seen.push(text);
    if (seen.length > 1) continue;
    const metadata = { ...pod().metadata, annotations: { [LOG_ANNOTATION]: 'one\ntwo\nthree' } };
    client.update('v1/pods', JSON.parse(JSON.stringify({ ...pod(), metadata })));
  }
  assert.deepEqual(seen, ['two\n', 'three\n']);
  assert.equal(phase(), 'Succeeded');
  assert.equal(readLogs(core, pod(), { ...whole, follow: true }), 'one\ntwo\nthree\n');
  assert.equal(readLogs(core, pod(), { ...whole, sinceMs: core.clock.now() + 60_000 }), '');
  assert.equal(readLogs(core, pod(), { ...whole, limitBytes: 6 }), 'one\ntw');
});
