import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ExecOptions, KubeClient } from '@capstan/kube-client';
import { CapstanError } from '@capstan/lib-std';
import { type Cluster, startCluster, whyNoCluster } from './cluster.ts';
import { at, clientOf, codeOf, eventually, makeNamespace, pod, portOf } from './support.ts';

describe('logs, exec and port-forward through a real API server', { skip: whyNoCluster() }, () => {
  let cluster: Cluster;
  let client: KubeClient;
  let echo: Server;
  const logFile = join(tmpdir(), `capstan-pod-${process.pid}.log`);
  const target = { namespace: 'streams', name: 'p' };

  before(async () => {
    echo = createServer((socket) => socket.pipe(socket));
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    writeFileSync(
      logFile,
      '2026-01-02T03:04:05.000000000Z stdout F line 1\n2026-01-02T03:04:06.000000000Z stdout F line 2\n',
    );
    cluster = await startCluster({ kwok: kwokStreams(logFile, portOf(echo.address())) });
    client = await clientOf(cluster);
    await makeNamespace(client, target.namespace);
    await client.create(pod(target.namespace, target.name));
    await eventually(async () => {
      const made = await client.get({ apiVersion: 'v1', kind: 'Pod', ...target });
      return at(made, 'status', 'phase') === 'Running';
    }, 'the pod to run');
  });
  after(async () => {
    await client.close();
    await cluster.stop();
    echo.close();
  });

  async function execute(
    options: ExecOptions,
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const session = await client.exec(target, options);
    const text = { stdout: '', stderr: '' };
    for await (const { stream, data } of session.output)
      text[stream] += Buffer.from(data).toString();
    return { code: await session.exitCode, ...text };
  }

  test('a log is read to its end, or followed', async () => {
    let text = '';
    for await (const chunk of client.logs(target)) text += Buffer.from(chunk).toString();
    assert.match(text, /line 1\n.*line 2\n/s);
    let tail = '';
    for await (const chunk of client.logs(target, { tailLines: 1 }))
      tail += Buffer.from(chunk).toString();
    assert.doesNotMatch(tail, /line 1/);
    const stop = new AbortController();
    let followed = '';
    const reading = (async () => {
      for await (const chunk of client.logs(target, { follow: true, signal: stop.signal })) {
        followed += Buffer.from(chunk).toString();
      }
    })();
    await eventually(() => followed.includes('line 2'), 'the log so far');
    appendFileSync(logFile, '2026-01-02T03:04:07.000000000Z stdout F line 3\n');
    await eventually(() => followed.includes('line 3'), 'the new line');
    stop.abort(new Error('enough'));
    await assert.rejects(reading, /enough/);
  });

  test('a command gives its output by stream, and how it ended', async () => {
    const result = await execute({ command: ['sh', '-c', 'echo out; echo err >&2'] });
    assert.deepEqual(result, { code: 0, stdout: 'out\n', stderr: 'err\n' });
    // kwok reports a failed command as an internal error; a kubelet gives the exit code.
    await assert.rejects(execute({ command: ['sh', '-c', 'exit 3'] }), /exit status 3/);
  });

  test('a command gets its input', async () => {
    async function* words() {
      yield Buffer.from('one ');
      yield Buffer.from('two');
    }
    // Not `cat`: kwok does not pass the end of the input on, not even that of kubectl exec.
    const result = await execute({ command: ['head', '-c', '7'], stdin: words() });
    assert.deepEqual(result, { code: 0, stdout: 'one two', stderr: '' });
  });

  test('output of several megabytes arrives whole', async () => {
    const result = await execute({
      command: ['sh', '-c', 'head -c 8000000 /dev/zero | tr "\\0" x'],
    });
    assert.equal(result.stdout.length, 8_000_000);
  });

  test('why a command cannot be run is told, not only that the connection failed', async () => {
    const missing = client.exec({ ...target, name: 'nobody' }, { command: ['true'] });
    assert.equal(await codeOf(missing), 'NOT_FOUND');
    const forbidden = client.as({ user: 'ann' }).exec(target, { command: ['true'] });
    assert.equal(await codeOf(forbidden), 'FORBIDDEN');
    const session = await client.exec(target, { command: ['/no/such/program'] });
    const draining = (async () => {
      for await (const _chunk of session.output);
    })();
    await draining.catch(() => {});
    const code = await session.exitCode.catch((error: unknown) => error);
    assert.ok(code instanceof CapstanError || code !== 0);
  });

  test('an abort ends a running command', async () => {
    const stop = new AbortController();
    const session = await client.exec(target, { command: ['sleep', '60'], signal: stop.signal });
    const reading = (async () => {
      for await (const _chunk of session.output);
    })();
    stop.abort(new Error('enough'));
    await assert.rejects(reading, /enough/);
    await assert.rejects(session.exitCode);
  });

  test('bytes go to a forwarded port and come back', async () => {
    const connection = await client.portForward(target, 80);
    await connection.write(Buffer.from('hello'));
    let text = '';
    for await (const data of connection.data) {
      text += Buffer.from(data).toString();
      if (text === 'hello') await connection.write(Buffer.from('x'.repeat(300_000)));
      if (text.length === 300_005) break;
    }
    assert.equal(text.length, 300_005);
    connection.close();
  });
});

function kwokStreams(logsFile: string, port: number): string {
  return `apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterLogs
metadata: {name: all}
spec:
  logs:
  - logsFile: ${logsFile}
    follow: true
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterExec
metadata: {name: all}
spec:
  execs:
  - local: {workDir: "."}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterPortForward
metadata: {name: all}
spec:
  forwards:
  - target: {address: 127.0.0.1, port: ${port}}
`;
}
