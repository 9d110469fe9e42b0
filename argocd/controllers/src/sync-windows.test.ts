import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SyncWindow } from '@capstan/argocd-api';
import { nextFire, parseCron } from './cron.ts';
import { judgeWindows, windowsFor } from './sync-windows.ts';

const at = (text: string) => Date.parse(text);
/** A Monday. */
const NOON = at('2024-05-06T12:00:00Z');

describe('schedules', () => {
  const rows: readonly (readonly [schedule: string, after: string, fires: string | undefined])[] = [
    ['0 8 * * *', '2024-05-06T07:59:59Z', '2024-05-06T08:00:00Z'],
    ['0 8 * * *', '2024-05-06T08:00:00Z', '2024-05-07T08:00:00Z'],
    ['*/15 9-17 * * mon-fri', '2024-05-03T17:46:00Z', '2024-05-06T09:00:00Z'],
    ['30 1,2 1 JAN ?', '2024-05-06T00:00:00Z', '2025-01-01T01:30:00Z'],
    ['5/20 0 * * *', '2024-05-06T00:06:00Z', '2024-05-06T00:25:00Z'],
    // Either day fits when both are restricted.
    ['0 0 13 * 5', '2024-05-06T00:00:00Z', '2024-05-10T00:00:00Z'],
    ['0 0 29 2 *', '2024-05-06T00:00:00Z', '2028-02-29T00:00:00Z'],
    ['0 0 30 2 *', '2024-05-06T00:00:00Z', undefined],
  ];
  for (const [schedule, after, fires] of rows) {
    test(`${schedule} after ${after}`, () => {
      const found = nextFire(parseCron(schedule), at(after));
      assert.equal(found, fires === undefined ? undefined : at(fires));
    });
  }
  for (const wrong of [
    '',
    '* * * *',
    '@daily',
    '60 * * * *',
    '* * * * 7',
    '5-1 * * * *',
    '*/0 * * * *',
    'x * * * *',
  ]) {
    test(`${JSON.stringify(wrong)} is refused`, () => {
      assert.throws(() => parseCron(wrong), { code: 'SCHEDULE_INVALID' });
    });
  }
});

const allow = (schedule: string, more: SyncWindow = {}): SyncWindow => ({
  kind: 'allow',
  schedule,
  duration: '1h',
  applications: ['*'],
  ...more,
});
const deny = (schedule: string, more: SyncWindow = {}): SyncWindow =>
  allow(schedule, { kind: 'deny', ...more });

describe('windows', () => {
  const active = '30 11 * * *';
  const inactive = '0 20 * * *';
  const rows: readonly {
    readonly title: string;
    readonly windows: readonly SyncWindow[];
    readonly manual?: boolean;
    readonly startedAtMs?: number;
    readonly allowed: boolean;
  }[] = [
    { title: 'none at all', windows: [], allowed: true },
    { title: 'an active allow', windows: [allow(active)], allowed: true },
    { title: 'an allow that is not active', windows: [allow(inactive)], allowed: false },
    {
      title: 'an active allow beside one that is not',
      windows: [allow(active), allow(inactive)],
      allowed: true,
    },
    { title: 'an active deny', windows: [deny(active)], allowed: false },
    { title: 'a deny that is not active', windows: [deny(inactive)], allowed: true },
    { title: 'a deny beats an allow', windows: [allow(active), deny(active)], allowed: false },
    {
      title: 'a person, where no window lets them',
      windows: [deny(active)],
      manual: true,
      allowed: false,
    },
    {
      title: 'a person, where it lets them',
      windows: [deny(active, { manualSync: true })],
      manual: true,
      allowed: true,
    },
    {
      title: 'a person, where one of two lets them',
      windows: [deny(active, { manualSync: true }), deny(active)],
      manual: true,
      allowed: false,
    },
    {
      title: 'a person outside an allow that lets them',
      windows: [allow(inactive, { manualSync: true })],
      manual: true,
      allowed: true,
    },
    {
      title: 'a sync that began before a deny runs over',
      windows: [deny(active, { syncOverrun: true })],
      startedAtMs: at('2024-05-06T11:00:00Z'),
      allowed: true,
    },
    {
      title: 'a sync that began before a deny that does not let it',
      windows: [deny(active)],
      startedAtMs: at('2024-05-06T11:00:00Z'),
      allowed: false,
    },
    {
      title: 'a sync that began within an allow that is over',
      windows: [allow('30 10 * * *', { syncOverrun: true })],
      startedAtMs: at('2024-05-06T11:00:00Z'),
      allowed: true,
    },
    {
      title: 'a sync that began outside all the same',
      windows: [allow('30 10 * * *', { syncOverrun: true })],
      startedAtMs: at('2024-05-06T11:45:00Z'),
      allowed: false,
    },
    {
      title: 'noon in UTC is 14 o’clock in Berlin',
      windows: [allow('30 13 * * *', { timeZone: 'Europe/Berlin' })],
      allowed: true,
    },
    {
      title: 'an unknown zone is UTC',
      windows: [allow(active, { timeZone: 'Nowhere/Land' })],
      allowed: true,
    },
  ];
  for (const { title, windows, manual = false, startedAtMs, allowed } of rows) {
    test(title, () => {
      const started = startedAtMs === undefined ? {} : { startedAtMs };
      assert.equal(judgeWindows(windows, { manual, nowMs: NOON, ...started }).allowed, allowed);
    });
  }

  test('the verdict says when it may change', () => {
    const verdict = judgeWindows([deny(active), allow(inactive)], { manual: false, nowMs: NOON });
    assert.equal(verdict.changesAtMs, at('2024-05-06T12:30:00Z'));
  });

  for (const wrong of [{ kind: 'maybe' }, { schedule: 'x' }, { duration: 'long' }]) {
    test(`${JSON.stringify(wrong)} cannot be read`, () => {
      const windows = [{ ...allow(active), ...wrong }];
      assert.throws(() => judgeWindows(windows, { manual: false, nowMs: NOON }));
    });
  }
});

describe('which applications a window speaks of', () => {
  const target = {
    name: 'web',
    destination: { server: 'https://prod.example.com', namespace: 'team-a' },
  };
  const rows: readonly (readonly [SyncWindow, boolean])[] = [
    [{ applications: ['w*'] }, true],
    [{ applications: ['api'] }, false],
    [{ namespaces: ['team-?'] }, true],
    [{ clusters: ['https://prod*'] }, true],
    [{ applications: ['api'], namespaces: ['team-a'] }, true],
    [{ applications: ['api'], namespaces: ['team-a'], andOperator: true }, false],
    [{ applications: ['web'], namespaces: ['team-a'], andOperator: true }, true],
    [{ andOperator: true }, false],
    [{}, false],
  ];
  for (const [window, expected] of rows) {
    test(JSON.stringify(window), () => {
      assert.equal(windowsFor([window], target).length === 1, expected);
    });
  }
});
