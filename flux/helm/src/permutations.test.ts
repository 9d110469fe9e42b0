/**
 * Charts, values and specs change in any order, over a network at its worst: in the end every release holds the last of each.
 * SEEDS=300 tries as many orders; SEED=7 begins with that one.
 */
import { test } from 'node:test';
import {
  type Act,
  actAtRandom,
  pause,
  seededRandom,
  trySeeds,
  unrulyNetwork,
} from '@capstan/engine-delivery/testing';
import type { Json } from '@capstan/kube-object';
import { at, conditions, createWorld, refTo, type World } from './testing/world.ts';

const CONFIG = `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-config}
data: {chart: "{{ .Chart.Version }}", color: "{{ .Values.color }}", size: "{{ .Values.size }}"}
`;
const chart = (count: number) => ({
  'Chart.yaml': `apiVersion: v2\nname: shop\nversion: 1.${count}.0\n`,
  'values.yaml': 'color: none\nsize: none\n',
  'templates/config.yaml': CONFIG,
});
const sizes = (count: number) => `apiVersion: v1
kind: ConfigMap
metadata: {name: sizes, namespace: apps, labels: {reconcile.fluxcd.io/watch: Enabled}}
data: {values.yaml: "size: s${count}"}
`;
const release = (name: string, rest: string) => `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: ${name}, namespace: apps}
spec:
  interval: 10m
  chart: {spec: {chart: shop, version: 1.x, interval: 10m, sourceRef: {kind: HelmRepository, name: charts}}}
  install: {strategy: {name: RetryOnFailure, retryInterval: 100ms}}
  upgrade: {strategy: {name: RetryOnFailure, retryInterval: 100ms}}
  values: {color: c0}
  valuesFrom: [{kind: ConfigMap, name: sizes}]
${rest}
`;
const RELEASES = ['base', 'web'];
const WEB = 'dependsOn: [{name: base}]';

const patch = ({ client }: World, kind: string, name: string, change: Json) =>
  client.patch(refTo(kind, `apps/${name}`), change, { type: 'merge' });
const anyRelease = (random: () => number) => RELEASES[Math.floor(random() * 2)] ?? '';
const ask = (world: World, kind: string, name: string, token: string) =>
  patch(world, kind, name, {
    metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': token } },
  });

async function publish(world: World, count: number, token: string): Promise<void> {
  world.charts.publish(chart(count));
  await ask(world, 'HelmRepository', 'charts', token);
}

const ACTS: readonly Act<World>[] = [
  (world, random, count) => publish(world, count, `${random()}`),
  (world, random, count) => publish(world, count, `${random()}`),
  (world, _random, count) => world.apply(sizes(count)),
  (world, random, count) =>
    patch(world, 'HelmRelease', anyRelease(random), { spec: { values: { color: `c${count}` } } }),
  (world, random) =>
    patch(world, 'HelmRelease', anyRelease(random), { spec: { suspend: random() < 0.5 } }),
  (world, random) =>
    patch(world, 'HelmRepository', 'charts', { spec: { suspend: random() < 0.5 } }),
  (world, random) => ask(world, 'HelmRelease', anyRelease(random), `${random()}`),
  (world) => world.restart(),
];

/** What has to be done last, in any order. */
const LAST: readonly ((world: World) => Promise<unknown>)[] = [
  async (world) => {
    await patch(world, 'HelmRepository', 'charts', { spec: { suspend: false } });
    await publish(world, 99, 'last');
  },
  (world) => world.apply(sizes(99)),
  async (world) => {
    for (const name of RELEASES)
      await patch(world, 'HelmRelease', name, {
        spec: { suspend: false, values: { color: 'c99' } },
      });
  },
];

async function runScript(seed: number): Promise<void> {
  const random = seededRandom(seed);
  await using world = await createWorld({
    through: (transport) => unrulyNetwork(transport, seededRandom(seed + 1_000_000)),
  });
  world.charts.publish(chart(0));
  await world.apply(`apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts, namespace: apps}
spec: {url: "${world.charts.url}", interval: 10m}
`);
  await world.apply(sizes(0));
  await world.apply(release('base', ''));
  await world.apply(release('web', `  ${WEB}`));
  await actAtRandom(world, ACTS, { random, times: 10 });
  const last = [...LAST].sort(() => random() - 0.5);
  for (const act of last) {
    await act(world);
    await pause(random() * 50);
  }
  const read = async () =>
    Promise.all(
      RELEASES.map(async (name) => {
        const config = await world.get('ConfigMap', `apps/${name}-config`);
        const one = await world.get('HelmRelease', `apps/${name}`);
        const ready = conditions(one).find((condition) => at(condition, 'type') === 'Ready');
        const version = at(one, 'status', 'history', 0, 'chartVersion');
        const told = `${String(at(ready, 'status'))} ${String(version)}`;
        return `${told} ${JSON.stringify(at(config, 'data'))}`;
      }),
    );
  const wanted = 'True 1.99.0 {"chart":"1.99.0","color":"c99","size":"s99"}';
  await world.eventually(read, (told) => told.every((text) => text === wanted));
}

test(
  'in whatever order things happen, releases hold the last chart and values',
  {
    timeout: 3_600_000,
  },
  async () => trySeeds(4, runScript),
);
