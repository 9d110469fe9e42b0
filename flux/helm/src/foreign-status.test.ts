/** A status tells what was observed: what others write there, or a former process late, does not stand. */
import { test } from 'node:test';
import { at, createWorld, refTo } from './testing/world.ts';

test('neither what others say of a release stays, nor an artifact that they take from a chart or a repository', async () => {
  await using world = await createWorld();
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
  await world.apply(`apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: apps}
spec:
  interval: 10m
  chart: {spec: {chart: shop, interval: 10m, sourceRef: {kind: HelmRepository, name: charts}}}
`);
  await world.condition('HelmRelease', 'apps/web', 'Ready=True');
  const write = (kind: string, id: string, status: object) =>
    world.client.patch(
      refTo(kind, id),
      { status: { ...status } },
      { type: 'merge', subresource: 'status' },
    );
  const conditions = [
    {
      ...{
        type: 'Ready',
        status: 'Unknown',
        reason: 'Progressing',
        message: 'of a former process',
      },
      lastTransitionTime: new Date().toISOString(),
    },
  ];
  await write('HelmRelease', 'apps/web', { conditions });
  await world.condition('HelmRelease', 'apps/web', 'Ready=True');
  for (const [kind, id] of [
    ['HelmRepository', 'apps/charts'],
    ['HelmChart', 'apps/apps-web'],
  ] as const) {
    await write(kind, id, { artifact: null });
    await world.eventually(
      () => world.get(kind, id),
      (one) => at(one, 'status', 'artifact', 'digest') !== undefined,
    );
  }
});
