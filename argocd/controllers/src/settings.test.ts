import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isExcluded, readSettings, systemIgnoreRules } from './settings.ts';

describe('argocd-cm', () => {
  test('without anything the defaults of the original stand', () => {
    const settings = readSettings({});
    const { trackingMethod, instanceLabelKey, inClusterEnabled, impersonation } = settings;
    assert.deepEqual(
      { trackingMethod, instanceLabelKey, inClusterEnabled, impersonation },
      {
        trackingMethod: 'annotation',
        instanceLabelKey: 'app.kubernetes.io/instance',
        inClusterEnabled: true,
        impersonation: 'off',
      },
    );
    assert.equal(settings.pollIntervalMs, 120_000);
    assert.ok(isExcluded(settings, { group: '', kind: 'Event', server: 's' }));
    assert.ok(!isExcluded(settings, { group: '', kind: 'ConfigMap', server: 's' }));
  });

  test('customizations in both spellings, the split one wins', () => {
    const { customizations, problems } = readSettings({
      'resource.customizations': `
apps/Deployment:
  health.lua: return {status = "Healthy"}
  ignoreDifferences: |
    jsonPointers: [/spec/replicas]
"*.example.com/*":
  health.lua.useOpenLibs: true
Service:
  ignoreDifferences: |
    jqPathExpressions: [.spec.clusterIP]
`,
      'resource.customizations.ignoreDifferences.apps_Deployment':
        'managedFieldsManagers: [kube-controller-manager]',
      'resource.customizations.ignoreDifferences.all': 'jsonPointers: [/metadata/labels/x]',
      'resource.customizations.health.cert-manager.io_Certificate': 'return {}',
      'resource.customizations.useOpenLibs.cert-manager.io_Certificate': 'true',
      'resource.customizations.actions.batch_CronJob': 'discovery.lua: return {}',
    });
    assert.deepEqual(problems, []);
    const found = customizations.map(({ group, kind, healthLua, useOpenLibs }) =>
      [group, kind, healthLua ?? '-', useOpenLibs].join(' '),
    );
    assert.deepEqual(found, [
      'apps Deployment return {status = "Healthy"} false',
      '*.example.com * - true',
      ' Service - false',
      '* * - false',
      'cert-manager.io Certificate return {} true',
      'batch CronJob - false',
    ]);
    const rules = systemIgnoreRules(
      readSettings({
        'resource.customizations.ignoreDifferences.apps_Deployment':
          'managedFieldsManagers: [kube-controller-manager]',
        'resource.customizations.ignoreDifferences.all': 'jsonPointers: [/metadata/labels/x]',
      }),
    );
    assert.deepEqual(
      rules.map(({ target, jsonPointers, managers }) => [
        target.group,
        target.kind,
        jsonPointers,
        managers,
      ]),
      [
        ['apps', 'Deployment', [], ['kube-controller-manager']],
        ['*', '*', ['/metadata/labels/x'], []],
      ],
    );
  });

  test('exclusions and inclusions by group, kind and cluster', () => {
    const settings = readSettings({
      'resource.exclusions': `
- apiGroups: ["cilium.io"]
  kinds: ["*"]
  clusters: ["https://prod*"]
`,
    });
    const of = (group: string, kind: string, server: string) =>
      isExcluded(settings, { group, kind, server });
    assert.ok(of('cilium.io', 'CiliumIdentity', 'https://prod-1'));
    assert.ok(!of('cilium.io', 'CiliumIdentity', 'https://test'));
    const only = readSettings({
      'resource.inclusions': '- {apiGroups: ["apps"], kinds: [Deployment]}',
    });
    assert.ok(isExcluded(only, { group: '', kind: 'ConfigMap', server: 's' }));
    assert.ok(!isExcluded(only, { group: 'apps', kind: 'Deployment', server: 's' }));
  });

  test('what is malformed is told, and its default taken', () => {
    const settings = readSettings({
      'resource.exclusions': 'kinds: [',
      globalProjects: '- {labelSelector: {}}',
      'timeout.reconciliation': 'soon',
    });
    assert.equal(settings.globalProjects.length, 0);
    assert.equal(settings.problems.length, 3);
    assert.match(settings.problems.join(' '), /globalProjects.*resource\.exclusions.*timeout/);
  });

  test('flags', () => {
    const { impersonation, enabledTools, applicationNamespaces, applicationSets } = readSettings(
      {
        'application.sync.impersonation.enabled': 'true',
        'application.sync.impersonation.enforced': 'false',
        'jsonnet.enable': 'false',
      },
      {
        'application.namespaces': 'team-*, /x.*/',
        'applicationsetcontroller.policy': 'create-only',
        'applicationsetcontroller.allowed.scm.providers': 'https://a/, https://b/',
      },
    );
    assert.equal(impersonation, 'wanted');
    assert.deepEqual(enabledTools, { kustomize: true, helm: true, jsonnet: false });
    assert.deepEqual(applicationNamespaces, ['team-*', '/x.*/']);
    assert.equal(applicationSets.allowsPolicyOverride, false);
    assert.deepEqual(applicationSets.scm.allowedProviders, ['https://a/', 'https://b/']);
  });
});
