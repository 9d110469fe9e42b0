/** What a person does with the flux command, in order, and what it must say. */
import { configMap } from '@capstan/apps-server/slice';
import type { FluxWorld } from './world.ts';

export interface Step {
  readonly args: readonly string[];
  /** 0 when absent. */
  readonly code?: number;
  /** What the output must match, each. */
  readonly says?: readonly RegExp[];
  readonly input?: string;
  /** Happens before it. */
  readonly first?: () => Promise<unknown>;
  /** Said again until it says so: what it shows is on its way. */
  readonly comes?: boolean;
}

const shop = (version: string) => ({
  'Chart.yaml': `apiVersion: v2\nname: shop\nversion: ${version}\n`,
  'values.yaml': 'color: red\n',
  'templates/config.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-config}\ndata: {color: {{ .Values.color | quote }}}\n',
});

const split = (line: string): readonly string[] => line.split(' ');

export async function prepare(world: FluxWorld): Promise<readonly Step[]> {
  const repository = await world.repository('mono');
  await repository.push({
    'app/a.yaml': configMap('a', `\${color:=red}`),
    'app/kustomization.yaml': 'resources: [a.yaml]\nnamespace: default\n',
    'chart/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 3.0.0\n',
    'chart/templates/c.yaml': configMap('c', 'x'),
  });
  world.charts.publish(shop('1.0.0'));
  const local = world.write('app/a.yaml', configMap('a', 'local')).replace(/\/a\.yaml$/, '');
  world.write('app/kustomization.yaml', 'resources: [a.yaml]\nnamespace: default\n');
  world.write('values.yaml', 'color: blue\n');
  world.write('key.txt', 'k');
  return [
    ...sources(world, repository.url),
    ...kustomizations(local, () => repository.push({ 'app/a.yaml': configMap('a', 'two') })),
    ...releases(world),
    ...artifacts(world, local),
    ...generators(world),
    ...secrets(),
    ...looks(),
    ...logs(world),
    ...deletions(),
  ];
}

function sources({ charts, registry }: FluxWorld, url: string): readonly Step[] {
  return [
    {
      args: split(`create source git mono --url=${url} --branch=main --interval=1m`),
      says: [/GitRepository source reconciliation completed/, /fetched revision: main@sha1:/],
    },
    {
      args: split(`create source git mono --url=${url} --branch=main --interval=1m --export`),
      says: [/kind: GitRepository/],
    },
    {
      args: split('get sources git'),
      says: [/mono\s+main@sha1:[0-9a-f]{8}\s+False\s+True\s+stored artifact/],
    },
    { args: split('get sources git mono --no-header'), says: [/^mono\s/] },
    {
      args: split('get sources git nosuch'),
      code: 1,
      says: [/GitRepository object 'nosuch' not found/],
    },
    { args: split('reconcile source git mono'), says: [/fetched revision main@sha1:/] },
    { args: split('suspend source git mono'), says: [/source git suspended/] },
    { args: split('get sources git --status-selector ready=true'), says: [/mono\s+\S+\s+True/] },
    {
      args: split('resume source git mono'),
      says: [/source git resumed/, /fetched revision main@sha1:/],
    },
    { args: split('export source git mono'), says: [/kind: GitRepository/, /branch: main/] },
    { args: split('export source git --all'), says: [/kind: GitRepository/] },
    {
      args: split(`create source helm charts --url=${charts.url} --interval=10m`),
      says: [/HelmRepository source reconciliation completed/, /fetched revision: sha256:/],
    },
    { args: split('get sources helm'), says: [/charts\s+sha256:\w+\s+False\s+True/] },
    { args: split('reconcile source helm charts'), says: [/fetched revision sha256:/] },
    { args: split('suspend source helm charts') },
    { args: split('resume source helm charts') },
    { args: split('export source helm charts'), says: [/kind: HelmRepository/] },
    {
      args: split(`create source helm ocicharts --url=${charts.registry} --interval=10m`),
      says: [/HelmRepository source reconciliation completed/],
    },
    { args: split('reconcile source helm ocicharts') },
    {
      args: split(
        'create source chart shop --source=HelmRepository/charts --chart=shop --chart-version=1.0.0',
      ),
      says: [/HelmChart source reconciliation completed/, /fetched revision: 1\.0\.0/],
    },
    {
      args: split(
        'create source chart gitshop --source=GitRepository/mono --chart=./chart --reconcile-strategy=Revision',
      ),
      says: [/fetched revision: 3\.0\.0\+[0-9a-f]{12}/],
    },
    {
      args: split('get sources chart'),
      says: [/shop\s+1\.0\.0\s+False\s+True\s+pulled 'shop' chart with version '1\.0\.0'/],
    },
    { args: split('reconcile source chart shop'), says: [/fetched revision 1\.0\.0/] },
    { args: split('suspend source chart shop') },
    { args: split('resume source chart shop') },
    { args: split('export source chart shop'), says: [/kind: HelmChart/] },
    {
      args: split(
        'create source bucket objects --bucket-name=x --endpoint=127.0.0.1:1 --access-key=a --secret-key=b --interval=1m --export',
      ),
      says: [/kind: Bucket/],
    },
    {
      args: split(
        `push artifact oci://${registry.host}/first:v1 --path=. --source=x --revision=v1@sha1:abc --ignore-paths=cache`,
      ),
      says: [/artifact successfully pushed/],
    },
    {
      args: split(
        `create source oci first --url=oci://${registry.host}/first --tag=v1 --interval=1m --insecure`,
      ),
      says: [/fetched revision: v1@sha256:/],
    },
    { args: split('get sources oci'), says: [/first\s+v1@sha256:\w+\s+False\s+True/] },
    { args: split('reconcile source oci first'), says: [/fetched revision v1@sha256:/] },
    { args: split('suspend source oci first') },
    { args: split('resume source oci first') },
    { args: split('export source oci first'), says: [/kind: OCIRepository/] },
    {
      args: split('get sources all'),
      says: [/gitrepository\/mono/, /helmchart\/shop/, /ocirepository\/first/],
    },
    { args: split('get sources external'), code: 1, says: [/no ExternalArtifact objects found/] },
    { args: split('get sources bucket'), code: 1, says: [/no Bucket objects found/] },
  ];
}

