import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import {
  ApiError,
  listAt,
  numberAt,
  type PortAnswer,
  type PortRequest,
  textAt,
  valueAt,
} from '@capstan/kube-apiserver';
import type { Json, KubeObject } from '@capstan/kube-object';

/** What every port of a simulated container answers. */
export function answerPort(pod: KubeObject, port: number, request: PortRequest): PortAnswer {
  const container = listeningContainer(pod, port);
  const { namespace, name } = pod.metadata;
  const body = `${textAt(container, 'name')} (${textAt(container, 'image')}) in pod ${namespace}/${name} answers ${request.method} ${request.path} on port ${port}\n`;
  return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

/** Speaks HTTP over one connection to a port until it ends. Throws ApiError when nothing listens there. */
export async function servePort(pod: KubeObject, port: number, connection: Duplex): Promise<void> {
  listeningContainer(pod, port);
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    const { status, headers, body } = answerPort(pod, port, {
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      headers: {},
    });
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
    response.end(body);
  });
  server.emit('connection', connection);
  await finished(connection).catch(() => undefined);
}

/** Ports that are declared or probed; a pod that names none listens on all. */
function listeningContainer(pod: KubeObject, port: number): Json {
  const containers = listAt(pod, 'spec', 'containers');
  const found = containers.find((container) => portsOf(container).includes(port));
  const names = containers.some((container) => portsOf(container).length > 0);
  const listening = found ?? (names ? undefined : containers[0]);
  const isRunning = listAt(pod, 'status', 'containerStatuses').some(
    (status) =>
      textAt(status, 'name') === textAt(listening, 'name') &&
      valueAt(status, 'state', 'running') !== undefined,
  );
  if (listening !== undefined && isRunning) return listening;
  throw new ApiError(
    503,
    'ServiceUnavailable',
    `error forwarding port ${port} to pod ${pod.metadata.name}, uid ${pod.metadata.uid}: failed to connect to localhost:${port} inside the pod: connection refused`,
  );
}

function portsOf(container: Json): number[] {
  const declared = listAt(container, 'ports').map((port) => numberAt(port, 'containerPort'));
  const probed = ['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((probe) => [
    numberAt(container, probe, 'httpGet', 'port'),
    numberAt(container, probe, 'tcpSocket', 'port'),
    numberAt(container, probe, 'grpc', 'port'),
  ]);
  return [...declared, ...probed].filter((port) => port !== undefined);
}
