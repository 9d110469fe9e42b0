import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meddleBefore, pause } from '@capstan/engine-delivery/testing';
import { createWorld } from './testing/world.ts';

const release = (name: string, rest = '') => `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: ${name}, namespace: apps}
spec:
  interval: 10m
  chart: {spec: {chart: shop, sourceRef: {kind: HelmRepository, name: charts}}}
${rest}
`;

test('a dependency that becomes ready while a release is about to tell that it is not is not overlooked', async () => {
  let meddle: () => Promise<unknown> = async () => undefined;
  await using world = await createWorld({
    through: (transport) =>
      meddleBefore(
        transport,
        ({ method, path, body }) =>
          method === 'PATCH' &&
          path.includes('/helmreleases/web/status') &&
          String(body).includes('DependencyNotReady'),
        () => meddle(),
      ),
  });
  let readyAtMs = 0;
  meddle = async () => {
    await world.apply(release('base'));
    await world.condition('HelmRelease', 'apps/base', 'Ready=True');
    // Whatever it tells of itself was seen by then.
    await pause(500);
    readyAtMs = Date.now();
  };
  world.charts.publish({
    'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
    'templates/config.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}"}\n',
  });
  await world.apply(`apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts, namespace: apps}
spec: {url: "${world.charts.url}", interval: 10m}
`);
  // Its chart is there already, so that nothing else has it looked at.
  await world.apply(release('web'));
  await world.condition('HelmRelease', 'apps/web', 'Ready=True');
  await world.apply(release('web', '  dependsOn: [{name: base}]'));
  await world.condition('HelmRelease', 'apps/web', 'Ready=True');
  assert.ok(Date.now() - readyAtMs < 25_000, 'not only by the look after thirty seconds');
});
