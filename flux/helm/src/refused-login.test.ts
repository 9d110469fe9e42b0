import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CapstanError } from '@capstan/lib-std';
import { isRefusedLogin } from './refused-login.ts';

test('a refused login or certificate is one, whatever the address is made of', () => {
  for (const message of [
    'http://127.0.0.1:8080/index.yaml answered 401',
    'failed to fetch: unauthorized: authentication required',
    'tls: failed to verify certificate',
    'write EPROTO: tlsv1 alert unknown ca',
  ]) {
    assert.equal(isRefusedLogin(new Error(message)), true, message);
  }
  for (const message of [
    'failed to verify oci://127.0.0.1:40181/org/app:1.0.0: "(" is no regular expression',
    'http://charts.example.com/tls/401/unauthorized/index.yaml answered 404',
    'no chart in 127.0.0.1:14010',
    'no chart named turtles',
  ]) {
    assert.equal(isRefusedLogin(new Error(message)), false, message);
  }
  const denied = new CapstanError('OCI_DENIED', 'no', { kind: 'retry' });
  const error = new CapstanError('CHART', 'cannot be fetched', { kind: 'retry', cause: denied });
  assert.equal(isRefusedLogin(error), true);
});
