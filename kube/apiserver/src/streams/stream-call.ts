import type { Duplex } from 'node:stream';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { attributesOf } from '../admission/admit-write.ts';
import { ApiError, badRequest, notFound } from '../api-error.ts';
import { authorizeRequest } from '../auth/authorize-request.ts';
import type { ProcessStreams } from '../container-runtime.ts';
import type { Core } from '../core.ts';
import type { ApiRequest } from '../http-types.ts';
import { listAt, textAt } from '../json.ts';
import { isTrue, type ResourceRequest, readRequestInfo } from '../request-info.ts';
import type { UserInfo } from '../user.ts';

/** What a client asked to be connected with, checked: it begins once the connection speaks the protocol of streams. */
export type StreamCall = ProcessCall | PortsCall;

/** A command to run (exec), or a container's main process to listen to (attach). */
export interface ProcessCall {
  readonly kind: 'process';
  readonly wants: Readonly<Record<'stdin' | 'stdout' | 'stderr', boolean>>;
  readonly tty: boolean;
  /** Resolves to the exit code. */
  run(streams: ProcessStreams): Promise<number>;
}

export interface PortsCall {
  readonly kind: 'ports';
  /** Given in the request by protocols which cannot name a port later. */
  readonly ports: readonly number[];
  /** Resolves when the connection has ended; throws when nothing listens there. */
  connect(port: number, connection: Duplex): Promise<void>;
}

/** Reads and checks a request for `pods/NAME/exec`, `attach` or `portforward`. Throws ApiError for what cannot be. */
export function prepareStreams(core: Core, user: UserInfo, request: ApiRequest): StreamCall {
  const [path = '', search = ''] = request.path.split('?');
  const query = new URLSearchParams(search);
  const info = readRequestInfo('POST', path, query);
  const subresource = info.kind === 'resource' ? info.resource.subresource : '';
  if (info.kind !== 'resource' || info.resource.resource !== 'pods' || !STREAMED.has(subresource)) {
    throw badRequest('only exec, attach and portforward of pods can be upgraded to a stream here');
  }
  authorizeRequest(core, user, info);
  const { namespace, name } = info.resource;
  const pod = core.store.get('/pods', `${namespace}/${name}`);
  if (pod === undefined) throw notFound({ group: '', resource: 'pods', name });
  admitConnection(core, user, info.resource, query);
  if (subresource === 'portforward') {
    return {
      kind: 'ports',
      ports: query
        .getAll('ports')
        .flatMap((text) => text.split(','))
        .map(Number),
      connect: (port, connection) => core.runtime.connect(pod, port, connection),
    };
  }
  const container = containerOf(pod, query.get('container') ?? '');
  const phase = textAt(pod, 'status', 'phase');
  if (phase !== 'Running' && subresource === 'exec') {
    throw new ApiError(
      500,
      'InternalError',
      `cannot exec into a container in a ${phase} pod; current phase is ${phase}`,
    );
  }
  const command = query.getAll('command');
  if (subresource === 'exec' && command.length === 0) {
    throw badRequest('you must specify at least 1 command for the container');
  }
  const flag = (key: string): boolean => query.has(key) && isTrue(query.get(key));
  const tty = flag('tty');
  const wants = { stdin: flag('stdin'), stdout: flag('stdout'), stderr: flag('stderr') && !tty };
  if (!wants.stdin && !wants.stdout && !wants.stderr) {
    throw badRequest('one of stdin, stdout, or stderr must be true');
  }
  return {
    kind: 'process',
    wants,
    tty,
    run: (streams) =>
      subresource === 'exec'
        ? core.runtime.exec({ core, pod, name: container }, command, streams)
        : core.runtime.attach({ core, pod, name: container }, streams),
  };
}

const OPTION_KINDS: Readonly<Record<string, string>> = {
  exec: 'PodExecOptions',
  attach: 'PodAttachOptions',
  portforward: 'PodPortForwardOptions',
};

/** CONNECT, with the query as an object: what a policy on `pods/exec` is asked about. */
function admitConnection(
  core: Core,
  user: UserInfo,
  { namespace, name, subresource }: ResourceRequest,
  query: URLSearchParams,
): void {
  const resource = core.registry.find('', 'v1', 'pods');
  const kind = OPTION_KINDS[subresource];
  if (resource === undefined || kind === undefined) return;
  const flags = ['stdin', 'stdout', 'stderr', 'tty'].filter(
    (key) => query.has(key) && isTrue(query.get(key)),
  );
  const command = query.getAll('command');
  const ports = query.getAll('ports').flatMap((text) => text.split(',').map(Number));
  const object: JsonObject = {
    kind,
    apiVersion: 'v1',
    ...Object.fromEntries(flags.map((flag) => [flag, true])),
    ...(query.has('container') ? { container: query.get('container') } : {}),
    ...(command.length === 0 ? {} : { command }),
    ...(ports.length === 0 ? {} : { ports }),
  };
  const request = {
    resource,
    namespace,
    name,
    subresource,
    user,
    dryRun: false,
    warn: () => undefined,
  };
  core.admission.validate(
    core,
    attributesOf(request, 'CONNECT', {
      kind: { group: '', version: 'v1', kind },
      object: object as unknown as KubeObject,
      oldObject: undefined,
    }),
    () => undefined,
  );
}

const STREAMED: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward']);

function containerOf(pod: KubeObject, wanted: string): string {
  const names = (field: string): string[] =>
    listAt(pod, 'spec', field).map((container) => textAt(container, 'name'));
  const containers = names('containers');
  const others = [...names('initContainers'), ...names('ephemeralContainers')];
  const name = pod.metadata.name ?? '';
  if (wanted === '' && containers.length > 1) {
    throw badRequest(
      `a container name must be specified for pod ${name}, choose one of: [${containers.join(' ')}]`,
    );
  }
  const container = wanted === '' ? (containers[0] ?? '') : wanted;
  if (![...containers, ...others].includes(container)) {
    throw badRequest(`container ${container} is not valid for pod ${name}`);
  }
  return container;
}