function kustomizations(local: string, change: () => Promise<string>): readonly Step[] {
  return [
    {
      args: split(
        'create kustomization app --source=GitRepository/mono --path=./app --prune=true --interval=10m --wait=true',
      ),
      says: [/Kustomization app is ready/, /applied revision main@sha1:/],
    },
    {
      args: split('get kustomizations'),
      says: [/app\s+main@sha1:[0-9a-f]{8}\s+False\s+True\s+Applied revision: main@sha1:/],
    },
    { args: split('get ks app -A'), says: [/flux-system\s+app/] },
    { args: split('get all'), says: [/kustomization\/app/, /gitrepository\/mono/] },
    { args: split('get all -A --status-selector ready=false'), code: 0 },
    { args: split('reconcile kustomization app'), says: [/applied revision main@sha1:/] },
    {
      first: change,
      args: split('reconcile kustomization app --with-source'),
      says: [
        /GitRepository annotated/,
        /fetched revision main@sha1:/,
        /applied revision main@sha1:/,
      ],
    },
    { args: split('suspend kustomization app'), says: [/kustomization suspended/] },
    { args: split('reconcile kustomization app'), code: 1, says: [/resource is suspended/] },
    {
      args: split('resume kustomization app'),
      says: [/kustomization resumed/, /applied revision/],
    },
    { args: split('resume kustomization app --wait'), says: [/resumed/] },
    {
      args: split('tree kustomization app'),
      says: [/Kustomization\/flux-system\/app/, /ConfigMap\/default\/a/],
    },
    { args: split('tree kustomization app -o json'), says: [/"Kind": "Kustomization"/] },
    {
      args: split('trace configmap a -n default'),
      says: [
        /Object:\s+ConfigMap\/a/,
        /Kustomization:\s+app/,
        /GitRepository:\s+mono/,
        /Status:\s+Last reconciled at/,
      ],
    },
    { args: split('trace kustomization app'), says: [/object not managed by Flux/] },
    {
      args: split(`build kustomization app --path ${local}`),
      says: [/value: local/, /kustomize.toolkit.fluxcd.io\/name: app/],
    },
    {
      args: split(`diff kustomization app --path ${local}`),
      code: 1,
      says: [/ConfigMap\/default\/a drifted/, /local/],
    },
    {
      args: split('events --for Kustomization/app'),
      says: [/ReconciliationSucceeded/],
      comes: true,
    },
    { args: split('events'), says: [/GitRepository\/mono/, /NewArtifact/] },
    {
      args: split('debug kustomization app --show-status'),
      says: [/lastAppliedRevision: main@sha1:/],
    },
    {
      args: split('debug kustomization app --show-vars'),
      code: 1,
      says: [/no post build substitutions found/],
    },
    { args: split('debug kustomization app --show-history'), says: [/totalReconciliations/] },
    { args: split('export kustomization app'), says: [/kind: Kustomization/] },
    { args: split('export kustomization --all') },
    {
      args: split(
        'create kustomization broken --source=GitRepository/mono --path=./nowhere --prune=true --interval=10m --timeout=8s',
      ),
      code: 1,
      says: [/context deadline exceeded/],
    },
    {
      args: split('get kustomizations --status-selector ready=false'),
      says: [/broken\s+False\s+False\s+kustomization path not found/],
    },
    {
      args: split('reconcile kustomization broken --timeout 5s'),
      code: 1,
      says: [/context deadline exceeded/],
    },
    {
      args: split(
        'create kustomization later --source=GitRepository/mono --path=./app --depends-on=broken --prune=false --interval=10m --timeout=5s',
      ),
      code: 1,
    },
    {
      args: split('get kustomizations later'),
      says: [/later\s+False\s+False\s+dependency 'flux-system\/broken' is not ready/],
    },
    { args: split('delete kustomization later --silent') },
    { args: split('delete kustomization broken --silent') },
  ];
}

