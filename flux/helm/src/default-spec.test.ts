import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HelmRelease, parseHelmRelease } from '@capstan/flux-api';
import { withDefaults } from './default-spec.ts';
import { retryIntervalMs } from './policies.ts';
import { toInstallOptions } from './to-release-options.ts';

function release(spec: object): HelmRelease {
  const parsed = parseHelmRelease({
    apiVersion: 'helm.toolkit.fluxcd.io/v2',
    kind: 'HelmRelease',
    metadata: { name: 'web', namespace: 'apps' },
    spec: { interval: '1m', chartRef: { kind: 'OCIRepository', name: 'web' }, ...spec },
  });
  return parsed.kind === 'ok' ? parsed.value : assert.fail();
}

test("gates give defaults, which the object's own fields win over", () => {
  const gates = { helm3Defaults: true, retriesOnFailure: true };
  const plain = withDefaults(release({}), gates);
  assert.equal(toInstallOptions(plain).serverSideApply, false);
  assert.equal(plain.spec.postRenderStrategy, 'nohooks');
  assert.equal(retryIntervalMs(plain, 'install'), 300_000);
  assert.equal(retryIntervalMs(plain, 'upgrade'), 300_000);
  const own = withDefaults(
    release({
      postRenderStrategy: 'combined',
      install: { serverSideApply: true, strategy: { name: 'RemediateOnFailure' } },
    }),
    gates,
  );
  assert.equal(toInstallOptions(own).serverSideApply, true);
  assert.equal(own.spec.postRenderStrategy, 'combined');
  assert.equal(retryIntervalMs(own, 'install'), undefined);
  const given = release({});
  assert.equal(withDefaults(given, {}), given);
});
