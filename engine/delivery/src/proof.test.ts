/**
 * Each rule of syncs, of applying, of health and of the loop, and what proves it: a scenario file (its first line) or a test
 * (its title). A proof that was renamed or removed is missed here.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../../..');
const SYNC = 'engine/sync/testdata';
const LOOP = 'engine/delivery/testdata';
const ARGO = 'argocd/controllers/src';
const FLUX = 'flux/controllers/src';

type Proof = readonly [file: string, quote: string];

const SOURCE_RULES: Readonly<Record<string, Proof>> = {
  'one fetch however many apps': [
    'engine/source/src/source-store.test.ts',
    'many deliveries of one repository cost one look',
  ],
  'webhooks of each host': [
    'engine/source/src/parse-push-webhook.test.ts',
    'each host names the repository in its own way',
  ],
  'webhooks of registries': [
    'engine/source/src/parse-push-webhook.test.ts',
    'registries tell of an artifact',
  ],
  'small fetches without git': [
    'lib/git/src/fetch-new-objects.test.ts',
    'new commits cost one request beside that for the refs',
  ],
  polling: ['engine/source/src/source-store.test.ts', 'by polling, and at once by a webhook'],
  'conditional requests': [
    'lib/oci/src/conditional-get.test.ts',
    'what has not changed is not sent again',
  ],
  'several revisions at once': [
    'lib/git/src/mirror.test.ts',
    'tags, annotated tags, short ids, full refs and ranges',
  ],
  'shallow clones': ['lib/git/src/mirror.test.ts', 'a shallow mirror fetches what is asked for'],
  'partial clones': [
    'engine/source/src/partial-copies.test.ts',
    'of a sparse checkout only those files are fetched',
  ],
  submodules: [
    'engine/source/src/compose-sources.test.ts',
    'submodules are filled at their commits',
  ],
  LFS: ['engine/source/src/lfs-store.test.ts', 'files that LFS keeps are read as their content'],
  'SSH known hosts': ['conformance/git/ssh.test.ts', 'known hosts are read as OpenSSH writes them'],
  TLS: ['conformance/git/https.test.ts', 'an authority of its own is trusted'],
  'proxies of HTTP': ['conformance/git/https.test.ts', 'the proxy of the environment'],
  'proxies of SSH': ['conformance/git/ssh.test.ts', 'the host is reached through a proxy'],
  'GitHub App': ['engine/source/src/github-app.test.ts', 'an app buys a token once an hour'],
  'GPG and SSH signatures': ['conformance/git/signatures.test.ts', 'a revoked key counts no more'],
  'signatures of a revision': [
    'engine/source/src/verify-revision.test.ts',
    'all commits back to the seal',
  ],
  'the store is bounded': [
    'engine/source/src/source-store.test.ts',
    'mirrors that nobody followed for two weeks',
  ],
  'the store may be deleted': [
    'lib/git/src/mirror.test.ts',
    'a cache that is deleted under a mirror is filled again',
  ],
  'the store is shared by two processes': [
    'lib/git/src/mirror.test.ts',
    'two processes may make one mirror',
  ],
};

const RENDER_RULES: Readonly<Record<string, Proof>> = {
  threads: ['apps/server/src/render/render-pool.test.ts', 'a chart is rendered in a thread'],
  'bounds of memory and time': [
    'apps/server/src/render/render-pool.test.ts',
    'that hangs, crashes or eats the memory costs its own app only',
  ],
  'bound of the queue': [
    'apps/server/src/render/render-pool.test.ts',
    'more than may wait are told to come again',
  ],
  'trace and reverse index': [
    'engine/delivery/src/source-watches.test.ts',
    'those are woken whose render does not hold any more',
  ],
  'a push is a tree compare': [
    'engine/delivery/src/parts.test.ts',
    'whether a commit touches a render is never judged too narrowly',
  ],
  'what failed in its thread is tried again': [
    'apps/server/src/render/render-pool.test.ts',
    'what may mend it',
  ],
  'the last good render stays usable': [
    `${LOOP}/last-good.txt`,
    '# a commit that cannot be rendered leaves all as it was',
  ],
  'results on disk': [
    'apps/server/src/render/render-store.test.ts',
    'a result is found again as long as what it read is the same',
  ],
};

const DIFF_RULES: Readonly<Record<string, Proof>> = {
  'every built-in kind': [
    'conformance/diff/coverage.test.ts',
    'every built-in kind that Kubernetes serves for writing has a case',
  ],
  'twenty custom kinds': ['conformance/diff/coverage.test.ts', 'twenty popular custom kinds'],
  'mutating webhooks': [
    'conformance/diff/webhooks.test.ts',
    'what the webhook makes of an object is Synced',
  ],
  'replicas of an autoscaler': ['conformance/diff/spelled-cases.ts', "subresource: 'scale'"],
  'field, desired, live, manager, time': [
    'conformance/diff/diff.test.ts',
    'drifted: OutOfSync, with field, values, manager and time',
  ],
  'ignored by JSON pointers': [
    'engine/diff/src/diff-state.test.ts',
    'JSON pointers leave fields out on both sides',
  ],
  'ignored by field managers': [
    'engine/diff/src/diff-state.test.ts',
    'fields of a trusted manager are left out',
  ],
  'ignored by rules for other kinds': [
    'engine/diff/src/diff-state.test.ts',
    'a rule for another kind or name does not speak',
  ],
  quantities: ['engine/diff/src/diff-state.test.ts', 'quantities are compared by amount'],
  defaulting: [
    'engine/diff/src/diff-state.test.ts',
    'elements of atomic lists may hold what the server fills in',
  ],
  ordering: ['engine/diff/src/diff-state.test.ts', 'keyed lists are compared by key'],
  status: ['engine/diff/src/diff-state.test.ts', 'status is compared where it is asked for'],
  'jq paths': ['engine/diff/src/jq-paths.test.ts', 'places of jq expressions'],
  'Secret values': ['apps/server/src/page-api.test.ts', 'values of Secrets never leave the server'],
};

const SYNC_RULES: Readonly<Record<string, Proof>> = {
  'phases PreSync, Sync, PostSync': [`${SYNC}/hooks.txt`, '# hooks run before and after'],
  'phase SyncFail': [`${SYNC}/sync-fail.txt`, 'runs the SyncFail hooks'],
  'phases PreDelete, PostDelete': [
    `${SYNC}/delete-hooks.txt`,
    '# hooks of the end run wave by wave',
  ],
  'phase Skip': [`${SYNC}/skip.txt`, '# hooks that are to be skipped'],
  waves: [`${SYNC}/waves.txt`, '# each wave waits for the health of the one before'],
  'waves of what is pruned': [`${SYNC}/prune.txt`, '# pruning runs the waves backwards'],
  'delete policy HookSucceeded': [`${SYNC}/hooks.txt`, 'HookSucceeded'],
  'delete policy HookFailed': [`${LOOP}/hook-fails.txt`, 'HookFailed'],
  'delete policy BeforeHookCreation': [
    `${LOOP}/hook-again.txt`,
    '# a hook is made anew for each sync',
  ],
  'Helm hooks': [`${ARGO}/delete-application.test.ts`, 'helm.sh/hook'],
  'kind order': [`${SYNC}/kind-order.txt`, '# objects are applied kind by kind'],
  'definitions and namespaces first': [
    `${SYNC}/namespace-lifted.txt`,
    '# a namespace and a definition move forward',
  ],
  'waiting until a definition is established': [
    `${LOOP}/established.txt`,
    'waits until it is served',
  ],
  'pruning that fails': [`${SYNC}/prune-fails.txt`, '# what cannot be pruned ends the sync'],
  'options of one object': [`${SYNC}/options.txt`, '# an object may ask for more force'],
  PruneLast: [`${SYNC}/prune-last.txt`, '# pruning can wait until everything is applied'],
  'Prune=false': [`${LOOP}/prune-permission.txt`, '# what its own option keeps stays'],
  'Prune=confirm': [`${LOOP}/confirm.txt`, '# pruning that asks for a confirmation waits'],
  'Delete=false': [`${ARGO}/delete-application.test.ts`, 'Delete=false'],
  'Delete=confirm': [`${ARGO}/delete-application.test.ts`, 'Delete=confirm'],
  'propagation Foreground': [
    `${LOOP}/propagation-foreground.txt`,
    '# pruning with propagation Foreground',
  ],
  'propagation Background': [
    `${LOOP}/propagation-background.txt`,
    '# pruning with propagation Background',
  ],
  'propagation Orphan': [`${LOOP}/propagation-orphan.txt`, '# pruning with propagation Orphan'],
  Replace: [`${LOOP}/replace.txt`, '# replacing takes away what others added'],
  Force: [`${LOOP}/immutable.txt`, 'unless force recreates the object'],
  Validate: [`${LOOP}/validate.txt`, 'is refused, unless validation is off'],
  'ServerSideApply, always': [
    'docs/differences/argocd.md',
    'sync-options: ServerSideApply=true`: everything is applied so',
  ],
  ClientSideApplyMigration: [
    `${LOOP}/take-over.txt`,
    '# fields that kubectl applied are taken over',
  ],
  ApplyOutOfSyncOnly: [`${LOOP}/out-of-sync-only.txt`, '# only what differs is applied'],
  RespectIgnoreDifferences: [`${LOOP}/respect-ignored-true.txt`, 'its sync respected: true'],
  SkipDryRunOnMissingResource: [
    `${LOOP}/missing-kind-option.txt`,
    '# one object may say that its kind comes later',
  ],
  'SkipDryRunOnMissingResource of all': [`${LOOP}/missing-kind.txt`, 'unless that is tolerated'],
  FailOnSharedResource: [`${LOOP}/shared.txt`, 'stops the sync when asked for'],
  CreateNamespace: [
    `${SYNC}/create-namespace.txt`,
    '# the namespace of the destination is made first',
  ],
  'managed metadata of the namespace': [
    `${LOOP}/managed-namespace.txt`,
    '# a namespace is made with its metadata',
  ],
  'selective sync': [`${LOOP}/selective.txt`, '# a person may sync some objects alone'],
  'dry run': [`${LOOP}/dry-run.txt`, '# a dry run says what it would do'],
  'retries with backoff': [`${LOOP}/retry.txt`, 'is tried again after pauses that grow'],
  'retries with refresh': [
    `${LOOP}/retry-refresh.txt`,
    '# a retry that is to refresh takes what is newest',
  ],
  'retries of one revision': [
    `${LOOP}/retry-same.txt`,
    '# a retry takes the revision that was named',
  ],
  'sync windows': [`${LOOP}/hold.txt`, '# a window that is closed holds automation'],
  'sync windows with time zones': [`${ARGO}/sync-windows.test.ts`, 'timeZone'],
  'sync windows, overrun': [`${LOOP}/hold.txt`, 'a running operation overruns'],
  'self-heal': [`${LOOP}/self-heal.txt`, '# what somebody changes is put back'],
  'self-heal with backoff': [
    `${LOOP}/heal-backoff.txt`,
    '# heals that follow each other become a fight',
  ],
  allowEmpty: [`${LOOP}/allow-empty.txt`, 'prunes nothing, unless that is allowed'],
  'pre-emption after the hook': [`${LOOP}/preempt-afterhook.txt`, 'with preemption afterHook'],
  'pre-emption at once': [`${LOOP}/preempt-immediately.txt`, 'with preemption immediately'],
  'pre-emption never': [`${LOOP}/preempt-never.txt`, 'with preemption never'],
  'pre-emption as an annotation says': [
    'engine/delivery/src/preemption.test.ts',
    'an annotation says what a newer revision does',
  ],
  'pre-emption of a wave after the hook': [
    `${LOOP}/preempt-wave-afterhook.txt`,
    'while a wave waits for health',
  ],
  'pre-emption of a wave at once': [
    `${LOOP}/preempt-wave-immediately.txt`,
    'while a wave waits for health',
  ],
  'pre-emption of a wave never': [
    `${LOOP}/preempt-wave-never.txt`,
    'while a wave waits for health',
  ],
  'pre-emption of a retry': [`${LOOP}/retry-newer.txt`, '# a newer commit goes before a retry'],
  'a plan before it runs': [
    'apps/server/src/slice/sync-scenarios.ts',
    'a plan can be read before it runs',
  ],
};

const APPLY_RULES: Readonly<Record<string, Proof>> = {
  'takes over from the client side': [
    'engine/apply/src/apply.test.ts',
    'a field that kubectl applied before and Git no longer holds goes away',
  ],
  'takes over from other managers': [
    `${FLUX}/handed-over.test.ts`,
    'what kubectl added by any of its commands goes',
  ],
  'takes over from Argo CD without a restart': [
    'apps/server/src/slice/take-over-scenarios.ts',
    'restart',
  ],
  'immutable fields': [`${LOOP}/immutable.txt`, '# a field that cannot be changed is an error'],
  'tracking as Argo CD marks': [
    'apps/server/src/slice/take-over-scenarios.ts',
    "tracking: 'annotation+label'",
  ],
  'tracking as Flux marks': [`${FLUX}/staged-apply.test.ts`, 'kustomize.toolkit.fluxcd.io/name'],
  'prune never touches what another owns': [
    'engine/apply/src/apply.test.ts',
    'pruning takes only what still bears the mark',
  ],
  'bounded concurrency per cluster': [
    'kube/client/src/limiter.test.ts',
    'the limit rises quickly below the level that was refused',
  ],
  '429': ['kube/client/src/requester.test.ts', '429 with Retry-After is waited for'],
  '5xx': ['kube/client/src/requester.test.ts', 'a 5xx answer is an error at once'],
  'a request that fails, for every n': [
    'engine/delivery/src/faults.test.ts',
    'whichever request fails',
  ],
  'a request that fails, through Flux': [
    `${FLUX}/faults.test.ts`,
    'whichever request fails, both Kustomizations converge',
  ],
  'a crash at any instant': ['conformance/slice/kill.test.ts', 'nothing is lost or made twice'],
  'random permutations, Argo CD': [`${ARGO}/permutations.test.ts`, 'test('],
  'random permutations, Flux': [`${FLUX}/permutations.test.ts`, 'test('],
};

const HEALTH_RULES: Readonly<Record<string, Proof>> = {
  'built-in kinds': [
    'engine/health/src/assess-health.test.ts',
    'a Pod has fifteen seconds to find its node',
  ],
  'popular kinds': ['engine/health/src/popular-rules.test.ts', 'fixtures of popular kinds'],
  'Lua with limits': ['lib/expressions/src/lua/run-lua.test.ts', 'test('],
  'CEL of users': [
    `${FLUX}/health-checks.test.ts`,
    'an expression for what is current must be there',
  ],
  'probe HTTP': ['apps/server/src/probes/run-probe.test.ts', 'http: the status decides'],
  'probe TCP': ['apps/server/src/probes/run-probe.test.ts', 'tcp: a connection opens or does not'],
  'probe gRPC': ['apps/server/src/probes/run-probe.test.ts', 'grpc: the serving status'],
  'probe SQL': ['apps/server/src/probes/sql-connection.test.ts', 'postgres: a connection, a login'],
  'probe DNS': ['apps/server/src/probes/run-probe.test.ts', 'dns: a name has the record'],
  'probes count into health': [
    'apps/server/src/probes/probe-controller.test.ts',
    'counts into the health of the app',
  ],
};

const LOOP_RULES: Readonly<Record<string, Proof>> = {
  'dependencies across kinds': [
    'apps/server/src/slice/dependency-scenarios.ts',
    'of any kind, and says what it waits for',
  ],
  'dependsOn with readyExpr': [`${FLUX}/settings.test.ts`, 'readyExpr'],
  'waves between Applications': [
    'apps/server/src/slice/fleet-scenarios.ts',
    'its waves wait for each oth',
  ],
  'readiness is the observed revision': [
    'engine/delivery/src/dependency-graph.test.ts',
    'waits for that commit',
  ],
  'cluster Secrets, a hundred clusters': [
    `${ARGO}/many-clusters.test.ts`,
    'a hundred clusters are reached in every way',
  ],
  'kubeConfig references': [`${FLUX}/destination.test.ts`, 'kubeConfig'],
  'a dead cluster harms no other': [
    'conformance/slice/clusters.test.ts',
    'holds up its own applications alone',
  ],
  'impersonation, fail closed': [
    'engine/delivery/src/cluster-pool.test.ts',
    'nobody at all is refused',
  ],
  shards: ['kube/controller/src/shard-view.test.ts', 'each key has exactly one owner'],
  'hand-over between replicas': [
    'conformance/slice/replicas.test.ts',
    'when one is killed the other takes over',
  ],
  'why, of an app': [
    'apps/cli/src/explain/by-server.test.ts',
    'why an app of either family is as it is',
  ],
  'why, of a field': [
    'apps/server/src/slice/why-scenarios.ts',
    'leads to file, line, commit and author',
  ],
};

for (const [item, rules] of Object.entries({
  source: SOURCE_RULES,
  render: RENDER_RULES,
  diff: DIFF_RULES,
  sync: SYNC_RULES,
  apply: APPLY_RULES,
  health: HEALTH_RULES,
  loop: LOOP_RULES,
})) {
  test(`each rule of ${item} has its proof`, () => {
    const without = Object.entries(rules).filter(([, [file, quote]]) => !holds(file, quote));
    assert.deepEqual(without, []);
  });
}

function holds(file: string, quote: string): boolean {
  try {
    return readFileSync(join(ROOT, file), 'utf8').includes(quote);
  } catch {
    return false;
  }
}
