/** What stands in the way of a release, and what flags and gates change about that. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHelmRelease } from '@capstan/flux-api';
import type { FluxSettings } from '@capstan/flux-controllers';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { dateChart, findSource } from './chart-source.ts';
import { conditionOf } from './conditions.ts';
import type { HelmControlState } from './control-state.ts';
import { type Observed, observeRelease } from './observe-release.ts';
import { releaseExpressions } from './release-expressions.ts';
import { chartOf } from './testing/chart-server.ts';

function helmRelease(name: string, spec: JsonObject, status: JsonObject = {}): KubeObject {
  return {
    apiVersion: 'helm.toolkit.fluxcd.io/v2',
    kind: 'HelmRelease',
    metadata: { name, namespace: 'apps', generation: 1 },
    spec: { interval: '10m', chartRef: { kind: 'OCIRepository', name: 'shop' }, ...spec },
    status,
  };
}

function released(object: KubeObject) {
  const parsed = parseHelmRelease(object);
  assert.equal(parsed.kind, 'ok');
  return parsed.value;
}

/** Of a HelmRelease whose dependency is not ready. */
async function observe(readyExpr: string, settings: FluxSettings = {}): Promise<Observed> {
  const base = helmRelease('base', {}, { observedGeneration: 1, phase: 'Up' });
  const control = {
    find: (kind: string) => (kind === 'HelmRelease' ? base : undefined),
  } as unknown as HelmControlState;
  return observeRelease(
    released(helmRelease('web', { dependsOn: [{ name: 'base', readyExpr }] })),
    {
      control,
      settings,
      tenancy: {},
      clock: { now: () => 0, after: () => () => undefined },
      signal: new AbortController().signal,
      isReadyByExpression: releaseExpressions().isReady,
    } as never,
  );
}

const told = (observed: Observed): string => {
  const { reason, message } = conditionOf(observed.release, 'Ready') ?? {};
  return `${reason}: ${message}`;
};

test('an expression decides alone, beside the conditions where a gate says so, and not with unknown names', async () => {
  const isUp = 'dep.status.phase == "Up"';
  assert.match(told(await observe(isUp)), /^ArtifactFailed: could not get Source object: /);
  assert.equal(
    told(await observe(isUp, { additiveDependencyCheck: true })),
    "DependencyNotReady: dependency 'apps/base' is not ready",
  );
  const observed = await observe('deps.status.phase == "Up"');
  assert.equal(
    told(observed).split('\n')[0],
    "InvalidCELExpression: Reconciliation failed terminally due to configuration error: failed to evaluate dependency base: failed to parse the CEL expression 'deps.status.phase == \"Up\"': ERROR: <input>:1:1: undeclared reference to 'deps' (in container '')",
  );
  assert.ok(observed.kind === 'incomplete' && observed.end.kind === 'stalled');
});

test('a gate refuses ExternalArtifacts as charts', () => {
  const chartRef = { kind: 'ExternalArtifact', name: 'shop' };
  const release = released(helmRelease('web', { chartRef }));
  const control = { find: () => undefined } as unknown as HelmControlState;
  const settings = { refusesExternalArtifacts: true };
  assert.throws(
    () => findSource(release, { control, tenancy: {}, settings }),
    (error: unknown) => error instanceof CapstanError && error.code === 'ACCESS_DENIED',
  );
});

test('a chart’s version carries the digest of its artifact, unless a gate keeps it as it is', () => {
  const chart = chartOf({ 'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.2.3\n' });
  const digest = `sha256:${'ab'.repeat(32)}`;
  const source: KubeObject & { status: object } = {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'OCIRepository',
    metadata: { name: 'shop', namespace: 'apps' },
    status: { artifact: { revision: `1.2.3@${digest}` } },
  };
  const versions = [{}, { keepsChartVersions: true }].map((settings) => {
    const dated = dateChart(chart, source as never, settings);
    assert.equal(dated.ociDigest, digest);
    return dated.chart.metadata.version;
  });
  assert.deepEqual(versions, ['1.2.3+abababababab', '1.2.3']);
});
