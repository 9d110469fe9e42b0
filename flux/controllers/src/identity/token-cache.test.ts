import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry } from '@capstan/kube-controller';
import { forgetTokenEvents, type Lookup, TokenCache } from './token-cache.ts';

test('what is held, asked for and dropped is told under the names of Flux’s controllers', async () => {
  const registry = createRegistry();
  const cache = new TokenCache({ now: () => 0, after: () => () => undefined }, registry);
  for (let at = 0; at < 103; at++)
    await cache.get(`key ${at}`, async () => ({ at, expiresAtMs: 1e9 }));
  await cache.get('key 102', async () => Promise.reject(new Error('it is held')));
  await assert.rejects(cache.get('none', async () => Promise.reject(new Error('no'))));
  const lines = registry
    .text()
    .split('\n')
    .filter((line) => line.startsWith('gotk_token_'));
  assert.deepEqual(lines.sort(), [
    'gotk_token_cache_evictions_total 3',
    'gotk_token_cache_requests_total{status="failure"} 1',
    'gotk_token_cache_requests_total{status="success"} 104',
    'gotk_token_cached_items 100',
  ]);
});

test('several tokens for an object are one lookup: a hit when all were at hand', async () => {
  const registry = createRegistry();
  const cache = new TokenCache({ now: () => 0, after: () => () => undefined }, registry);
  const involved = {
    kind: 'Bucket',
    name: 'files',
    namespace: 'apps',
    operation: 'reconcile',
  } as const;
  const ask = async () => ({ expiresAtMs: 1e9 });
  for (const keys of [['a'], ['a'], ['a', 'b'], ['b', 'a'], []]) {
    const lookup: Lookup = {};
    for (const key of keys) await cache.get(key, ask, lookup);
    cache.tell(involved, lookup);
  }
  const failed: Lookup = {};
  await assert.rejects(cache.get('c', async () => Promise.reject(new Error('no')), failed));
  cache.tell(involved, failed);
  const labels = 'kind="Bucket",name="files",namespace="apps",operation="reconcile"';
  const lines = registry.text().split('\n');
  assert.ok(lines.includes(`gotk_token_cache_events_total{event_type="cache_hit",${labels}} 2`));
  assert.ok(lines.includes(`gotk_token_cache_events_total{event_type="cache_miss",${labels}} 3`));
  forgetTokenEvents(registry, involved);
  assert.doesNotMatch(registry.text(), /files/);
});
