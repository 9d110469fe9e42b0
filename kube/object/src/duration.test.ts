import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatDurationMs,
  formatDurationNanos,
  parseDurationMs,
  parseDurationNanos,
} from './duration.ts';

test('durations are read and printed as Go does', () => {
  const printed: Readonly<Record<string, string>> = {
    '1h30m': '1h30m0s',
    '90m': '1h30m0s',
    '1.5s': '1.5s',
    '1500ms': '1.5s',
    '250ms': '250ms',
    '1us': '1µs',
    '100ns': '100ns',
    '0': '0s',
    '-2m': '-2m0s',
    '.5h': '30m0s',
    '1h1ns': '1h0m0.000000001s',
  };
  for (const [text, want] of Object.entries(printed))
    assert.equal(formatDurationNanos(parseDurationNanos(text)!), want, text);
});

test('what is no duration is refused, also what does not fit', () => {
  for (const text of ['', '1', 's', '1x', '1h 2m', '--1s', '.s', '9999999999h', '1d'])
    assert.equal(parseDurationNanos(text), undefined, text);
});

test('milliseconds keep their fraction', () => {
  assert.equal(parseDurationMs('1.5ms'), 1.5);
  assert.equal(formatDurationMs(1.5), '1.5ms');
});
