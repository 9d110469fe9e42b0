import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ExecOptions, KubeClient } from '@capstan/kube-client';
import { CapstanError } from '@capstan/lib-std';
import { startCluster, whyNoCluster } from './cluster.ts';
import { type AnyCluster, startSandboxCluster } from './sandbox-cluster.ts';
import { at, clientOf, codeOf, eventually, makeNamespace, pod, portOf } from './support.ts';

const target = { namespace: 'streams', name: 'p' };
const OUTPUT_BYTES = 8_000_000;

/** What differs between the containers of the two: neither runs a container. */
interface Stage {
  readonly cluster: AnyCluster;
  /** One more line of output of the container. */
  say(line: string, client: KubeClient): Promise<void>;
  /** kwok reports a failed command as an internal error; the sandbox gives the exit code, as a kubelet. */
  readonly failure: string;
  readonly readsInput: readonly string[];
  readonly muchOutput: ExecOptions;
  /** What goes to the forwarded port, and what comes back. */
  readonly forwarded: { readonly send: string; readonly answer: RegExp };
  stop(): Promise<void>;
}

describe('logs, exec and port-forward through a real API server', { skip: whyNoCluster() }, () =>
  streamTests(startRealStage),
);
describe('logs, exec and port-forward through the sandbox', () => streamTests(startSandboxStage));

async function startRealStage(): Promise<Stage> {
  const logFile = join(tmpdir(), `capstan-pod-${process.pid}.log`);
  const said = (line: string): string => `2026-01-02T03:04:05.000000000Z stdout F ${line}\n`;
  const echo = createServer((socket) => socket.pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  writeFileSync(logFile, said('line 1') + said('line 2'));
  const cluster = await startCluster({ kwok: kwokStreams(logFile, portOf(echo.address())) });
  return {
    cluster,
    say: async (line) => appendFileSync(logFile, said(line)),
    failure: 'exit status 3',
    // Not `cat`: kwok does not pass the end of the input on, not even that of kubectl exec.
    readsInput: ['head', '-c', '7'],
    muchOutput: { command: ['sh', '-c', `head -c ${OUTPUT_BYTES} /dev/zero | tr "\\0" x`] },
    forwarded: { send: 'x'.repeat(300_000), answer: /^x{300000}$/ },
    async stop() {
      await cluster.stop();
      echo.close();
    },
  };
}

async function startSandboxStage(): Promise<Stage> {
  const cluster = await startSandboxCluster();
  const lines = ['line 1', 'line 2'];
  return {
    cluster,
    async say(line, client) {
      lines.push(line);
      const annotations = { [LOG]: lines.join('\n') };
      const ref = { apiVersion: 'v1', kind: 'Pod', ...target };
      await client.patch(ref, { metadata: { annotations } }, { type: 'merge' });
    },
    failure: 'code 3',
    readsInput: ['cat'],
    muchOutput: { command: ['cat'], stdin: pieces(OUTPUT_BYTES) },
    forwarded: {
      send: 'GET /hello HTTP/1.0\r\n\r\n',
      answer: /^HTTP\/1\.1 200 OK\r\n.* answers GET \/hello on port 80\n$/s,
    },
    stop: () => cluster.stop(),
  };
}

const LOG = 'sandbox.capstan.dev/log';

async function* pieces(bytes: number): AsyncGenerator<Uint8Array> {
  for (let left = bytes; left > 0; left -= 100_000) yield Buffer.alloc(100_000, 'x');
}

function streamTests(start: () => Promise<Stage>): void {
  let stage: Stage;
  let client: KubeClient;

  before(async () => {
    stage = await start();
    client = await clientOf(stage.cluster);
    await makeNamespace(client, target.namespace);
    const made = pod(target.namespace, target.name);
    const annotations = { [LOG]: 'line 1\nline 2' };
    await client.create({ ...made, metadata: { ...made.metadata, annotations } });
    await eventually(async () => {
      const found = await client.get({ apiVersion: 'v1', kind: 'Pod', ...target });
      return at(found, 'status', 'phase') === 'Running';
    }, 'the pod to run');
  });
  after(async () => {
    await client.close();
    await stage.stop();
  });

  async function execute(
    options: ExecOptions,
  ): Promise<{ end: string; stdout: string; stderr: string }> {
    const session = await client.exec(target, options);
    const text = { stdout: '', stderr: '' };
    try {
      for await (const { stream, data } of session.output)
        text[stream] += Buffer.from(data).toString();
      return { end: `code ${await session.exitCode}`, ...text };
    } catch (error) {
      await session.exitCode.catch(() => undefined);
      return { end: String(error), ...text };
    }
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
    await stage.say('line 3', client);
    await eventually(() => followed.includes('line 3'), 'the new line');
    assert.equal(followed.split('line 1').length, 2);
    stop.abort(new Error('enough'));
    await assert.rejects(reading, /enough/);
  });

  test('a command gives its output by stream, and how it ended', async () => {
    const result = await execute({ command: ['sh', '-c', 'echo out; echo err >&2'] });
    assert.deepEqual(result, { end: 'code 0', stdout: 'out\n', stderr: 'err\n' });
    const failed = await execute({ command: ['sh', '-c', 'exit 3'] });
    assert.ok(failed.end.includes(stage.failure), failed.end);
  });

  test('a command gets its input', async () => {
    async function* words() {
      yield Buffer.from('one ');
      yield Buffer.from('two');
    }
    const result = await execute({ command: stage.readsInput, stdin: words() });
    assert.deepEqual(result, { end: 'code 0', stdout: 'one two', stderr: '' });
  });

  test('output of several megabytes arrives whole', async () => {
    const result = await execute(stage.muchOutput);
    assert.deepEqual([result.end, result.stdout.length], ['code 0', OUTPUT_BYTES]);
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
    await connection.write(Buffer.from(stage.forwarded.send));
    let text = '';
    for await (const data of connection.data) {
      text += Buffer.from(data).toString();
      if (stage.forwarded.answer.test(text)) break;
    }
    assert.match(text, stage.forwarded.answer);
    connection.close();
  });
}

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
