import { parseApiVersion } from '@capstan/kube-object';
import type { ControlPlaneEvent } from './run-controllers.ts';

export type LogEncoding = 'json' | 'console';

type Keys = Readonly<Record<string, unknown>>;

/** One line for what the process itself has to say. */
export function messageLine(message: string, keys: Keys, log: LogOptions): string {
  const level = keys['error'] === undefined ? 'info' : 'error';
  return log.encoding === 'json'
    ? jsonLine({ level, ts: timeOf(log), msg: message, ...keys })
    : consoleLine(level, message, keys, log);
}

/**
 * One line for an event of a reconciled object, under the keys of controller-runtime's logs as Flux's controllers write
 * them, so that `flux logs` and the dashboards of its users read them.
 */
export function eventLine(
  { component, event, reconcileId }: ControlPlaneEvent,
  log: LogOptions,
): string {
  const { object, type, reason, message } = event;
  const { name = '', namespace = '' } = object.metadata;
  // Drift is told by a warning, and logged as what was found.
  const isError = type === 'Warning' && reason !== 'DriftDetected';
  const level = isError ? 'error' : 'info';
  if (log.encoding === 'console')
    return consoleLine(level, `${object.kind}/${namespace}/${name}: ${message}`, { reason }, log);
  return jsonLine({
    level,
    ts: timeOf(log),
    // The words of controller-runtime, which queries of logs look for.
    ...(isError ? { msg: 'Reconciler error', error: message } : { msg: message }),
    logger: component,
    controller: object.kind.toLowerCase(),
    controllerGroup: parseApiVersion(object.apiVersion).group,
    controllerKind: object.kind,
    [object.kind]: { name, namespace },
    namespace,
    name,
    ...(reconcileId === undefined ? {} : { reconcileID: reconcileId }),
    reason,
    ...revisionOf(event.annotations ?? {}),
  });
}

export interface LogOptions {
  readonly encoding: LogEncoding;
  readonly nowMs: number;
}

function timeOf({ nowMs }: LogOptions): string {
  return new Date(nowMs).toISOString();
}

function jsonLine(fields: Keys): string {
  return `${JSON.stringify(fields)}\n`;
}

function consoleLine(level: string, message: string, keys: Keys, log: LogOptions): string {
  const rest = Object.entries(keys).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
  return `${timeOf(log)} ${level} ${message.replaceAll('\n', '; ')}${rest.join('')}\n`;
}

function revisionOf(annotations: Readonly<Record<string, string>>): Keys {
  const found = Object.entries(annotations).find(([name]) => name.endsWith('/revision'));
  return found === undefined ? {} : { revision: found[1] };
}
