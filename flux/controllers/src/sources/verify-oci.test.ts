import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signerFilter } from './verify-oci.ts';

const SIGNER = {
  issuer: 'https://token.example.com',
  subject: 'https://git.example.com/org/app/.ci/release.yaml@refs/heads/main',
};
const BARE = 'git.example.com/org/app/.ci/release.yaml@refs/heads/main';
const OWN = { issuer: '^https://token\\.example\\.com$', subject: '/org/app/' };

test('who signed has to be named by one entry; a bundle counts for nobody without one', () => {
  const told = (matchOIDCIdentity: readonly (typeof OWN)[]) => {
    const problemWith = signerFilter({ matchOIDCIdentity });
    return [problemWith(SIGNER, 'tag'), problemWith(SIGNER, 'bundle')];
  };
  const none = `none of the expected identities matched what was in the certificate, got subjects [${BARE}] with issuer ${SIGNER.issuer}`;
  const mismatch =
    'failed to verify certificate identity: no matching CertificateIdentity found, last error: expected';
  assert.deepEqual(told([OWN]), [undefined, undefined]);
  assert.deepEqual(told([{ ...OWN, subject: '^else' }, OWN]), [undefined, undefined]);
  assert.deepEqual(told([{ ...OWN, subject: '^else' }]), [
    none,
    `${mismatch} SAN value to match regex "^else", got "${BARE}"`,
  ]);
  assert.deepEqual(told([{ ...OWN, issuer: '^else' }]), [
    none,
    `${mismatch} issuer value to match regex "^else", got "${SIGNER.issuer}"`,
  ]);
  assert.deepEqual(told([]), [
    undefined,
    "failed to build policy: can't verify identities without providing at least one identity",
  ]);
});
