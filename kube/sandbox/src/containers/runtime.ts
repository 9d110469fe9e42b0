import {
  type Container,
  type ContainerRuntime,
  cloneJson,
  createLocalClient,
  type DraftObject,
  flagAt,
  isDraftObject,
  listAt,
  type ProcessStreams,
  SYSTEM,
  textAt,
  timestamp,
  valueAt,
} from '@capstan/kube-apiserver';
import type { Json, KubeObject } from '@capstan/kube-object';
import type { Clock } from '@capstan/lib-std';
import type { Process } from './commands.ts';
import { KeptFiles } from './container-files.ts';
import { readLogs } from './container-output.ts';
import { type OutputOf, readOutput } from './process-output.ts';
import { runCommand } from './shell.ts';
import { answerPort, servePort } from './simulated-http.ts';
import { usageOf } from './usage.ts';

/** Simulated containers: their output, commands in them, and what listens on their ports. */
export function createRuntime(clock: Clock, outputOf?: OutputOf): ContainerRuntime {
  const kept = new KeptFiles();
  const start = (container: Container, streams: ProcessStreams): Process =>
    processIn(container, streams, { kept, clock });
  return {
    logs: (core, pod, request) => {
      const output = outputOf?.(pod);
      return output === undefined ? readLogs(core, pod, request) : readOutput(output, request);
    },
    exec: (container, command, streams) => runCommand(command, start(container, streams)),
    attach: (container, streams) => attach(container, streams, start),
    usage: usageOf,
    connect: servePort,
    request: answerPort,
  };
}

function specOf(pod: KubeObject, name: string): Json | undefined {
  return ['containers', 'initContainers', 'ephemeralContainers']
    .flatMap((field) => listAt(pod, 'spec', field))
    .find((container) => textAt(container, 'name') === name);
}

function processIn(
  { core, pod, name }: Container,
  streams: ProcessStreams,
  { kept, clock }: { readonly kept: KeptFiles; readonly clock: Clock },
): Process {
  const spec = specOf(pod, name);
  const folder = { path: textAt(spec, 'workingDir') || '/' };
  const environment = new Map([
    ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    ['HOSTNAME', pod.metadata.name ?? ''],
    ['HOME', '/root'],
  ]);
  for (const variable of listAt(spec, 'env')) {
    environment.set(textAt(variable, 'name'), textAt(variable, 'value'));
  }
  return {
    files: kept.of(core, pod, name),
    environment,
    folder,
    hostname: pod.metadata.name ?? '',
    tty: streams.tty,
    stdin: streams.stdin,
    write: (stream, chunk) => streams.write(stream, chunk),
    resolve: (path) => resolvePath(folder.path, path),
    now: () => clock.now(),
    pause: (ms) =>
      new Promise((resolve) => {
        const cancel = clock.after(ms, resolve);
        streams.signal.addEventListener('abort', () => {
          cancel();
          resolve();
        });
      }),
  };
}

function resolvePath(folder: string, path: string): string {
  const parts: string[] = [];
  for (const part of `${path.startsWith('/') ? '' : folder}/${path}`.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/**
 * A container that reads its input is a shell to whoever attaches, and ends with it; others only say what they say. Whoever
 * attaches is not told how the container ended: its status says that.
 */
async function attach(
  container: Container,
  streams: ProcessStreams,
  start: (container: Container, streams: ProcessStreams) => Process,
): Promise<number> {
  const spec = specOf(container.pod, container.name);
  if (!flagAt(spec, 'stdin')) return untilEnd(container, streams);
  const words = [...listAt(spec, 'command'), ...listAt(spec, 'args')].map(String);
  const code = await runCommand(words.length === 0 ? ['sh'] : words, start(container, streams));
  if (!streams.signal.aborted || flagAt(spec, 'stdinOnce')) endContainer(container, code);
  return 0;
}

/** Writes down that the main process ended: the kubelet goes on from there. */
function endContainer({ core, pod, name }: Container, exitCode: number): void {
  const client = createLocalClient(core, SYSTEM, 'kubelet');
  const { namespace = '', name: podName = '' } = pod.metadata;
  const live = client.get('v1/pods', namespace, podName);
  if (live === undefined || live.metadata.uid !== pod.metadata.uid) return;
  const draft = cloneJson(live);
  const status = draft['status'];
  for (const field of ['containerStatuses', 'ephemeralContainerStatuses']) {
    for (const item of isDraftObject(status) ? listAt(status, field) : []) {
      if (textAt(item, 'name') !== name || valueAt(item, 'state', 'running') === undefined)
        continue;
      const target = item as DraftObject;
      target['ready'] = false;
      target['started'] = false;
      target['state'] = {
        terminated: {
          exitCode,
          reason: exitCode === 0 ? 'Completed' : 'Error',
          startedAt: textAt(item, 'state', 'running', 'startedAt'),
          finishedAt: timestamp(core.clock),
          containerID: textAt(item, 'containerID'),
        },
      };
    }
  }
  client.updateStatus('v1/pods', draft);
}

function untilEnd({ core, pod, name }: Container, { signal }: ProcessStreams): Promise<number> {
  const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
  const isRunning = (object: KubeObject | undefined): boolean =>
    object?.metadata.uid === pod.metadata.uid &&
    listAt(object, 'status', 'containerStatuses').some(
      (item) => textAt(item, 'name') === name && valueAt(item, 'state', 'terminated') === undefined,
    );
  return new Promise((resolve) => {
    const end = (): void => {
      unsubscribe();
      resolve(0);
    };
    const unsubscribe = core.store.subscribe((event) => {
      if (event.bucket !== '/pods' || event.key !== key) return;
      if (event.removed || !isRunning(event.object)) end();
    });
    signal.addEventListener('abort', end, { once: true });
    if (!isRunning(core.store.get('/pods', key))) end();
  });
}
