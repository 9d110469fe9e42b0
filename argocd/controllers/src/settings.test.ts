import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  isExcluded,
  knownTypesOf,
  readSettings,
  selectorFor,
  systemIgnoreRules,
} from './settings.ts';
import { eventLabels } from './to-events.ts';

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

  test('inclusions speak of their own clusters alone, exclusions win', () => {
    const settings = readSettings({
      'resource.inclusions': '- {apiGroups: [apps], kinds: [Deployment], clusters: ["https://a*"]}',
      'resource.exclusions': '- {apiGroups: ["!apps"], kinds: [Job]}',
    });
    const of = (group: string, kind: string, server: string) =>
      isExcluded(settings, { group, kind, server });
    assert.ok(of('', 'ConfigMap', 'https://a1'));
    assert.ok(!of('apps', 'Deployment', 'https://a1'));
    assert.ok(!of('', 'ConfigMap', 'https://b1'));
    // A `!` is no negation here.
    assert.ok(!of('batch', 'Job', 'https://b1'));
  });

  test('selectors of resources are joined for the kinds that they speak of', () => {
    const settings = readSettings({
      'resource.selectors': `
- {kinds: [Pod], selector: "app=web"}
- {apiGroups: [""], selector: "!internal"}
- {kinds: [Secret], clusters: ["https://b*"], selector: "x"}
- {kinds: [Pod]}
`,
    });
    const of = (group: string, kind: string) =>
      selectorFor(settings, { group, kind, server: 'https://a' });
    assert.equal(of('', 'Pod'), 'app=web,!internal');
    assert.equal(of('', 'Secret'), '!internal');
    assert.equal(of('apps', 'Deployment'), '');
  });

  test('types of fields of custom resources; those of Rollouts are known', () => {
    const { customizations, problems } = readSettings({
      'resource.customizations.knownTypeFields.example.com_App': `
- {field: spec.pod, type: core/v1/PodSpec}
- {field: spec.limit, type: core/Quantity}
- {field: spec.other, type: example/v1/Other}
`,
      'resource.customizations.knownTypeFields.example.com_Bad': '- {field: 1}',
    });
    assert.equal(problems.length, 1);
    const found = knownTypesOf({ ...readSettings({}), customizations });
    assert.deepEqual(
      found.map(({ kind, field, definition }) => [kind, field, definition].join(' ')),
      [
        'App spec.pod io.k8s.api.core.v1.PodSpec',
        'App spec.limit io.k8s.apimachinery.pkg.api.resource.Quantity',
        'Rollout spec.template.spec io.k8s.api.core.v1.PodSpec',
      ],
    );
  });

  test('whose status is left out of comparisons', () => {
    const of = (text: string) =>
      readSettings({ 'resource.compareoptions': `ignoreResourceStatusField: ${text}` })
        .ignoredStatus;
    assert.deepEqual(['all', 'crd', 'none', 'off', 'false', 'else'].map(of), [
      'all',
      'definitions',
      'none',
      'none',
      'none',
      'all',
    ]);
    assert.equal(readSettings({}).ignoredStatus, 'all');
  });

  test('annotations that hold secrets are listed with commas', () => {
    const cm = { 'resource.sensitive.mask.annotations': 'example.com/a, example.com/b' };
    assert.deepEqual(readSettings(cm).sensitiveAnnotations, ['example.com/a', 'example.com/b']);
  });

  test('labels of events: those that are included, without those that are excluded', () => {
    const settings = readSettings({
      'resource.includeEventLabelKeys': 'team, env*',
      'resource.excludeEventLabelKeys': 'environment',
    });
    const labelled = (labels: { readonly [key: string]: string }) => ({
      apiVersion: 'argoproj.io/v1alpha1' as const,
      metadata: { name: 'a', labels },
    });
    const app = {
      ...labelled({ team: 'a', environment: 'x', env: 'dev', other: 'y' }),
      kind: 'Application' as const,
      spec: { project: 'p', destination: {} },
    };
    const project = {
      ...labelled({ team: 'b', env2: 'z' }),
      kind: 'AppProject' as const,
      spec: {},
    };
    assert.deepEqual(eventLabels(app, project, settings), {
      labels: { team: 'a', env: 'dev', env2: 'z' },
    });
    assert.deepEqual(eventLabels(app, project, readSettings({})), {});
  });

  test('pauses of heals, and of looks at repositories', () => {
    const heal = (parameters: { readonly [key: string]: string }) =>
      readSettings({}, parameters).healBackoff;
    assert.deepEqual(heal({}), { baseMs: 2000, factor: 3, maxMs: 300_000, jitter: 0 });
    assert.equal(heal({ 'controller.self.heal.backoff.factor': '2' }).factor, 2);
    assert.deepEqual(
      heal({
        'controller.self.heal.timeout.seconds': '5',
        'controller.self.heal.backoff.timeout.seconds': '0',
      }),
      { baseMs: 5000, factor: 1, maxMs: 5000, jitter: 0 },
    );
    const of = (text: string) =>
      readSettings({}, { 'applicationsetcontroller.requeue.after': text }).applicationSets
        .requeueMs;
    assert.deepEqual(['10m', '', 'soon'].map(of), [600_000, 180_000, 180_000]);
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
