import {
  ApiError,
  type LogRequest,
  listAt,
  numberAt,
  objectAt,
  textAt,
} from '@capstan/kube-apiserver';
import type { Json, KubeObject } from '@capstan/kube-object';

/** Lines that a pod's containers shall print, instead of the usual ones. */
export const LOG_ANNOTATION = 'sandbox.capstan.dev/log';

/** The output of a simulated container: a few lines about its life, or what an annotation says. */
export function readLogs(pod: KubeObject, request: LogRequest): string | AsyncIterable<string> {
  const text = select(lines(pod, request), request);
  return request.follow ? follow(text, request.signal) : text;
}

interface Line {
  readonly time: string;
  readonly text: string;
}

function statusOf(pod: KubeObject, container: string): Json | undefined {
  return [
    ...listAt(pod, 'status', 'containerStatuses'),
    ...listAt(pod, 'status', 'initContainerStatuses'),
    ...listAt(pod, 'status', 'ephemeralContainerStatuses'),
  ].find((status) => textAt(status, 'name') === container);
}

function lines(pod: KubeObject, request: LogRequest): Line[] {
  const status = statusOf(pod, request.container);
  const waiting = textAt(status, 'state', 'waiting', 'reason');
  const last = objectAt(status, 'lastState', 'terminated');
  const name = pod.metadata.name ?? '';
  if (request.previous && last['exitCode'] === undefined) {
    throw new ApiError(
      400,
      'BadRequest',
      `previous terminated container ${JSON.stringify(request.container)} in pod ${JSON.stringify(name)} not found`,
    );
  }
  const crashed = waiting === 'CrashLoopBackOff' || request.previous;
  if ((status === undefined || waiting !== '') && !crashed) {
    const why =
      waiting === '' || waiting === 'ContainerCreating'
        ? 'ContainerCreating'
        : `trying and failing to pull image`;
    throw new ApiError(
      400,
      'BadRequest',
      `container ${JSON.stringify(request.container)} in pod ${JSON.stringify(name)} is waiting to start: ${why}`,
    );
  }
  const ended = crashed ? last : objectAt(status, 'state', 'terminated');
  const started = textAt(ended, 'startedAt') || textAt(status, 'state', 'running', 'startedAt');
  const own = pod.metadata.annotations?.[LOG_ANNOTATION];
  const said =
    own === undefined
      ? [`${request.container}: started (${textAt(status, 'image')})`]
      : own.split('\n');
  const found = said.map((text) => ({ time: started, text }));
  const code = numberAt(ended, 'exitCode');
  if (code !== undefined && own === undefined) {
    found.push({
      time: textAt(ended, 'finishedAt'),
      text: `${request.container}: ended with exit code ${code}`,
    });
  }
  return found;
}

function select(all: readonly Line[], request: LogRequest): string {
  const kept =
    request.tailLines === undefined ? all : all.slice(Math.max(0, all.length - request.tailLines));
  const text = kept
    .map(({ time, text: line }) => `${request.timestamps ? `${time} ` : ''}${line}\n`)
    .join('');
  return request.limitBytes === undefined ? text : text.slice(0, request.limitBytes);
}

async function* follow(text: string, signal: AbortSignal | undefined): AsyncGenerator<string> {
  if (text !== '') yield text;
  if (signal === undefined || signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
