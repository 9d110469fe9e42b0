/**
 * Which workspace package may import which: the one table. A rule says what a package may import within its own tier
 * (any tier may use the tiers below it) and why. `tools/check-dependencies.test.ts` holds the tree against it.
 */

export const TIERS = ['lib', 'kube', 'engine', 'doors', 'workflow', 'apps', 'proof'] as const;
export type Tier = (typeof TIERS)[number];

/** First folder of a package's path → tier. */
export const TIER_OF_FOLDER: Readonly<Record<string, Tier>> = {
  lib: 'lib',
  kube: 'kube',
  engine: 'engine',
  argocd: 'doors',
  flux: 'doors',
  operators: 'workflow',
  workflow: 'workflow',
  apps: 'apps',
  conformance: 'proof',
  benchmarks: 'proof',
  tools: 'proof',
};

/** Why a tier may not import a tier above it. */
export const TIER_REASONS: Readonly<Record<Tier, string>> = {
  lib: 'lib knows nothing of Kubernetes: each package could be published alone',
  kube: 'kube knows Kubernetes, not GitOps',
  engine: 'the engine knows neither Argo CD nor Flux: differences reach it as data',
  doors: 'a front door knows one family of resources and never the applications that wire it',
  workflow: 'the layer above writes to Git and never knows the applications',
  apps: 'applications are wiring lists',
  proof: 'conformance, benchmarks and tools may use everything',
};

export interface EdgeRule {
  readonly from: string;
  /** Packages of the same tier that `from` may import; `*` for all. Types only where the name ends in ` (types)`. */
  readonly to: readonly string[];
  readonly reason: string;
}

/** Edges within a tier. What is not listed here may import nothing of its own tier, except lib/std in lib. */
export const EDGES: readonly EdgeRule[] = [
  {
    from: 'lib/git',
    to: ['lib/egress', 'lib/files'],
    reason: 'a commit is read as a FileTree; no remote is a metadata service',
  },
  {
    from: 'lib/oci',
    to: ['lib/egress', 'lib/x509'],
    reason: 'no registry is a metadata service; signatures stand on certificates',
  },
  {
    from: 'lib/clouds',
    to: ['lib/egress', 'lib/oci', 'lib/x509'],
    reason: 'what users name is no metadata service; its tests make certificates',
  },
  { from: 'lib/sops', to: ['lib/yaml'], reason: 'values are decrypted in place in YAML' },
  {
    from: 'lib/jsonnet',
    to: ['lib/files', 'lib/yaml'],
    reason: 'it evaluates files of a tree, and reads YAML',
  },
  {
    from: 'lib/gotemplate',
    to: ['lib/semver', 'lib/x509'],
    reason: "Sprig's functions for versions and for certificates",
  },
  {
    from: 'kube/schema',
    to: ['kube/object'],
    reason: 'object ◀ schema ◀ merge ◀ apiserver ◀ sandbox',
  },
  { from: 'kube/merge', to: ['kube/object', 'kube/schema'], reason: 'merges follow schemas' },
  {
    from: 'kube/apiserver',
    to: ['kube/object', 'kube/schema', 'kube/merge'],
    reason: 'the API is schemas and merges over storage',
  },
  {
    from: 'kube/sandbox',
    to: ['kube/object', 'kube/schema', 'kube/merge', 'kube/apiserver', 'kube/client'],
    reason:
      'apiserver and simulated workloads in one process; a real cluster is imported by the client',
  },
  {
    from: 'kube/client',
    to: ['kube/object'],
    reason: 'any resource as it stands: no schema needed',
  },
  {
    from: 'kube/controller',
    to: ['kube/object', 'kube/client'],
    reason: 'reconcilers watch through the client',
  },
  {
    from: 'kube/kustomize',
    to: ['kube/object', 'kube/merge'],
    reason: 'chart inflation is a port, so kustomize never imports helm',
  },
  { from: 'kube/helm', to: ['kube/object'], reason: 'lookup and releases get a client as a port' },
  { from: 'engine/render', to: ['engine/source'], reason: 'a Snapshot is what is rendered' },
  { from: 'engine/sync', to: ['engine/diff'], reason: 'a Diff is what is planned' },
  {
    from: 'engine/apply',
    to: ['engine/sync (types)', 'engine/diff (types)'],
    reason: 'a step is performed, never planned, here',
  },
  { from: 'engine/delivery', to: ['*'], reason: 'only delivery composes the stages' },
  {
    from: 'engine/notify',
    to: ['engine/delivery (types)'],
    reason: 'messages are made from statuses',
  },
  { from: 'engine/images', to: ['engine/delivery (types)'], reason: 'policies feed deliveries' },
  { from: 'argocd/controllers', to: ['argocd/api'], reason: 'api ◀ controllers' },
  {
    from: 'argocd/application-sets',
    to: ['argocd/api'],
    reason: 'sets give Applications, whose types api has',
  },
  { from: 'argocd/server', to: ['argocd/api'], reason: 'api ◀ server' },
  { from: 'flux/controllers', to: ['flux/api'], reason: 'api ◀ controllers' },
  {
    from: 'flux/helm',
    to: ['flux/api', 'flux/controllers', 'flux/server'],
    reason:
      'releases share the notions of sources, conditions and requests with the other controllers',
  },
  { from: 'flux/server', to: ['flux/api'], reason: 'api ◀ server' },
  { from: 'apps/server', to: ['apps/contract'], reason: 'server and page share the contract' },
  {
    from: 'apps/cli',
    to: ['apps/contract', 'apps/server'],
    reason: 'the command starts the server',
  },
  { from: 'apps/ui', to: ['apps/contract'], reason: 'the page knows the contract only' },
];

/** Tightenings over the tier rule: `from` may import, of the tiers below, only these. */
export const ONLY: readonly EdgeRule[] = [
  {
    from: 'argocd/api',
    to: ['kube/object', 'lib/std'],
    reason: 'types must not drag the engine along',
  },
  {
    from: 'flux/api',
    to: ['kube/object', 'lib/std'],
    reason: 'types must not drag the engine along',
  },
  { from: 'apps/contract', to: [], reason: 'types shared with a browser' },
  { from: 'apps/ui', to: [], reason: 'the page talks to the server over HTTP' },
];

/** Extra packages that any package may use in its tests. */
export const TEST_HELPERS: readonly string[] = [
  'kube/sandbox',
  'kube/apiserver',
  'kube/client',
  'lib/files',
  'lib/git',
  'flux/server',
];
