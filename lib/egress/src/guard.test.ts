import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guardedLookup, isRefusedAddress, refuseAddress } from './guard.ts';

function look(name: string, all: boolean): Promise<unknown> {
  return new Promise((resolve, reject) => {
    guardedLookup(name, { all }, (error, address) => (error ? reject(error) : resolve(address)));
  });
}

test('link-local and metadata addresses are refused in every spelling', () => {
  const refused = [
    '169.254.169.254',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '[fe80::1]',
    'fe80::1%eth0',
    'fd00:ec2::254',
    '64:ff9b::169.254.169.254',
    '100.100.100.200',
    new URL('http://0xa9.254.169.254/').hostname,
  ];
  for (const address of refused) {
    assert.equal(isRefusedAddress(address), true, address);
    assert.throws(() => refuseAddress(address), { code: 'EGRESS_REFUSED' });
  }
  for (const address of ['10.0.0.1', '127.0.0.1', '169.253.1.1', 'fd00::1', 'example.com']) {
    assert.equal(isRefusedAddress(address), false, address);
    refuseAddress(address);
  }
});

test('what a name resolves to is judged, not how it is written', async () => {
  // The resolver of the machine makes an address of a number, as it would of a name in the DNS.
  await assert.rejects(look('2852039166', false), { code: 'EGRESS_REFUSED' });
  await assert.rejects(look('2852039166', true), { code: 'EGRESS_REFUSED' });
  assert.match(String(await look('localhost', false)), /^(127\.|::1)/);
  await assert.rejects(look('no-such-name.invalid', true), /ENOTFOUND|EAI_AGAIN/);
});