function releases(world: FluxWorld): readonly Step[] {
  const { charts } = world;
  return [
    {
      args: split(
        'create helmrelease shop --source=HelmRepository/charts --chart=shop --chart-version=1.x --target-namespace=default --interval=10m --values=values.yaml',
      ),
      says: [/HelmRelease shop is ready/, /applied revision 1\.0\.0/],
    },
    {
      args: split('get helmreleases'),
      says: [
        /shop\s+1\.0\.0\s+False\s+True\s+Helm install succeeded for release default\/(default-)?shop\.v1 with chart shop@1\.0\.0/,
      ],
    },
    { args: split('get hr -A'), says: [/flux-system\s+shop/] },
    { args: split('reconcile helmrelease shop'), says: [/applied revision 1\.0\.0/] },
    { args: split('reconcile helmrelease shop --force'), says: [/applied revision 1\.0\.0/] },
    { args: split('get hr shop'), says: [/Helm upgrade succeeded for release \S+\.v2/] },
    { args: split('reconcile helmrelease shop --reset') },
    {
      first: async () => charts.publish(shop('1.1.0')),
      args: split('reconcile helmrelease shop --with-source'),
      says: [/HelmRepository annotated/, /HelmChart annotated/, /applied revision 1\.1\.0/],
    },
    { args: split('suspend helmrelease shop') },
    { args: split('reconcile helmrelease shop'), code: 1, says: [/resource is suspended/] },
    { args: split('resume helmrelease shop'), says: [/applied revision 1\.1\.0/] },
    { args: split('trace configmap shop-config -n default'), code: 1 },
    {
      args: split('trace configmap default-shop-config -n default'),
      says: [/HelmRelease:\s+shop/, /HelmChart:\s+flux-system-shop/, /HelmRepository:\s+charts/],
    },
    { args: split('debug helmrelease shop --show-values'), says: [/color: blue/] },
    { args: split('debug helmrelease shop --show-status'), says: [/observedGeneration/] },
    { args: split('debug helmrelease shop --show-history'), says: [/chartVersion: 1\.1\.0/] },
    { args: split('events --for HelmRelease/shop'), says: [/UpgradeSucceeded/], comes: true },
    { args: split('export helmrelease shop'), says: [/kind: HelmRelease/] },
    {
      args: split(
        'create helmrelease none --source=HelmRepository/charts --chart=nosuch --interval=10m --timeout=8s',
      ),
      code: 1,
    },
    {
      args: split('get helmreleases none'),
      says: [/none\s+False\s+False\s+HelmChart 'flux-system\/flux-system-none' is not ready/],
    },
    {
      args: split('get sources chart flux-system-none'),
      says: [/no chart name found|invalid chart reference/],
    },
    { args: split('delete helmrelease none --silent') },
  ];
}

