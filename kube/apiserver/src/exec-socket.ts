import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ExecResult } from './container-runtime.ts';
import type { ExecCall } from './exec.ts';

const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const CLOSE = 255;
const STDIN_BYTES_MAX = 1024 * 1024;

/** Runs a command over a WebSocket in Kubernetes' channel protocol: the first byte of a message names its stream. */
export function serveExec(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  call: ExecCall,
): void {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: STDIN_BYTES_MAX,
    handleProtocols: (offered) => PROTOCOLS.find((name) => offered.has(name)) ?? false,
  });
  server.handleUpgrade(request, socket, head, (connection) => {
    if (!call.wantsStdin) {
      finish(connection, call.run(''));
      return;
    }
    let stdin = '';
    let done = false;
    const end = (): void => {
      if (done) return;
      done = true;
      finish(connection, call.run(stdin));
    };
    connection.on('message', (data: Buffer) => {
      if (data[0] === STDIN) stdin += data.subarray(1).toString();
      if (data[0] === CLOSE && data[1] === STDIN) end();
      if (stdin.length > STDIN_BYTES_MAX) connection.close(1009);
    });
    connection.on('error', () => connection.terminate());
  });
}

function finish(connection: WebSocket, result: ExecResult): void {
  const send = (channel: number, text: string): void => {
    if (text !== '') connection.send(Buffer.concat([Buffer.from([channel]), Buffer.from(text)]));
  };
  send(STDOUT, result.stdout);
  send(STDERR, result.stderr);
  const { exitCode } = result;
  const status =
    exitCode === 0
      ? { metadata: {}, status: 'Success' }
      : {
          metadata: {},
          status: 'Failure',
          message: `command terminated with non-zero exit code: exit status ${exitCode}`,
          reason: 'NonZeroExitCode',
          details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
        };
  send(ERROR, JSON.stringify(status));
  connection.close(1000);
}
