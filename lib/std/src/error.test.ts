import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CapstanError, redact } from './error.ts';

test('credentials leave a message when the error is built', () => {
  const error = new CapstanError('X', 'cannot fetch https://bob:s3cret@git.example.com/a.git now');
  assert.equal(error.message, 'cannot fetch https://***@git.example.com/a.git now');
});

test('a password that holds an at sign or a slash is hidden whole', () => {
  assert.equal(redact('ssh://u:p@ss/w@host/x'), 'ssh://***@host/x');
});

test('control characters are removed, newlines stay', () => {
  assert.equal(redact('a\u001b[31mb\nc'), 'a[31mb\nc');
});
