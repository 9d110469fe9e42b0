/**
 * Flux's own controllers beside `capstan serve` on a real control plane, told apart by labels: the real kustomize-controller on
 * artifacts of our sources, and our Kustomizations on artifacts of the real source-controller. A command, no part of CI: the
 * programs take long to build.
 *
 *     node conformance/flux-interop/deep.ts KUSTOMIZE_CONTROLLER [SOURCE_CONTROLLER]
 *
 * Both are `go build` in a copy of their modules (github.com/fluxcd/…-controller), without the `replace` of `./api`.
 */
import type { KubeClient } from '@capstan/kube-client';
import { conditionsOf, isConditionTrue, type KubeObject } from '@capstan/kube-object';
import { parseYaml } from '@capstan/lib-yaml';
import { startCluster } from '../cluster/cluster.ts';
import { at, clientOf, eventually } from '../cluster/support.ts';
import { serveRepository } from '../flux-helm/git-repository.ts';
import { startCapstan, startOfficial, startSources } from './official-controllers.ts';

const OURS = { by: 'capstan' };
const THEIRS = { by: 'flux' };
const SOURCE = 'source.toolkit.fluxcd.io/v1';
const KUSTOMIZE = 'kustomize.toolkit.fluxcd.io/v1';
const NAMESPACE = 'shop';
const WAIT_MS = 120_000;

const [kustomizeController, sourceController] = process.argv.slice(2);
if (kustomizeController === undefined) {
  console.error('usage: deep.ts KUSTOMIZE_CONTROLLER [SOURCE_CONTROLLER]');
  process.exit(2);
}

await using cluster = await startCluster();
const client = await clientOf(cluster);
await using own = await startCapstan(client, cluster, NAMESPACE);
void own;
await using git = await serveRepository(
  {
    'kustomization.yaml': 'resources: [config.yaml]\n',
    'config.yaml': config('red'),
  },
  'app',
);

await using kustomize = startOfficial(kustomizeController, cluster, [
  '--feature-gates=ExternalArtifact=true',
]);
void kustomize;
const sources = await ownSources(client, git.url);
for (const [name, source] of Object.entries(sources)) {
  await client.create(kustomization(`theirs-${name}`, source, THEIRS));
  const revision = await applied(`theirs-${name}`, 'red');
  console.log(`kustomize-controller on our ${source.kind}: ${revision}`);
}
await paint('blue', 'ours');
for (const name of Object.keys(sources)) {
  console.log(`  and after a push: ${await applied(`theirs-${name}`, 'blue')}`);
}

if (sourceController !== undefined) {
  await using source = await startSources(sourceController, cluster);
  void source;
  await client.create(gitRepository('theirs', git.url, THEIRS));
  await ready('GitRepository', 'theirs');
  await client.create(kustomization('ours', { kind: 'GitRepository', name: 'theirs' }, OURS));
  console.log(`our Kustomization on source-controller's: ${await applied('ours', 'blue')}`);
  await paint('green', 'theirs');
  console.log(`  and after a push: ${await applied('ours', 'green')}`);
}

/** Pushes a change, and has a repository looked at. */
async function paint(color: string, repository: string): Promise<void> {
  await git.push({ 'config.yaml': config(color) });
  const ref = { apiVersion: SOURCE, kind: 'GitRepository', namespace: NAMESPACE, name: repository };
  const annotations = { 'reconcile.fluxcd.io/requestedAt': color };
  await client.patch(ref, { metadata: { annotations } }, { type: 'merge' });
}

/** Waits until a Kustomization has applied the ConfigMap in this color; answers the revision. */
async function applied(name: string, color: string): Promise<string> {
  await eventually(
    async () => {
      const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: NAMESPACE };
      const found = await client.find({ ...ref, name: `${name}-shop` });
      return at(found, 'data', 'color') === color;
    },
    `the ConfigMap of ${name}`,
    WAIT_MS,
  );
  // The objects come first, and then the status that tells of them: until then it is that of the revision before.
  const done = await ready('Kustomization', name, (one) => {
    const attempted = at(one, 'status', 'lastAttemptedRevision');
    return attempted !== undefined && attempted === at(one, 'status', 'lastAppliedRevision');
  });
  return String(at(done, 'status', 'lastAppliedRevision'));
}

function config(color: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\ndata: {color: ${color}}\n`;
}

interface SourceRef {
  readonly kind: string;
  readonly name: string;
}

/** One of each kind that a Kustomization takes and that needs no registry. */
async function ownSources(
  to: KubeClient,
  url: string,
): Promise<Readonly<Record<string, SourceRef>>> {
  await to.create(gitRepository('ours', url, OURS));
  await ready('GitRepository', 'ours');
  await to.create(
    parseYaml(`apiVersion: source.extensions.fluxcd.io/v1beta1
kind: ArtifactGenerator
metadata: {name: made, namespace: ${NAMESPACE}, labels: {by: capstan}}
spec:
  sources: [{alias: git, kind: GitRepository, name: ours}]
  artifacts:
    - name: made
      copy: [{from: "@git/app/**", to: "@artifact/app/"}]
`) as KubeObject,
  );
  await ready('ExternalArtifact', 'made');
  return {
    git: { kind: 'GitRepository', name: 'ours' },
    external: { kind: 'ExternalArtifact', name: 'made' },
  };
}

function gitRepository(name: string, url: string, labels: object): KubeObject {
  return {
    apiVersion: SOURCE,
    kind: 'GitRepository',
    metadata: { name, namespace: NAMESPACE, labels: { ...labels } },
    spec: { interval: '10m', url, ref: { branch: 'main' } },
  };
}

function kustomization(name: string, { kind, name: of }: SourceRef, labels: object): KubeObject {
  return {
    apiVersion: KUSTOMIZE,
    kind: 'Kustomization',
    metadata: { name, namespace: NAMESPACE, labels: { ...labels } },
    spec: {
      ...{ interval: '10m', path: './app', prune: true, namePrefix: `${name}-` },
      ...{ targetNamespace: NAMESPACE, sourceRef: { kind, name: of } },
    },
  };
}

async function ready(
  kind: string,
  name: string,
  holds: (object: KubeObject) => boolean = () => true,
): Promise<KubeObject> {
  const apiVersion = kind === 'Kustomization' ? KUSTOMIZE : SOURCE;
  let found: KubeObject | undefined;
  const isReady = async (): Promise<boolean> => {
    found = await client.find({ apiVersion, kind, namespace: NAMESPACE, name });
    if (found === undefined || !isConditionTrue(conditionsOf(found), 'Ready') || !holds(found))
      return false;
    return kind !== 'Kustomization' || at(found, 'status', 'history') !== undefined;
  };
  await eventually(isReady, `${kind}/${name}`, WAIT_MS).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(found?.['status'] ?? null)}`);
  });
  return found as KubeObject;
}
