import {
  ApiError,
  cloneJson,
  type LocalClient,
  numberAt,
  timestamp,
  WebhookPending,
} from '@capstan/kube-apiserver';
import type { KubeObject } from '@capstan/kube-object';
import type { Clock } from '@capstan/lib-std';

/** Writes an Event about an object; the same again raises the count of the one that is there. */
export type Recorder = (
  about: KubeObject,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
) => void;

const RETRY_MS = 50;
const ATTEMPTS_MAX = 100;

export function createRecorder(client: LocalClient, clock: Clock, component: string): Recorder {
  const record = (...[about, type, reason, message]: Parameters<Recorder>): void => {
    const namespace = about.metadata.namespace ?? 'default';
    const suffix = hash(`${about.metadata.uid}/${type}/${reason}/${message}/${component}`);
    const name = `${about.metadata.name ?? ''}.${suffix}`;
    const now = timestamp(clock);
    try {
      const known = client.get('v1/events', namespace, name);
      if (known !== undefined) {
        const count = (numberAt(known, 'count') ?? 1) + 1;
        client.update('v1/events', { ...cloneJson(known), count, lastTimestamp: now });
        return;
      }
      client.create('v1/events', {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name, namespace },
        involvedObject: {
          kind: about.kind,
          ...(about.metadata.namespace === undefined ? {} : { namespace }),
          name: about.metadata.name ?? '',
          uid: about.metadata.uid ?? '',
          apiVersion: about.apiVersion,
          resourceVersion: about.metadata.resourceVersion ?? '',
        },
        reason,
        message,
        source: { component },
        firstTimestamp: now,
        lastTimestamp: now,
        count: 1,
        type,
        eventTime: null,
        reportingComponent: component,
        reportingInstance: '',
      });
    } catch (error) {
      // An event may be lost: its namespace is going away, or another one came first.
      if (!(error instanceof ApiError) || error instanceof WebhookPending) throw error;
    }
  };
  const attempt = (event: Parameters<Recorder>, left: number): void => {
    try {
      record(...event);
    } catch (error) {
      if (!(error instanceof WebhookPending)) throw error;
      if (left > 0) clock.after(RETRY_MS, () => attempt(event, left - 1));
    }
  };
  return (...event) => attempt(event, ATTEMPTS_MAX);
}

/** FNV-1a over the text, in hexadecimal: short, and the same for the same text. */
export function hash(text: string): string {
  let high = 0x811c9dc5;
  let low = 0x01000193;
  for (let i = 0; i < text.length; i++) {
    high = Math.imul(high ^ text.charCodeAt(i), 0x01000193) >>> 0;
    low = Math.imul(low ^ text.charCodeAt(text.length - 1 - i), 0x811c9dc5 | 1) >>> 0;
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}
