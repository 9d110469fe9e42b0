import { parseDurationNanos } from '@capstan/kube-object';
import { badRequest } from './api-error.ts';
import type { RequestInfo } from './request-info.ts';

const LONG_RUNNING: ReadonlySet<string> = new Set([
  'attach',
  'exec',
  'log',
  'portforward',
  'proxy',
]);

/** Throws for a `timeout` in the query that is no duration; requests that may last for ever are not asked for one. */
export function checkTimeout(info: RequestInfo, query: URLSearchParams): void {
  if (info.kind === 'resource') {
    const { verb, subresource } = info.resource;
    if (verb === 'watch' || verb === 'proxy' || LONG_RUNNING.has(subresource)) return;
  }
  const text = query.get('timeout') ?? '';
  if (text === '' || parseDurationNanos(text) !== undefined) return;
  throw badRequest(`invalid timeout specified in the request URL - ${durationError(text)}`);
}

/** What Go's time.ParseDuration says of a text that is no duration. */
function durationError(text: string): string {
  const quoted = JSON.stringify(text);
  const rest = text.replace(/^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)(?![^.\d]))*/, '');
  const unit = /^(?:\d+\.?\d*|\.\d+)([^.\d]*)/.exec(rest)?.[1];
  if (unit === undefined || /^(?:ns|us|µs|μs|ms|s|m|h)$/.test(unit)) {
    return `time: invalid duration ${quoted}`;
  }
  return unit === ''
    ? `time: missing unit in duration ${quoted}`
    : `time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`;
}
