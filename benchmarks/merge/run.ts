/**
 * How many applies a second kube/merge does, beside Kubernetes' own library in the same run (if Go is there):
 * `node benchmarks/merge/run.ts [seconds per case]`. One core, nothing else of a server: no decoding, storage or admission;
 * the Go side copies its objects, as the API server does. `--json` prints one line of JSON for the report.
 */
import { applyServerSide, strategicMergePatch, trackUpdate } from '@capstan/kube-merge';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { type KindSchema, loadCatalogue } from '@capstan/kube-schema';
import { startOracle, whyNoOracle } from '../../conformance/merge/oracle.ts';

const catalogue = await loadCatalogue();
const deployments = catalogue.kind({ group: 'apps', version: 'v1', kind: 'Deployment' })!;
const configMaps = catalogue.kind({ group: '', version: 'v1', kind: 'ConfigMap' })!;
const secondsEach = Number(process.argv.slice(2).find((arg) => /^\d/.test(arg)) ?? 1);

function deployment(image: string, containers: number): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', labels: { app: 'web', tier: 'front' } },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: Array.from({ length: containers }, (_, i) => container(image, i)) },
      },
    },
  };
}

function container(image: string, index: number): JsonObject {
  return {
    name: `c${index}`,
    image,
    ports: [{ containerPort: 8080, name: 'http' }],
    env: Array.from({ length: 8 }, (_, i) => ({ name: `VARIABLE_${i}`, value: `value ${i}` })),
    resources: {
      limits: { cpu: '1', memory: '512Mi' },
      requests: { cpu: '100m', memory: '128Mi' },
    },
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  };
}

function configMap(keys: number, value: string): KubeObject {
  const data = Object.fromEntries(Array.from({ length: keys }, (_, i) => [`key-${i}`, value]));
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'shop' }, data };
}

function apply(live: KubeObject | undefined, applied: KubeObject, schema: KindSchema): KubeObject {
  const now = 1_700_000_000_000;
  const result = applyServerSide({ live, applied, manager: 'capstan', force: true, schema, now });
  if (result.kind !== 'applied') throw new Error(JSON.stringify(result));
  return result.object;
}

/** Operations a second, after a warm-up; the best of five rounds. */
function measure(run: () => void): number {
  for (let i = 0; i < 200; i++) run();
  let best = 0;
  for (let round = 0; round < 5; round++) {
    const end = performance.now() + (secondsEach * 1000) / 5;
    const start = performance.now();
    let count = 0;
    while (performance.now() < end) {
      run();
      count++;
    }
    best = Math.max(best, (count * 1000) / (performance.now() - start));
  }
  return Math.round(best);
}

const one = deployment('web:1', 2);
const changed = deployment('web:2', 2);
const live = apply(undefined, one, deployments);
const big = deployment('web:1', 30);
const bigLive = apply(undefined, big, deployments);
const bigChanged = deployment('web:2', 30);
const map = configMap(10, 'x');
const mapLive = apply(undefined, map, configMaps);
const mapChanged = configMap(10, 'y');
const tracked = {
  before: live,
  after: apply(live, changed, deployments),
  manager: 'm',
  schema: deployments,
  now: 0,
};
const patch = { spec: { template: { spec: { containers: [{ name: 'c1', image: 'web:2' }] } } } };

const figures: Record<string, number> = {
  'ConfigMap, 10 keys: create': measure(() => apply(undefined, map, configMaps)),
  'ConfigMap, 10 keys: change all': measure(() => apply(mapLive, mapChanged, configMaps)),
  'ConfigMap, 10 keys: nothing to do': measure(() => apply(mapLive, map, configMaps)),
  'Deployment, 2 containers: create': measure(() => apply(undefined, one, deployments)),
  'Deployment, 2 containers: new images': measure(() => apply(live, changed, deployments)),
  'Deployment, 2 containers: nothing to do': measure(() => apply(live, one, deployments)),
  'Deployment, 30 containers: new images': measure(() => apply(bigLive, bigChanged, deployments)),
  'Deployment, 2 containers: track an update': measure(() => trackUpdate(tracked)),
  'Deployment, 2 containers: strategic merge patch': measure(() =>
    strategicMergePatch(deployments.schema, live, patch),
  ),
};

/** The same applies by Kubernetes' library. */
async function measureGo(): Promise<Record<string, number>> {
  if (whyNoOracle() !== false) return {};
  await using oracle = startOracle();
  const cases: readonly (readonly [string, readonly KubeObject[]])[] = [
    ['ConfigMap, 10 keys: create', [map]],
    ['ConfigMap, 10 keys: change all', [map, mapChanged]],
    ['ConfigMap, 10 keys: nothing to do', [map, map]],
    ['Deployment, 2 containers: create', [one]],
    ['Deployment, 2 containers: new images', [one, changed]],
    ['Deployment, 2 containers: nothing to do', [one, one]],
    ['Deployment, 30 containers: new images', [big, bigChanged]],
  ];
  const result: Record<string, number> = {};
  for (const [name, objects] of cases) {
    const schema = objects[0]!.kind === 'ConfigMap' ? configMaps : deployments;
    const steps = objects.map((object) => ({
      op: 'apply' as const,
      manager: 'capstan',
      force: true,
      object,
      time: '2024-01-01T00:00:00Z',
    }));
    const answer = await oracle.ask({ op: 'bench', ...schema.kind, steps });
    if (typeof answer.result === 'number') result[name] = answer.result;
  }
  return result;
}

const go = await measureGo();
if (process.argv.includes('--json'))
  console.log(
    JSON.stringify({ suite: 'merge', unit: 'per second', capstan: figures, kubernetes: go }),
  );
else {
  console.log(' Capstan/s       Go/s');
  for (const [name, value] of Object.entries(figures))
    console.log(`${String(value).padStart(10)} ${String(go[name] ?? '').padStart(10)}  ${name}`);
}