function artifacts({ registry }: FluxWorld, local: string): readonly Step[] {
  const url = `oci://${registry.host}/app`;
  return [
    {
      args: split(
        `push artifact ${url}:v1 --path=${local} --source=https://example.com/x --revision=main@sha1:abc`,
      ),
      says: [/artifact successfully pushed/],
    },
    { args: split(`tag artifact ${url}:v1 --tag=stable`), says: [/artifact tagged as/] },
    { args: split(`list artifacts ${url}`), says: [/v1/, /stable/, /main@sha1:abc/] },
    { args: split(`pull artifact ${url}:stable --output=.`), says: [/artifact content extracted/] },
    { args: split(`build artifact --path=${local} --output=a.tgz`), says: [/artifact created/] },
    { args: split(`diff artifact ${url}:v1 --path=${local}`), says: [/no changes|identical/i] },
    {
      args: split(`create source oci app --url=${url} --tag=stable --interval=1m --insecure`),
      says: [/fetched revision: stable@sha256:/],
    },
    {
      args: split(
        'create kustomization fromoci --source=OCIRepository/app --path=./ --prune=true --interval=10m',
      ),
      says: [/applied revision stable@sha256:/],
    },
    {
      args: split('trace configmap a -n default'),
      says: [
        /Kustomization:\s+fromoci/,
        /OCIRepository:\s+app/,
        /Origin Revision:\s+main@sha1:abc/,
      ],
    },
    {
      args: split('reconcile kustomization fromoci --with-source'),
      says: [/OCIRepository annotated/],
    },
  ];
}

function generators({ client }: FluxWorld): readonly Step[] {
  const make = () =>
    client.apply(
      {
        apiVersion: 'source.extensions.fluxcd.io/v1beta1',
        kind: 'ArtifactGenerator',
        metadata: { name: 'parts', namespace: 'flux-system' },
        spec: {
          sources: [{ alias: 'git', kind: 'GitRepository', name: 'mono' }],
          artifacts: [
            {
              name: 'part',
              originRevision: '@git',
              copy: [{ from: '@git/app/**', to: '@artifact/' }],
            },
          ],
        },
      },
      { fieldManager: 'kubectl', force: true },
    );
  return [
    {
      first: make,
      args: split('get artifacts generators'),
      says: [/parts\s+False\s+True\s+reconciliation succeeded, generated 1 artifact/],
      comes: true,
    },
    {
      args: split('tree artifact generator parts'),
      says: [/ArtifactGenerator\/flux-system\/parts/, /ExternalArtifact\/flux-system\/part/],
    },
    {
      args: split('get sources external'),
      says: [/part\s+latest@sha256:\w+\s+ArtifactGenerator\/flux-system\/parts\s+True/],
    },
    { args: split('export artifact generator parts'), says: [/kind: ArtifactGenerator/] },
    { args: split('export source external part'), says: [/kind: ExternalArtifact/] },
    {
      first: () =>
        client.apply(
          {
            apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
            kind: 'Kustomization',
            metadata: { name: 'frompart', namespace: 'flux-system' },
            spec: {
              interval: '10m',
              prune: true,
              sourceRef: { kind: 'ExternalArtifact', name: 'part' },
            },
          },
          { fieldManager: 'kubectl', force: true },
        ),
      args: split('get kustomizations frompart'),
      says: [/frompart\s+latest@sha256:\w+\s+False\s+True/],
      comes: true,
    },
    { args: split('events --for ArtifactGenerator/parts') },
  ];
}

function secrets(): readonly Step[] {
  return [
    {
      args: split('create secret git g1 --url=https://example.com/x --username=a --password=b'),
      says: [/git secret 'g1' created/],
    },
    {
      args: split(
        'create secret git g2 --url=ssh://git@example.com/x --export --private-key-file=nosuch',
      ),
      code: 1,
    },
    {
      args: split('create secret helm h1 --username=a --password=b'),
      says: [/helm secret 'h1' created/],
    },
    {
      args: split('create secret oci o1 --url=ghcr.io --username=a --password=b'),
      says: [/oci secret 'o1' created/],
    },
    {
      args: split('create secret proxy p1 --address=https://proxy.example.com'),
      says: [/proxy secret 'p1' created/],
    },
    { args: split('create secret tls t1'), code: 1 },
    {
      args: split(
        'create secret githubapp a1 --app-id=1 --app-installation-id=2 --app-private-key=key.txt',
      ),
      says: [/created/],
    },
    { args: split('create tenant team --with-namespace=apps'), says: [/tenant setup completed/] },
    {
      args: split('create tenant team --with-namespace=apps --export'),
      says: [/kind: RoleBinding/],
    },
  ];
}

