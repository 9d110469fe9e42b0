import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fluxCrds } from './crds.ts';

test('each definition carries the labels by which the flux command finds it and learns whose it is', () => {
  assert.ok(fluxCrds.length > 0);
  for (const { metadata } of fluxCrds) {
    assert.equal(metadata.labels?.['app.kubernetes.io/part-of'], 'flux', metadata.name);
    assert.equal(metadata.labels?.['app.kubernetes.io/managed-by'], 'capstan', metadata.name);
  }
});
