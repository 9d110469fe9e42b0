/**
 * What Helm did last, as helm-controller appends it to the events of failed actions ("Last Helm logs"): ten lines at most,
 * with their times, repeated ones counted. Names and numbers only: nothing of what an object or a value holds.
 */
import type { ReleasePorts, ReleaseWaits } from '@capstan/kube-helm';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import type { Clock } from '@capstan/lib-std';

const LINES_MAX = 10;

interface Line {
  readonly text: string;
  readonly firstMs: number;
  lastMs: number;
  repeats: number;
}

export class HelmLog {
  readonly #lines: Line[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(message: string, attributes: JsonObject = {}): void {
    const text = `${message}: ${JSON.stringify(attributes)}`;
    const nowMs = this.#clock.now();
    const last = this.#lines.at(-1);
    if (last?.text === text) {
      last.repeats++;
      last.lastMs = nowMs;
      return;
    }
    this.#lines.push({ text, firstMs: nowMs, lastMs: nowMs, repeats: 0 });
    if (this.#lines.length > LINES_MAX) this.#lines.shift();
  }

  /** The message with what was logged below it; alone when nothing was. */
  appendTo(message: string): string {
    if (this.#lines.length === 0) return message;
    return `${message}\n\nLast Helm logs:\n\n${this.#lines.map(formatLine).join('\n')}`;
  }
}

function formatLine({ text, firstMs, lastMs, repeats }: Line): string {
  const at = (ms: number) => new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z');
  const again = repeats === 0 ? '' : `\n${at(lastMs)}: ${text}`;
  const omitted = repeats - 1;
  const more = omitted < 1 ? '' : ` (${omitted} duplicate line${omitted > 1 ? 's' : ''} omitted)`;
  return `${at(firstMs)}: ${text}${again}${more}`;
}

/** The ports of kube/helm, with what is asked of the cluster, awaited and recorded told to the log. */
export function logged(ports: ReleasePorts, log: HelmLog): ReleasePorts {
  const { cluster, waits, observe } = ports;
  return {
    ...ports,
    cluster: {
      ...cluster,
      discovery: cluster.discovery,
      find: (ref, options) => cluster.find(ref, options),
      list: (ref, options) => cluster.list(ref, options),
      create: (object, options) => {
        if (!isRecord(object)) log.add('creating resource', named(object));
        return cluster.create(object, options);
      },
      update: (object, options) => cluster.update(object, options),
      patch: (ref, patch, options) => {
        log.add('patching resource', named(ref));
        return cluster.patch(ref, patch, options);
      },
      apply: (object, options) => {
        log.add('applying resource', named(object));
        return cluster.apply(object, options);
      },
      delete: (ref, options) => {
        log.add('deleting resource', named(ref));
        return cluster.delete(ref, options);
      },
    },
    ...(waits === undefined ? {} : { waits: loggedWaits(waits, log) }),
    warn: (message) => {
      log.add(`warning: ${message}`);
      ports.warn?.(message);
    },
    observe: (release) => {
      const { name, revision, status } = release;
      log.add('updating release', { key: `sh.helm.release.v1.${name}.v${revision}`, status });
      observe?.(release);
    },
  };
}

function loggedWaits(waits: ReleaseWaits, log: HelmLog): ReleaseWaits {
  const tell = (message: string, objects: readonly KubeObject[], timeoutMs: number): void => {
    if (objects.length > 0)
      log.add(message, { count: objects.length, timeout: `${timeoutMs / 1000}s` });
  };
  return {
    untilReady(objects, options) {
      tell('waiting for resources', objects, options.timeoutMs);
      return waits.untilReady(objects, options);
    },
    untilRun(objects, options) {
      tell('waiting for resources', objects, options.timeoutMs);
      return waits.untilRun(objects, options);
    },
    untilGone(objects, options) {
      tell('waiting for resources to be deleted', objects, options.timeoutMs);
      return waits.untilGone(objects, options);
    },
  };
}

function named(
  of: KubeObject | { readonly kind: string; readonly name: string; readonly namespace?: string },
): JsonObject {
  const { name = '', namespace = '' } = 'metadata' in of ? of.metadata : of;
  return { namespace, name, kind: of.kind };
}

/** A release's own record is told by `observe`. */
function isRecord({ kind, metadata }: KubeObject): boolean {
  return kind === 'Secret' && (metadata.name ?? '').startsWith('sh.helm.release.v1.');
}
