import type { Release } from '@capstan/kube-helm';

/** For tests: a recorded revision with something of everything that counts for its digest. */
export function sampleRelease(change: Partial<Release> = {}): Release {
  return {
    name: 'web',
    namespace: 'apps',
    revision: 3,
    status: 'deployed',
    description: 'Upgrade complete',
    firstDeployed: '2026-01-02T03:04:05.120Z',
    lastDeployed: '2026-01-02T03:04:05.123456789+02:00',
    deleted: '',
    notes: 'a <b> & "c"\n',
    rollbackRevision: 0,
    chart: {
      metadata: {
        apiVersion: 'v2',
        name: 'shop',
        version: '1.2.3',
        appVersion: '7',
        keywords: ['shop'],
        maintainers: [{ name: 'a', email: 'a@example.com' }],
        annotations: { b: '2', a: '1' },
        dependencies: [
          { name: 'child', version: '0.1.0', repository: '', condition: 'child.enabled' },
        ],
      },
    },
    config: { b: 1e21, a: { a10: true, a2: [1, 0.5, null] } },
    manifest: '---\n# Source: shop/templates/a.yaml\nkind: ConfigMap\n',
    hooks: [
      {
        name: 'migrate',
        kind: 'Job',
        path: 'shop/templates/job.yaml',
        manifest: 'kind: Job\n',
        events: ['pre-upgrade'],
        weight: -5,
        deletePolicies: ['before-hook-creation'],
        outputLogPolicies: [],
        lastRun: {
          startedAt: '2026-01-02T03:04:05.000Z',
          completedAt: '2026-01-02T03:04:06Z',
          phase: 'Succeeded',
        },
      },
      {
        name: 'check',
        kind: 'Pod',
        path: 'shop/templates/test.yaml',
        manifest: 'kind: Pod\n',
        events: ['test'],
        weight: 0,
        deletePolicies: [],
        outputLogPolicies: [],
        lastRun: { startedAt: '', completedAt: '', phase: '' },
      },
    ],
    applyMethod: 'ssa',
    labels: {},
    ...change,
  };
}
