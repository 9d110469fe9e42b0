import {
  ApiError,
  type Core,
  type LogRequest,
  listAt,
  numberAt,
  objectAt,
  type StoreEvent,
  textAt,
  valueAt,
} from '@capstan/kube-apiserver';
import type { Json, KubeObject } from '@capstan/kube-object';
import { type Line, select } from './select-lines.ts';

/** Lines that a pod's containers shall print, instead of the usual ones. */
export const LOG_ANNOTATION = 'sandbox.capstan.dev/log';

/**
 * The output of a simulated container: a few lines about its life, or what an annotation says. Who follows it gets what the
 * annotation says later, until the container ends.
 */
export function readLogs(
  core: Core,
  pod: KubeObject,
  request: LogRequest,
): string | AsyncIterable<string> {
  const all = lines(pod, request);
  const text = select(all, request);
  if (!request.follow || request.previous || hasEnded(pod, request.container)) return text;
  return follow(core, pod, { request, text, told: all.length });
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

async function* follow(
  core: Core,
  pod: KubeObject,
  begun: { readonly request: LogRequest; readonly text: string; readonly told: number },
): AsyncGenerator<string> {
  const { request, text } = begun;
  let { told } = begun;
  let charsLeft = (request.limitBytes ?? Number.POSITIVE_INFINITY) - text.length;
  if (text !== '') yield text;
  for await (const state of statesOf(core, pod, request.signal)) {
    const all = state === undefined ? [] : linesSoFar(state, request);
    const rest = { ...request, tailLines: undefined, limitBytes: charsLeft };
    const news = select(all.slice(told), rest);
    told = Math.max(told, all.length);
    charsLeft -= news.length;
    if (news !== '') yield news;
    if (state === undefined || charsLeft <= 0 || hasEnded(state, request.container)) return;
  }
}

/** The pod as it is, and after each change; undefined when it is gone, or nobody follows any more. */
async function* statesOf(
  core: Core,
  { metadata: { namespace, name, uid } }: KubeObject,
  signal: AbortSignal | undefined,
): AsyncGenerator<KubeObject | undefined> {
  const key = `${namespace}/${name}`;
  const states: (KubeObject | undefined)[] = [core.store.get('/pods', key)];
  let wake = (): void => undefined;
  const add = (state: KubeObject | undefined): void => {
    states.push(state?.metadata.uid === uid ? state : undefined);
    wake();
  };
  const leave = (): void => add(undefined);
  const see = (event: StoreEvent): void => {
    if (event.key === key) add(event.removed ? undefined : event.object);
  };
  const unsubscribe = core.store.subscribe(see, '/pods');
  signal?.addEventListener('abort', leave, { once: true });
  if (signal?.aborted === true) leave();
  try {
    for (;;) {
      for (let i = 0; i < states.length; i++) yield states[i];
      states.length = 0;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    unsubscribe();
    signal?.removeEventListener('abort', leave);
  }
}

function linesSoFar(pod: KubeObject, request: LogRequest): Line[] {
  const state = objectAt(statusOf(pod, request.container), 'state');
  return state['waiting'] === undefined ? lines(pod, request) : [];
}

/** A container that is started anew has another output. */
function hasEnded(pod: KubeObject, container: string): boolean {
  return valueAt(statusOf(pod, container), 'state', 'running') === undefined;
}
