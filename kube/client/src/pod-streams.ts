import type { JsonObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { linkAbort } from './abort.ts';
import { ApiError, statusFrom } from './api-error.ts';
import { parseJson } from './json.ts';
import type { ExecOptions, ExecSession, LogOptions, PortConnection } from './kube-client.ts';
import { withQuery } from './paths.ts';
import { errorFrom, isJsonObject, type Requester } from './requester.ts';
import type { MessageSocket } from './transport.ts';
import { UpgradeRefused } from './web-socket.ts';

export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

export function podPath({ namespace, name }: PodName, subresource: string): string {
  if (namespace === '' || name === '') {
    throw new CapstanError('NAME_REQUIRED', 'a Pod needs a namespace and a name to be addressed');
  }
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/${subresource}`;
}

/** The log as it comes; with `follow` until the container ends or the signal aborts. */
export async function* readLogs(
  requester: Requester,
  pod: PodName,
  options: LogOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal, ...query } = options;
  const body = await requester.stream({
    method: 'GET',
    path: withQuery(podPath(pod, 'log'), query),
    what: `read the log of Pod ${pod.namespace}/${pod.name}`,
    accept: '*/*',
    signal,
  });
  yield* body;
}

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
const execProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

/** Runs a command in a container by the WebSocket protocol v5.channel.k8s.io (v4: stdin cannot be closed). */
export async function openExec(
  requester: Requester,
  pod: PodName,
  options: ExecOptions,
): Promise<ExecSession> {
  const what = `run a command in Pod ${pod.namespace}/${pod.name}`;
  const query = withQuery(podPath(pod, 'exec'), {
    container: options.container,
    stdin: options.stdin === undefined ? undefined : true,
    stdout: true,
    stderr: options.tty === true ? undefined : true,
    tty: options.tty,
  });
  const command = options.command.map((word) => `command=${encodeURIComponent(word)}`);
  const life = linkAbort(options.signal);
  const socket = await upgrade(
    requester,
    [query, ...command].join('&'),
    execProtocols,
    what,
    life.signal,
  ).catch((error: unknown) => {
    life[Symbol.dispose]();
    throw error;
  });
  const exit = Promise.withResolvers<number>();
  exit.promise.catch(() => {});
  pump(socket, options, life.signal).catch((error: unknown) => {
    exit.reject(error);
    socket.close();
  });
  return {
    output: readOutput(socket, exit, what, life),
    exitCode: exit.promise,
    close: () => socket.close(),
  };
}

async function* readOutput(
  socket: MessageSocket,
  exit: PromiseWithResolvers<number>,
  what: string,
  life: Disposable,
): AsyncGenerator<{ stream: 'stdout' | 'stderr'; data: Uint8Array }, void, undefined> {
  try {
    for await (const message of socket.messages) {
      const data = message.subarray(1);
      if (message[0] === channels.error) readExit(data, exit, what);
      if (data.length === 0) continue;
      if (message[0] === channels.stdout) yield { stream: 'stdout', data };
      if (message[0] === channels.stderr) yield { stream: 'stderr', data };
    }
  } catch (error) {
    exit.reject(error);
    throw error;
  } finally {
    exit.reject(
      new CapstanError('EXEC_ABANDONED', `cannot ${what}: the connection ended without a result`, {
        kind: 'retry',
      }),
    );
    socket.close();
    life[Symbol.dispose]();
  }
}

/** The error channel carries one Status: Success, NonZeroExitCode with the code as a cause, or what went wrong. */
function readExit(data: Uint8Array, exit: PromiseWithResolvers<number>, what: string): void {
  const text = new TextDecoder().decode(data);
  if (text === '') return;
  const body = parseStatus(text);
  if (body?.['status'] === 'Success') {
    exit.resolve(0);
    return;
  }
  const status = statusFrom(500, body ?? { kind: 'Status', message: text });
  const code = status.causes.find(({ reason }) => reason === 'ExitCode')?.message;
  if (status.reason === 'NonZeroExitCode' && code !== undefined) exit.resolve(Number(code));
  else exit.reject(new ApiError(what, status));
}

function parseStatus(text: string): JsonObject | undefined {
  try {
    const value = parseJson(text);
    // The kubelet leaves out `kind`.
    return isJsonObject(value) ? { ...value, kind: 'Status' } : undefined;
  } catch {
    return undefined;
  }
}

async function pump(
  socket: MessageSocket,
  options: ExecOptions,
  signal: AbortSignal,
): Promise<void> {
  const resizing = sendSizes(socket, options, signal);
  if (options.stdin !== undefined) {
    for await (const data of options.stdin) {
      if (signal.aborted) break;
      await socket.send(framed(channels.stdin, data));
    }
    if (socket.protocol.startsWith('v5')) {
      await socket.send(Uint8Array.of(channels.close, channels.stdin));
    }
  }
  await resizing;
}

async function sendSizes(
  socket: MessageSocket,
  { resize }: ExecOptions,
  signal: AbortSignal,
): Promise<void> {
  if (resize === undefined) return;
  for await (const { width, height } of resize) {
    if (signal.aborted) return;
    const size = new TextEncoder().encode(JSON.stringify({ Width: width, Height: height }));
    await socket.send(framed(channels.resize, size));
  }
}

/**
 * One connection to a port of a Pod, by the channel protocol that the kubelet speaks over WebSocket: channel 0 is data,
 * channel 1 errors, and each begins with the port as two bytes.
 */
export async function openPortForward(
  requester: Requester,
  pod: PodName,
  port: number,
  options: { readonly signal?: AbortSignal },
): Promise<PortConnection> {
  const what = `forward port ${port} of Pod ${pod.namespace}/${pod.name}`;
  const path = withQuery(podPath(pod, 'portforward'), { ports: port });
  const socket = await upgrade(requester, path, ['v4.channel.k8s.io'], what, options.signal);
  return {
    data: readPort(socket, what),
    write: (data) => socket.send(framed(0, data)),
    close: () => socket.close(),
  };
}

async function* readPort(
  socket: MessageSocket,
  what: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const greeted = new Set<number>();
  try {
    for await (const message of socket.messages) {
      const channel = message[0] ?? 0;
      const data = message.subarray(1);
      if (!greeted.has(channel)) {
        greeted.add(channel);
      } else if (channel === 1 && data.length > 0) {
        const text = new TextDecoder().decode(data);
        throw new CapstanError('PORT_FORWARD_FAILED', `cannot ${what}: ${text}`, { kind: 'retry' });
      } else if (channel === 0 && data.length > 0) {
        yield data;
      }
    }
  } finally {
    socket.close();
  }
}

function framed(channel: number, data: Uint8Array): Uint8Array {
  const message = new Uint8Array(data.length + 1);
  message[0] = channel;
  message.set(data, 1);
  return message;
}

async function upgrade(
  requester: Requester,
  path: string,
  protocols: readonly string[],
  what: string,
  signal: AbortSignal | undefined,
): Promise<MessageSocket> {
  const { transport } = requester;
  if (transport.upgrade === undefined) {
    throw new CapstanError('UPGRADE_UNSUPPORTED', `cannot ${what} over this connection`);
  }
  const request = {
    method: 'GET',
    path,
    headers: requester.headersFor({}),
    protocols,
    ...(signal === undefined ? {} : { signal }),
  };
  try {
    return await transport.upgrade(request);
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof UpgradeRefused)) throw error;
    throw await explainRefusal(requester, path, what, error);
  }
}

/** A WebSocket client does not see the refused answer; the same request without an upgrade gets it again. */
async function explainRefusal(
  requester: Requester,
  path: string,
  what: string,
  cause: UpgradeRefused,
): Promise<unknown> {
  const response = await requester.transport.request({
    method: 'GET',
    path,
    headers: requester.headersFor({ accept: 'application/json' }),
  });
  const error = await errorFrom(response, { what });
  const isOnlyAboutUpgrade = error.status.code < 400 || /upgrade/i.test(error.status.message);
  if (!isOnlyAboutUpgrade) return error;
  return new CapstanError('UPGRADE_REFUSED', `cannot ${what}: ${cause.message}`, {
    kind: 'retry',
    hint: 'a proxy before the API server may not let WebSocket connections through',
    cause,
  });
}
