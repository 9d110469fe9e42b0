import type { LogRequest } from '@capstan/kube-apiserver';

/** One line of a container's output, with the time when it was written. */
export interface Line {
  readonly time: string;
  readonly text: string;
}

/** Of these lines what a request asks for, as one text. */
export function select(all: readonly Line[], request: LogRequest): string {
  const { sinceMs, tailLines } = request;
  const young =
    sinceMs === undefined ? all : all.filter(({ time }) => !(Date.parse(time) < sinceMs));
  const kept = tailLines === undefined ? young : young.slice(Math.max(0, young.length - tailLines));
  const text = kept
    .map(({ time, text: line }) => `${request.timestamps ? `${time} ` : ''}${line}\n`)
    .join('');
  return request.limitBytes === undefined ? text : text.slice(0, request.limitBytes);
}
