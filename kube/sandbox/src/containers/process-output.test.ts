import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLocalClient, type LogRequest, SYSTEM } from '@capstan/kube-apiserver';
import { startSandbox } from '../start-sandbox.ts';
import { ProcessOutput, readOutput } from './process-output.ts';

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

test('what a process writes is given as a log is asked for, the last lines of much', async () => {
  const output = new ProcessOutput();
  for (let i = 1; i <= 10_002; i++) output.write(`line ${i}\n`, i * 1000);
  const text = readOutput(output, whole);
  assert.ok(typeof text === 'string');
  assert.ok(text.startsWith('line 3\n'));
  assert.equal(readOutput(output, { ...whole, tailLines: 1 }), 'line 10002\n');
  assert.equal(
    readOutput(output, { ...whole, sinceMs: 10_002_000, timestamps: true }),
    '1970-01-01T02:46:42.000Z line 10002\n',
  );
  assert.equal(readOutput(output, { ...whole, previous: true }), '');
});

test('who follows gets what is written later, until they leave', async () => {
  const output = new ProcessOutput();
  output.write('one\ntwo', 0);
  const left = new AbortController();
  const following = readOutput(output, {
    ...whole,
    follow: true,
    tailLines: 1,
    signal: left.signal,
  });
  assert.ok(typeof following !== 'string');
  const seen: string[] = [];
  for await (const text of following) {
    seen.push(text);
    if (text === 'two\n') output.write('three', 0);
    else left.abort();
  }
  assert.deepEqual(seen, ['two\n', 'three\n']);
  const bounded = readOutput(output, { ...whole, follow: true, limitBytes: 5 });
  assert.ok(typeof bounded !== 'string');
  assert.deepEqual(await Array.fromAsync(bounded), ['one\nt']);
});

test('a pod that stands for a process logs what that writes; others are simulated', async () => {
  const output = new ProcessOutput();
  output.write('from outside', 0);
  await using sandbox = await startSandbox({
    outputOf: ({ metadata }) => (metadata.name === 'own' ? output : undefined),
  });
  const client = createLocalClient(sandbox.server.core, SYSTEM, 'test');
  const logOf = async (name: string): Promise<string> => {
    client.create('v1/pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: { containers: [{ name: 'c', image: 'i:1' }] },
    });
    const path = `/api/v1/namespaces/default/pods/${name}/log`;
    for (let i = 0; i < 200; i++) {
      const { status, body } = await sandbox.transport.request({
        method: 'GET',
        path,
        headers: {},
      });
      const text = Buffer.concat(await Array.fromAsync(body)).toString();
      if (status === 200) return text;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error('no log');
  };
  assert.equal(await logOf('own'), 'from outside\n');
  assert.match(await logOf('other'), /^c: started/);
});
