import type { KubeObject } from '@capstan/kube-object';

export interface LogRequest {
  readonly container: string;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines: number | undefined;
  readonly sinceSeconds: number | undefined;
  readonly limitBytes: number | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** What a node would answer for its containers: a port, as the API server runs none. Throws ApiError where there is nothing. */
export interface ContainerRuntime {
  logs(pod: KubeObject, request: LogRequest): string | AsyncIterable<string>;
  exec(pod: KubeObject, container: string, command: readonly string[], stdin: string): ExecResult;
}

/** Containers that say nothing. */
export const SILENT_RUNTIME: ContainerRuntime = {
  logs: () => '',
  exec: () => ({ stdout: '', stderr: '', exitCode: 0 }),
};
