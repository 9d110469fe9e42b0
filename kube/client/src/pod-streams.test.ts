import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKubeClient } from './create-client.ts';
import type { ExecOptions } from './kube-client.ts';
import type { MessageSocket, Transport } from './transport.ts';

const pod = { namespace: 'ns', name: 'p' };
const utf8 = (text: string) => new TextEncoder().encode(text);
const message = (channel: number, text: string) => Uint8Array.of(channel, ...utf8(text));

/** A transport whose upgrades give the scripted messages; what is sent to it is kept. */
function scripted(messages: readonly Uint8Array[], protocol = 'v5.channel.k8s.io') {
  const sent: string[] = [];
  const paths: string[] = [];
  const allSent = Promise.withResolvers<void>();
  const socket: MessageSocket = {
    protocol,
    messages: (async function* () {
      await allSent.promise;
      yield* messages;
    })(),
    send: async (data) => {
      sent.push(`${data[0]}:${new TextDecoder().decode(data.subarray(1))}`);
    },
    close: () => {},
  };
  const transport: Transport = {
    server: 'test',
    request: () => Promise.reject(new Error('not in this test')),
    upgrade: async (request) => {
      paths.push(request.path);
      setTimeout(allSent.resolve, 20);
      return socket;
    },
    close: async () => {},
  };
  return { client: createKubeClient(transport), sent, paths };
}

async function execute(messages: readonly Uint8Array[], options: Partial<ExecOptions> = {}) {
  const { client, sent, paths } = scripted(messages);
  const session = await client.exec(pod, { command: ['sh', '-c', 'a b'], ...options });
  let text = '';
  for await (const { stream, data } of session.output) {
    text += `${stream}:${new TextDecoder().decode(data)};`;
  }
  return { code: session.exitCode, text, sent, paths };
}

const status = (body: object) => message(3, JSON.stringify({ metadata: {}, ...body }));
const failed = (code: string) =>
  status({
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: `command terminated with exit code ${code}`,
    details: { causes: [{ reason: 'ExitCode', message: code }] },
  });

test('output is told by stream and the exit code is read from the status', async () => {
  const result = await execute([message(1, 'out'), message(2, 'err'), failed('42')]);
  assert.equal(result.text, 'stdout:out;stderr:err;');
  assert.equal(await result.code, 42);
  assert.deepEqual(result.paths, [
    '/api/v1/namespaces/ns/pods/p/exec?stdout=true&stderr=true&command=sh&command=-c&command=a%20b',
  ]);
  assert.equal(await (await execute([status({ status: 'Success' })])).code, 0);
});

test('input, its end and terminal sizes are sent on their channels', async () => {
  async function* stdin() {
    yield utf8('hi');
  }
  async function* resize() {
    yield { width: 80, height: 24 };
  }
  const options = { stdin: stdin(), resize: resize(), tty: true, container: 'main' };
  const { sent, paths, code } = await execute([status({ status: 'Success' })], options);
  assert.equal(await code, 0);
  assert.deepEqual(sent.sort(), ['0:hi', '255:\u0000', '4:{"Width":80,"Height":24}']);
  assert.match(paths[0] ?? '', /container=main&stdin=true&stdout=true&tty=true/);
});

test('a connection that ends without a result is no success', async () => {
  const { code } = await execute([message(1, 'half')]);
  await assert.rejects(code, { code: 'EXEC_ABANDONED', kind: 'retry' });
});

test('what the server could not do is told in its words', async () => {
  const refused = status({ status: 'Failure', code: 500, message: 'container not found ("x")' });
  const { code } = await execute([refused]);
  await assert.rejects(code, {
    code: 'SERVER_ERROR',
    message: 'cannot run a command in Pod ns/p: container not found ("x")',
  });
});

test('the port that begins each channel is no data, and an error on the second one is thrown', async () => {
  const port = Uint8Array.of(0, 80, 0);
  const errorPort = Uint8Array.of(1, 80, 0);
  const { client } = scripted([port, errorPort, message(0, 'abc'), message(1, 'refused')]);
  const connection = await client.portForward(pod, 80);
  const chunks: string[] = [];
  const reading = (async () => {
    for await (const data of connection.data) chunks.push(new TextDecoder().decode(data));
  })();
  await assert.rejects(reading, {
    code: 'PORT_FORWARD_FAILED',
    message: /cannot forward port 80 of Pod ns\/p: refused/,
  });
  assert.deepEqual(chunks, ['abc']);
});