function looks(): readonly Step[] {
  return [
    { args: split('stats -A'), says: [/GitRepository\s+1\s+0\s+0\s+\d/, /Kustomization\s+\d/] },
    { args: split('check --pre'), says: [/prerequisites checks passed/] },
    { args: split('version --client'), says: [/flux: /] },
    { args: split('get images all'), code: 0 },
    { args: split('get alerts'), code: 1, says: [/no Alert objects found/] },
    { args: split('get receivers'), code: 1 },
    {
      args: split(
        'create alert-provider slack --type=slack --channel=x --address=https://example.com --secret-ref=s',
      ),
      code: 0,
    },
    {
      args: split('create alert all --event-source=Kustomization/* --provider-ref=slack'),
      code: 0,
    },
    { args: split('suspend alert all') },
    { args: split('resume alert all') },
    { args: split('export alert all'), says: [/kind: Alert/] },
    { args: split('delete alert all --silent') },
    { args: split('delete alert-provider slack --silent') },
    { args: split('envsubst'), input: `a \${B:=c}\n`, says: [/a c/] },
  ];
}

/** What the control plane logged, said by a Pod where the command looks for Flux's controllers. */
function logs({ client, controller, server }: FluxWorld): readonly Step[] {
  if (server === 'real') return [];
  const say = async (): Promise<unknown> => {
    const lines = controller.log.split('\n').filter((line) => line.startsWith('{'));
    const annotations = { 'sandbox.capstan.dev/log': lines.join('\n') };
    const labels = { app: 'capstan', 'app.kubernetes.io/part-of': 'flux' };
    const containers = [{ name: 'manager', image: 'example.com/capstan:1' }];
    return client.apply(
      {
        ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
        metadata: { name: 'capstan', namespace: 'flux-system', labels },
        spec: {
          ...{ replicas: 1, selector: { matchLabels: { app: 'capstan' } } },
          template: { metadata: { labels, annotations }, spec: { containers } },
        },
      },
      { fieldManager: 'kubectl', force: true },
    );
  };
  const none = /^$/;
  return [
    {
      first: say,
      args: split('logs --all-namespaces'),
      says: [/^\S+ info Kustomization\/app\.flux-system - Reconciliation finished in /m],
      comes: true,
    },
    {
      args: split('logs --kind=HelmRelease --name=shop'),
      says: [/^(\S+ \S+ HelmRelease\/shop\.flux-system - .*\n)+$/],
    },
    { args: split('logs --level=error --kind=Kustomization --name=app'), says: [none] },
    {
      args: split('logs --level=error --all-namespaces'),
      says: [/^(\S+ error \w+\/\S+ - Reconciler error \S.*\n)+$/],
    },
    { args: split('logs --name=nobody'), says: [none] },
    { args: split('logs --all-namespaces --tail=1'), says: [/^\S+ \w+ .*\n$/] },
    { args: split('logs --all-namespaces --since=1h --tail=2'), says: [/^(\S+ \w+ .*\n){2}$/] },
    // It follows until its time is over.
    {
      args: split('logs --all-namespaces --follow --tail=1 --timeout=4s'),
      says: [/^\S+ \w+ .*\n$/],
    },
  ];
}

function deletions(): readonly Step[] {
  return [
    { args: split('delete kustomization frompart --silent') },
    { args: split('delete kustomization fromoci --silent') },
    { args: split('delete kustomization app --silent'), says: [/kustomization deleted/] },
    {
      args: split('get kustomizations'),
      code: 1,
      says: [/no Kustomization objects found/],
      comes: true,
    },
    { args: split('delete helmrelease shop --silent'), says: [/helmrelease deleted/] },
    { args: split('delete source chart gitshop --silent') },
    { args: split('delete source chart shop --silent') },
    { args: split('delete source helm charts --silent') },
    { args: split('delete source helm ocicharts --silent') },
    { args: split('delete source oci app --silent') },
    { args: split('delete source oci first --silent') },
    { args: split('delete source git mono --silent') },
    { args: split('get all'), code: 0, comes: true },
    { args: split('uninstall --silent --keep-namespace --dry-run'), code: 0 },
  ];
}
