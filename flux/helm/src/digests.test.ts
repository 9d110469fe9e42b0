import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  commonMetadataDigest,
  isDigestOf,
  postRenderersDigest,
  releaseDigest,
  valuesDigest,
} from './digests.ts';
import { sampleRelease } from './testing/sample-release.ts';

// The expected digests are those of the original's Go structs and encoders.
describe('digests', () => {
  test('of a recorded revision are those of helm-controller, test hooks left out', () => {
    const expected = 'sha256:fabe69d19051c8df9232639192a5d5a61d707d04d8a2e667637ba0f7b405d4aa';
    assert.equal(releaseDigest(sampleRelease(), ''), expected);
    const [migrate] = sampleRelease().hooks;
    assert.ok(migrate);
    assert.equal(releaseDigest(sampleRelease({ hooks: [migrate] }), ''), expected);
    assert.equal(
      releaseDigest(sampleRelease({ config: {}, hooks: [], notes: '' }), ''),
      'sha256:d308b839a2659fd085fb537bb284b43727f48cbd96bcc02deddfd29f63128a9d',
    );
    assert.notEqual(releaseDigest(sampleRelease(), 'sha256:00'), expected);
  });

  test('of large whole numbers go by all their digits', () => {
    assert.equal(
      valuesDigest({ big: Number('12345678901234567168') }),
      'sha256:39f6d252f5d2fb73c35db77eef0dc85cfd65d499eef579deeb0cee21ff12cd9b',
    );
  });

  test('of values go by the bytes of their keys; none is the digest of nothing', () => {
    assert.equal(
      valuesDigest(sampleRelease().config),
      'sha256:2bd82dd3389d5914afe3ad858805c3c0800eb82c066f635e7d984731e2073b20',
    );
    const nothing = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    assert.equal(valuesDigest({}), nothing);
    assert.equal(isDigestOf(nothing, {}), true);
    assert.equal(isDigestOf(nothing, { a: 1 }), false);
    assert.equal(isDigestOf('sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709', {}), true);
    assert.equal(isDigestOf('nonsense', {}), false);
  });

  test('of post-renderers and common metadata follow the order of the API fields', () => {
    const patch = { patch: '- op: remove', target: { name: 'web', kind: 'Pod' } };
    const same = { patch: '- op: remove', target: { kind: 'Pod', name: 'web' } };
    const digest = postRenderersDigest([{ kustomize: { patches: [patch] } }]);
    assert.equal(postRenderersDigest([{ kustomize: { patches: [same] } }]), digest);
    assert.notEqual(postRenderersDigest([]), digest);
    assert.equal(
      commonMetadataDigest({ labels: { b: '1', a: '2' } }),
      commonMetadataDigest({ labels: { a: '2', b: '1' } }),
    );
  });
});
