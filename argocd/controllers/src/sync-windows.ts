import type { ApplicationSpec, SyncWindow } from '@capstan/argocd-api';
import { fitsNegatable } from '@capstan/engine-delivery';
import { CapstanError } from '@capstan/lib-std';
import { type CronSchedule, nextFire, parseCron } from './cron.ts';
import { parseDurationMs } from './durations.ts';

/** Whether something may be synced now, and when that may change. */
export interface WindowVerdict {
  readonly allowed: boolean;
  /** Absent: never. */
  readonly changesAtMs?: number;
}

interface Target {
  readonly name: string;
  readonly destination: ApplicationSpec['destination'];
}

/** The windows of a project that speak of an application: by its name, cluster or namespace, or by all that are given. */
export function windowsFor(
  windows: readonly SyncWindow[],
  { name, destination }: Target,
): readonly SyncWindow[] {
  const { server = '', name: cluster = '', namespace = '' } = destination;
  return windows.filter(({ applications = [], clusters = [], namespaces = [], andOperator }) => {
    const fits = (patterns: readonly string[], texts: readonly string[]) =>
      patterns.some((pattern) =>
        texts.some((text) => !pattern.startsWith('!') && fitsNegatable(pattern, text)),
      );
    const given = [
      { patterns: applications, texts: [name] },
      { patterns: clusters, texts: [cluster, server].filter((text) => text !== '') },
      { patterns: namespaces, texts: [namespace] },
    ].filter(({ patterns }) => patterns.length > 0);
    if (given.length === 0) return false;
    return andOperator === true
      ? given.every(({ patterns, texts }) => fits(patterns, texts))
      : given.some(({ patterns, texts }) => fits(patterns, texts));
  });
}

interface OpenWindow {
  readonly kind: 'allow' | 'deny';
  readonly manualSync: boolean;
  readonly syncOverrun: boolean;
  readonly schedule: CronSchedule;
  readonly durationMs: number;
  readonly offsetMs: number;
}

/**
 * What the windows say (documentation: "Sync Windows"): an active deny forbids, else an active allow permits, else an allow
 * that is not active forbids. `manual` ones pass where all that forbid let them; a sync that has begun may run over.
 * Throws for windows that cannot be read: then nothing is synced.
 */
export function judgeWindows(
  windows: readonly SyncWindow[],
  {
    manual,
    nowMs,
    startedAtMs,
  }: { readonly manual: boolean; readonly nowMs: number; readonly startedAtMs?: number },
): WindowVerdict {
  if (windows.length === 0) return { allowed: true };
  const open = windows.map((window) => openWindow(window, nowMs));
  const changesAtMs = nextChange(open, nowMs);
  const judged = judgeAt(open, nowMs, manual);
  const mayRunOver =
    !judged.allowed &&
    startedAtMs !== undefined &&
    judged.forbidding.every(({ syncOverrun }) => syncOverrun);
  const allowed = judged.allowed || (mayRunOver && judgeAt(open, startedAtMs, manual).allowed);
  return { allowed, ...(changesAtMs === undefined ? {} : { changesAtMs }) };
}

function judgeAt(
  windows: readonly OpenWindow[],
  atMs: number,
  manual: boolean,
): { readonly allowed: boolean; readonly forbidding: readonly OpenWindow[] } {
  const active = windows.filter((window) => isActive(window, atMs));
  const denies = active.filter(({ kind }) => kind === 'deny');
  const inactive = windows.filter((one) => one.kind === 'allow' && !active.includes(one));
  const hasAllow = active.some(({ kind }) => kind === 'allow');
  const forbidding = denies.length > 0 ? denies : hasAllow ? [] : inactive;
  const allowed =
    forbidding.length === 0 || (manual && forbidding.every(({ manualSync }) => manualSync));
  return { allowed, forbidding };
}

function openWindow(window: SyncWindow, nowMs: number): OpenWindow {
  const { kind, schedule = '', duration = '', timeZone = '' } = window;
  if (kind !== 'allow' && kind !== 'deny') {
    throw new CapstanError(
      'SYNC_WINDOW_INVALID',
      `kind '${kind ?? ''}' mismatch: can only be allow or deny`,
      { hint: 'correct spec.syncWindows of the project: while it is wrong, nothing is synced' },
    );
  }
  return {
    kind,
    manualSync: window.manualSync === true,
    syncOverrun: window.syncOverrun === true,
    schedule: parseCron(schedule),
    durationMs: parseDurationMs(duration, 'spec.syncWindows.duration'),
    offsetMs: zoneOffsetMs(timeZone, nowMs),
  };
}

/** It fired within its duration; the schedule speaks of its zone's time of day. */
function isActive({ schedule, durationMs, offsetMs }: OpenWindow, atMs: number): boolean {
  const local = atMs + offsetMs;
  const fired = nextFire(schedule, local - durationMs);
  return fired !== undefined && fired < local;
}

/** The next time that a window opens or closes. */
function nextChange(windows: readonly OpenWindow[], nowMs: number): number | undefined {
  const times = windows.flatMap(({ schedule, durationMs, offsetMs }) => {
    const local = nowMs + offsetMs;
    const opens = nextFire(schedule, local);
    const opened = nextFire(schedule, local - durationMs);
    return [
      ...(opens === undefined ? [] : [opens - offsetMs]),
      ...(opened === undefined || opened >= local ? [] : [opened + durationMs - offsetMs]),
    ];
  });
  return times.length === 0 ? undefined : Math.min(...times);
}

/** How far a zone's clock is ahead of UTC now; an unknown zone is UTC, as in the original. */
function zoneOffsetMs(timeZone: string, nowMs: number): number {
  if (timeZone === '' || timeZone === 'UTC') return 0;
  try {
    const parts = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
    const text = parts.formatToParts(nowMs).find(({ type }) => type === 'timeZoneName')?.value;
    const match = /^GMT([+-])(\d{2}):(\d{2})$/.exec(text ?? '');
    if (match === null) return 0;
    const minutes = Number(match[2]) * 60 + Number(match[3]);
    return (match[1] === '-' ? -minutes : minutes) * 60_000;
  } catch {
    return 0;
  }
}
