import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFlags } from '../flags.ts';
import { FLUX_FLAGS, readFluxFlags } from './flux-flags.ts';

const read = (...args: readonly string[]) =>
  readFluxFlags(parseFlags(args, FLUX_FLAGS), { RUNTIME_NAMESPACE: 'flux' });

test("flags of Flux's controllers are followed", () => {
  const { tenancy, settings, notes } = read(
    '--no-cross-namespace-refs',
    '--default-service-account=tenant',
    '--watch-label-selector=sharding.fluxcd.io/key=one',
    '--override-manager=node-fetch',
    '--sops-age-secret=keys',
    '--no-remote-bases',
    '--custom-apply-stage-kinds=rbac.authorization.k8s.io/Role,ConfigMap',
    '--default-kubeconfig-service-account=reach',
    '--default-decryption-service-account=open',
    '--default-source-service-account=read',
    '--sops-vault-configmap=vaults',
    '--feature-gates=ObjectLevelWorkloadIdentity=true,DisableFailFastBehavior=true',
    '--feature-gates=StrictPostBuildSubstitutions=false,UseHelm3Defaults=true',
  );
  assert.deepEqual(tenancy, { noCrossNamespaceRefs: true, defaultServiceAccount: 'tenant' });
  assert.deepEqual(settings, {
    laxSubstitutions: true,
    helm3Defaults: true,
    objectIdentities: true,
    waitsForAll: true,
    noRemoteBases: true,
    defaultKubeConfigAccount: 'reach',
    defaultDecryptionAccount: 'open',
    defaultSourceAccount: 'read',
    customStageKinds: [
      { group: 'rbac.authorization.k8s.io', kind: 'Role' },
      { group: '', kind: 'ConfigMap' },
    ],
    overrideManagers: ['node-fetch'],
    watchSelector: [{ key: 'sharding.fluxcd.io/key', operator: '=', values: ['one'] }],
    sopsAgeSecret: { namespace: 'flux', name: 'keys' },
    sopsVaultConfigMap: { namespace: 'flux', name: 'vaults' },
  });
  assert.deepEqual(notes, []);
});

test('what changes nothing is said, what is unknown is refused', () => {
  const { notes } = read('--concurrent=20', '--feature-gates=OOMWatch=true');
  assert.deepEqual(notes, [
    '--feature-gates OOMWatch: the process has bounds of its own',
    '--concurrent: work is shared by what waits, not by a number',
  ]);
  assert.throws(() => read('--feature-gates=Nothing=true'), /Nothing=true is no gate of Flux's/);
  assert.throws(() => read('--feature-gates=OOMWatch=perhaps'), /is no gate of Flux's/);
  assert.throws(
    () => read('--default-kubeconfig-service-account=reach'),
    /the feature gate ObjectLevelWorkloadIdentity is not enabled/,
  );
  assert.throws(() => read('--watch-label-selector=a in b'), /--watch-label-selector a in b: /);
});
