import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeNetworkError } from './network-error.ts';
import { isNearby } from './reference.ts';
import { registryErrors } from './registry-errors.ts';

function failure(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}

test('what keeps a host from being reached is told as Go tells it', () => {
  const refused = failure('connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED');
  const rows: readonly (readonly [unknown, string])[] = [
    [refused, 'dial tcp 127.0.0.1:1: connect: connection refused'],
    [
      new AggregateError([refused, failure('connect ECONNREFUSED ::1:1', 'ECONNREFUSED')]),
      'dial tcp 127.0.0.1:1: connect: connection refused',
    ],
    [
      failure('getaddrinfo ENOTFOUND no.invalid', 'ENOTFOUND'),
      'dial tcp: lookup no.invalid: no such host',
    ],
    [
      failure('self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT'),
      'tls: failed to verify certificate: x509: certificate signed by unknown authority',
    ],
    [
      failure('certificate has expired', 'CERT_HAS_EXPIRED'),
      'tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
    ],
    [failure('socket hang up', 'ECONNRESET'), 'socket hang up (ECONNRESET)'],
    ['of no form', 'of no form'],
  ];
  for (const [error, words] of rows) assert.equal(describeNetworkError(error), words);
  const hungUp = failure('other side closed', 'UND_ERR_SOCKET');
  assert.equal(describeNetworkError(hungUp), 'other side closed (UND_ERR_SOCKET)');
  assert.equal(
    describeNetworkError(hungUp, { showsCertificate: true }),
    'remote error: tls: bad certificate: other side closed (UND_ERR_SOCKET)',
  );
});

test("a registry's errors are printed as Go's clients do, and nothing else it sends", () => {
  const print = (value: unknown) =>
    registryErrors(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
  const unknown = { code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' };
  assert.equal(print({ errors: [unknown] }), ': MANIFEST_UNKNOWN: manifest unknown');
  assert.equal(
    print({ errors: [{ ...unknown, detail: { Tag: '1.0', At: [1, null] } }, unknown] }),
    ': MANIFEST_UNKNOWN: manifest unknown; map[At:[1 <nil>] Tag:1.0]; MANIFEST_UNKNOWN: manifest unknown',
  );
  for (const other of ['', '<html>', '[]', 'null', { errors: 'x' }, { errors: [null, 'x'] }]) {
    assert.equal(print(other), '', JSON.stringify(other));
  }
  // A stranger's text neither breaks a line nor is long.
  const long = print({ errors: [{ code: 'A\nB', message: 'x'.repeat(1000) }] });
  assert.match(long, /^: A B: x+$/);
  assert.equal(long.length, 300);
});

test('only registries nearby may be asked without TLS', () => {
  for (const near of [
    'localhost',
    'localhost:5000',
    '127.0.0.1:5000',
    '[::1]:5000',
    '10.1.2.3:5000',
    '172.16.0.1',
    '192.168.1.1:443',
    'registry.flux-system.svc.cluster.local:5000',
  ]) {
    assert.equal(isNearby(near), true, near);
  }
  for (const far of ['ghcr.io', '172.32.0.1', '11.1.2.3', 'localhost.example.com', 'x.local.com']) {
    assert.equal(isNearby(far), false, far);
  }
});
