import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry } from '@capstan/kube-controller';
import { TokenCache } from './token-cache.ts';

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
