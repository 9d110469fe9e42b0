import type { Duplex } from 'node:stream';
import type { KubeObject } from '@capstan/kube-object';
import { ApiError } from './api-error.ts';
import type { Core } from './core.ts';

export interface LogRequest {
  readonly container: string;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines: number | undefined;
  /** Nothing that is older: milliseconds since the epoch. */
  readonly sinceMs: number | undefined;
  readonly limitBytes: number | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface Container {
  /** The cluster that the pod is in: a runtime may serve several. */
  readonly core: Core;
  readonly pod: KubeObject;
  readonly name: string;
}

/** What a process in a container is connected with. */
export interface ProcessStreams {
  /** Empty when nobody writes. */
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly tty: boolean;
  write(stream: 'stdout' | 'stderr', chunk: string | Uint8Array): void;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
}

export interface PortRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface PortAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a node would answer for its containers: a port, as the API server runs none. Throws ApiError where there is nothing. */
export interface ContainerRuntime {
  logs(core: Core, pod: KubeObject, request: LogRequest): string | AsyncIterable<string>;
  /** Runs a command; resolves to its exit code. */
  exec(container: Container, command: readonly string[], streams: ProcessStreams): Promise<number>;
  /** Listens to the main process until it ends or the client goes. */
  attach(container: Container, streams: ProcessStreams): Promise<number>;
  /** What a running container uses. */
  usage(pod: KubeObject, container: string): { readonly cpu: string; readonly memory: string };
  /** Carries one connection to a port until it ends. */
  connect(pod: KubeObject, port: number, connection: Duplex): Promise<void>;
  /** One HTTP request to a port, for whoever comes through the API server's proxy. */
  request(pod: KubeObject, port: number, request: PortRequest): PortAnswer;
}

/** Containers that say nothing. */
export const SILENT_RUNTIME: ContainerRuntime = {
  logs: () => '',
  exec: async () => 0,
  attach: async () => 0,
  usage: () => ({ cpu: '0', memory: '0' }),
  connect: async (pod, port) => refuse(pod, port),
  request: (pod, port) => refuse(pod, port),
};

function refuse(pod: KubeObject, port: number): never {
  throw new ApiError(
    503,
    'ServiceUnavailable',
    `nothing listens on port ${port} of pod ${pod.metadata.name}`,
  );
}
