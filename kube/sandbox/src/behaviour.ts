import { flagAt, listAt, numberAt, objectAt, textAt } from '@capstan/kube-apiserver';
import type { Json, KubeObject } from '@capstan/kube-object';

/** How one container of a pod will behave; all durations are simulated. */
export interface Behaviour {
  /** From scheduling until it runs. */
  readonly startMs: number;
  /** From running until it is ready; Infinity: never. */
  readonly readyMs: number;
  /** It ends this long after its start; undefined: it runs on. */
  readonly endMs: number | undefined;
  readonly exitCode: number;
  /** Its image cannot be pulled. */
  readonly missing: boolean;
  /** The first wait after a second crash; doubled each time. */
  readonly backOffMs: number;
  /** From the request to stop until it is gone. */
  readonly stopMs: number;
}

const START_MS = 100;
const READY_MS = 100;
const JOB_MS = 200;
const CRASH_MS = 200;
const SLOW_MS = 30_000;
const STOP_MS = 100;
const BACK_OFF_MS = 2000;

/** Annotations of a pod (or its template) that decide how it behaves; each overrules the image's tag. */
export const ANNOTATIONS = {
  startDelay: 'sandbox.capstan.dev/start-delay',
  readyDelay: 'sandbox.capstan.dev/ready-delay',
  runFor: 'sandbox.capstan.dev/run-for',
  exitCode: 'sandbox.capstan.dev/exit-code',
  behaviour: 'sandbox.capstan.dev/behaviour',
} as const;

/**
 * Reads a container's behaviour: from annotations, then from its image's tag (`:crash`, `:slow`, `:missing`, `:unready`),
 * then from a command like `sh -c "sleep 5; exit 1"`. A container of a pod that is to end (a Job's) ends by itself.
 */
export function behaviourOf(pod: KubeObject, index: number): Behaviour {
  const container = listAt(pod, 'spec', 'containers')[index];
  const annotations = objectAt(pod, 'metadata', 'annotations');
  const named = textAt(annotations, ANNOTATIONS.behaviour) || tagOf(textAt(container, 'image'));
  // One that reads its input lives as long as somebody may write to it.
  const ends = textAt(pod, 'spec', 'restartPolicy') !== 'Always' && !flagAt(container, 'stdin');
  const command = commandOf(container);
  const crash = named === 'crash' || named === 'fail';
  const given = duration(textAt(annotations, ANNOTATIONS.runFor)) ?? command.runMs;
  const code = textAt(annotations, ANNOTATIONS.exitCode);
  const exitCode = code !== '' ? Number(code) : crash ? 1 : (command.exitCode ?? 0);
  const endMs = given ?? (crash || exitCode !== 0 ? CRASH_MS : ends ? JOB_MS : undefined);
  const slow = named === 'slow';
  return {
    startMs: duration(textAt(annotations, ANNOTATIONS.startDelay)) ?? START_MS,
    readyMs:
      duration(textAt(annotations, ANNOTATIONS.readyDelay)) ??
      (named === 'unready' ? Number.POSITIVE_INFINITY : slow ? SLOW_MS : readyDelay(container)),
    endMs: slow && ends ? SLOW_MS : endMs,
    exitCode,
    missing: named === 'missing',
    backOffMs: BACK_OFF_MS,
    stopMs: STOP_MS,
  };
}

/** The probe's own delay counts, but not in full: a sandbox is for people who wait. */
function readyDelay(container: Json | undefined): number {
  const initial = numberAt(container, 'readinessProbe', 'initialDelaySeconds') ?? 0;
  return READY_MS + Math.min(initial * 50, 2000);
}

function tagOf(image: string): string {
  const last = image.slice(image.lastIndexOf('/') + 1).split('@')[0] ?? '';
  const colon = last.indexOf(':');
  return colon < 0 ? '' : last.slice(colon + 1);
}

function commandOf(container: Json | undefined): { exitCode?: number; runMs?: number } {
  const words = [...listAt(container, 'command'), ...listAt(container, 'args')]
    .map(String)
    .join(' ');
  const exit = /\bexit\s+(\d+)/.exec(words);
  const sleep = /\bsleep\s+(\d+(?:\.\d+)?)\b/.exec(words);
  const isFalse = words.trim() === 'false' || words.trim() === '/bin/false';
  return {
    ...(exit === null ? (isFalse ? { exitCode: 1 } : {}) : { exitCode: Number(exit[1]) }),
    ...(sleep === null || exit === null ? {} : { runMs: Number(sleep[1]) * 1000 }),
    ...(sleep !== null && exit === null && Number(sleep[1]) < 3600
      ? { runMs: Number(sleep[1]) * 1000 }
      : {}),
  };
}

/** `500ms`, `3s`, `2m`, `1h`, or plain seconds. */
function duration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  if (match === null) return undefined;
  const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
  return Number(match[1]) * units[(match[2] ?? 's') as keyof typeof units];
}
