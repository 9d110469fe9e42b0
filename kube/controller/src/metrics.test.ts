import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry } from './metrics.ts';

test('counters, gauges and histograms are written as Prometheus reads them', () => {
  const registry = createRegistry();
  registry.counter('b_total', 'Counts.').add({ app: 'a"b\\c\n', zone: 'x' }, 2);
  registry.gauge('a_gauge', 'Is.').set({}, 1.5);
  registry.gaugeFrom('d_now', 'Asked for.', () => [[{ kind: 'Pod' }, 3]]);
  const time = registry.histogram('c_seconds', 'Takes.', [0.1, 1]);
  time.observe({ x: '1' }, 0.1);
  time.observe({ x: '1' }, 0.5);
  time.observe({ x: '1' }, 5);
  assert.equal(
    registry.text(),
    [
      '# HELP a_gauge Is.',
      '# TYPE a_gauge gauge',
      'a_gauge 1.5',
      '# HELP b_total Counts.',
      '# TYPE b_total counter',
      'b_total{app="a\\"b\\\\c\\n",zone="x"} 2',
      '# HELP c_seconds Takes.',
      '# TYPE c_seconds histogram',
      'c_seconds_bucket{x="1",le="0.1"} 1',
      'c_seconds_bucket{x="1",le="1"} 2',
      'c_seconds_bucket{x="1",le="+Inf"} 3',
      'c_seconds_sum{x="1"} 5.6',
      'c_seconds_count{x="1"} 3',
      '# HELP d_now Asked for.',
      '# TYPE d_now gauge',
      'd_now{kind="Pod"} 3',
      '',
    ].join('\n'),
  );
});

test('asking twice for a name gives the same metric; another type is refused; a removed series is gone', () => {
  const registry = createRegistry();
  const gauge = registry.gauge('g', 'G.');
  gauge.set({ a: '1' }, 1);
  registry.gauge('g', 'G.').set({ a: '2' }, 2);
  gauge.remove({ a: '1' });
  assert.equal(registry.text(), '# HELP g G.\n# TYPE g gauge\ng{a="2"} 2\n');
  assert.throws(() => registry.counter('g', 'G.'), /metric g is a gauge/);
});

test('numbers are written as Go writes them', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0'],
    [-1.5, '-1.5'],
    [0.0001, '0.0001'],
    [9.999999999999999e-5, '9.999999999999999e-05'],
    [1e-7, '1e-07'],
    [999999, '999999'],
    [1e6, '1e+06'],
    [1234567.5, '1.2345675e+06'],
    [1e21, '1e+21'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
  ];
  for (const [value, text] of cases) {
    const registry = createRegistry();
    registry.gauge('g', 'G.').set({}, value);
    assert.equal(registry.text().split('\n')[2], `g ${text}`);
  }
});
