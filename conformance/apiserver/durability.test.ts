import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runDurability } from './durability.ts';

test('kill -9 at any moment, or a full disk, loses nothing that a client was told', async () => {
  const { acknowledged, refused, seen } = await runDurability(8, 5);
  assert.ok(acknowledged > 50 && refused > 0 && seen > 0, `${[acknowledged, refused, seen]}`);
});
