import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Application, type AppProjectSpec, parseApplication } from '@capstan/argocd-api';
import { renderManifests } from '@capstan/engine-render';
import { createSourceStore } from '@capstan/engine-source/store';
import { commitFiles, initMirror, runGit } from '@capstan/lib-git';
import { IN_CLUSTER } from './clusters.ts';
import { hydrate, hydrationKey } from './hydrate.ts';
import { commitMessage, readmeText } from './hydrate-texts.ts';
import { DEFAULT_PROJECT_SPEC } from './project-guard.ts';
import { readSettings } from './settings.ts';
import { type LoweringContext, sourcesOf } from './to-delivery.ts';

const NOW = Date.parse('2024-05-06T12:00:00Z');
const author = { name: 'Ann', email: 'ann@example.com' };

/** A repository on disk with a dry branch, a store over it, and what hydrates from one to the other. */
async function createWorld() {
  const folder = await mkdtemp(join(tmpdir(), 'hydrate-'));
  const origin = join(folder, 'origin.git');
  const url = `file://${origin}`;
  await initMirror(origin);
  const clock = { now: () => NOW, after: () => () => undefined };
  const store = createSourceStore({
    folder: join(folder, 'cache'),
    clock,
    random: () => 0.5,
    allowFile: true,
  });
  const git = async (...args: string[]) => {
    const result = await runGit(args, { gitDir: origin });
    return result.stdout.toString('utf8').trim();
  };
  return {
    url,
    store,
    git,
    commit: (files: Record<string, string | null>, message: string, branch = 'main') =>
      commitFiles({ gitDir: origin, branch, files, message, author, at: NOW / 1000 }),
    async [Symbol.asyncDispose]() {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function application(url: string, name: string, path: string, status = {}): Application {
  const parsed = parseApplication({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'argocd' },
    spec: {
      project: 'default',
      destination: { server: IN_CLUSTER.server, namespace: 'prod' },
      sourceHydrator: {
        drySource: { repoURL: url, path: `dry/${name}`, targetRevision: 'main' },
        syncSource: { targetBranch: 'env/prod', path },
      },
    },
    status,
  });
  return parsed.kind === 'ok' ? parsed.value : assert.fail();
}

function contextOf(spec: AppProjectSpec = DEFAULT_PROJECT_SPEC): LoweringContext {
  return {
    controlNamespace: 'argocd',
    project: {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AppProject',
      metadata: { name: 'default' },
      spec,
    },
    credentials: [],
    clusters: [IN_CLUSTER],
    settings: readSettings({}),
    nowMs: NOW,
  };
}

type World = Awaited<ReturnType<typeof createWorld>>;

function run(
  world: World,
  apps: readonly Application[],
  options: {
    readonly context?: LoweringContext;
    readonly isAsked?: boolean;
    readonly onRender?: () => Promise<void>;
  } = {},
) {
  const { context = contextOf(), isAsked = false } = options;
  const [app] = apps;
  if (app?.spec.sourceHydrator === undefined) assert.fail();
  return hydrate(
    {
      app,
      context,
      hydrator: app.spec.sourceHydrator,
      group: apps.map((one) => ({ app: one, context })),
      writeCredentials: [],
      settings: context.settings.hydrator,
      isAsked,
      maxAgeMs: 0,
      signal: new AbortController().signal,
    },
    {
      sources: world.store,
      writer: world.store,
      render: async (snapshot, spec) => {
        await options.onRender?.();
        return renderManifests(snapshot, spec);
      },
      clusterOf: () => assert.fail('no chart is rendered'),
      now: () => NOW,
    },
  );
}

const configMap = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {v: "${value}"}\n`;

test('all applications of a branch are hydrated by one commit, once', async () => {
  await using world = await createWorld();
  const dry = await world.commit(
    { 'dry/a/c.yaml': configMap('a', '1'), 'dry/b/c.yaml': configMap('b', '1') },
    'Change a\n\nBecause.',
  );
  const apps = [application(world.url, 'a', 'a'), application(world.url, 'b', 'deep/b')];
  const first = await run(world, apps);
  const hydrated = await world.git('rev-parse', 'env/prod');
  assert.equal(first.currentOperation?.phase, 'Hydrated');
  assert.deepEqual(
    [first.lastSuccessfulOperation?.drySHA, first.lastSuccessfulOperation?.hydratedSHA],
    [dry, hydrated],
  );
  assert.equal(
    await world.git('log', '-1', '--format=%an %B', 'env/prod'),
    `Argo CD ${dry.slice(0, 7)}: Change a\n\nBecause.\n\nCo-authored-by: Ann <ann@example.com>`,
  );
  assert.match(await world.git('show', 'env/prod:deep/b/manifest.yaml'), /name: b/);
  const metadata = JSON.parse(await world.git('show', 'env/prod:hydrator.metadata'));
  assert.deepEqual([metadata.drySha, metadata.subject], [dry, 'Change a']);
  const note = await world.git('notes', '--ref=hydrator.metadata', 'show', hydrated);
  assert.deepEqual(JSON.parse(note), { drySha: dry });
  // The other application finds its state on the branch; nothing is made anew.
  const second = await run(world, [...apps].reverse());
  assert.equal(second.lastSuccessfulOperation?.hydratedSHA, hydrated);
  assert.equal(await world.git('rev-parse', 'env/prod'), hydrated);
  const known = [application(world.url, 'a', 'a', { sourceHydrator: first })];
  assert.equal((await run(world, known)).currentOperation, first.currentOperation);
});

test('a change is a commit on top, other files of the branch stay', async () => {
  await using world = await createWorld();
  await world.commit({ 'dry/a/c.yaml': configMap('a', '1') }, 'One');
  const before = await run(world, [application(world.url, 'a', 'a')]);
  await world.commit({ 'dry/a/c.yaml': configMap('a', '2') }, 'Two');
  const app = application(world.url, 'a', 'a', { sourceHydrator: before });
  const after = await run(world, [app]);
  assert.equal(await world.git('rev-list', '--count', 'main..env/prod'), '2');
  assert.match(await world.git('show', 'env/prod:a/manifest.yaml'), /v: "2"/);
  assert.notEqual(
    after.lastSuccessfulOperation?.hydratedSHA,
    before.lastSuccessfulOperation?.hydratedSHA,
  );
});

test('what others push to the branch meanwhile stays, and what is hydrated comes on top', async () => {
  await using world = await createWorld();
  await world.commit({ 'dry/a/c.yaml': configMap('a', '1') }, 'One');
  const before = await run(world, [application(world.url, 'a', 'a')]);
  await world.commit({ 'theirs.txt': 'x' }, 'Theirs', 'env/prod');
  await world.commit({ 'dry/a/c.yaml': configMap('a', '2') }, 'Two');
  const app = application(world.url, 'a', 'a', { sourceHydrator: before });
  // While this one is rendered, somebody pushes once more.
  let isPushed = false;
  const after = await run(world, [app], {
    onRender: async () => {
      if (!isPushed) await world.commit({ 'late.txt': 'y' }, 'Late', 'env/prod');
      isPushed = true;
    },
  });
  assert.equal(after.currentOperation?.phase, 'Hydrated', after.currentOperation?.message);
  assert.equal(await world.git('show', 'env/prod:theirs.txt'), 'x');
  assert.equal(await world.git('show', 'env/prod:late.txt'), 'y');
  assert.match(await world.git('show', 'env/prod:a/manifest.yaml'), /v: "2"/);
});

test('a commit that changes no manifest is only noted; one that changes one leaves the others alone', async () => {
  await using world = await createWorld();
  const files = { 'dry/a/c.yaml': configMap('a', '1'), 'dry/b/c.yaml': configMap('b', '1') };
  await world.commit(files, 'One');
  const apps = [application(world.url, 'a', 'a'), application(world.url, 'b', 'b')];
  await run(world, apps);
  const hydrated = await world.git('rev-parse', 'env/prod');
  const idle = await world.commit({ 'docs/readme.md': 'words' }, 'Two');
  const { lastSuccessfulOperation } = await run(world, apps);
  assert.deepEqual(
    [lastSuccessfulOperation?.drySHA, lastSuccessfulOperation?.hydratedSHA],
    [idle, hydrated],
  );
  assert.equal(await world.git('rev-parse', 'env/prod'), hydrated);
  const note = await world.git('notes', '--ref=hydrator.metadata', 'show', hydrated);
  assert.deepEqual(JSON.parse(note), { drySha: idle });
  const next = await world.commit({ 'dry/a/c.yaml': configMap('a', '2') }, 'Three');
  await run(world, apps);
  const changed = await world.git('show', '--name-only', '--format=', 'env/prod');
  assert.deepEqual(changed.split('\n').sort(), [
    'a/README.md',
    'a/hydrator.metadata',
    'a/manifest.yaml',
    'hydrator.metadata',
  ]);
  assert.match(await world.git('show', 'env/prod:hydrator.metadata'), new RegExp(next));
});

test('what cannot be hydrated is told, and nothing is written', async () => {
  await using world = await createWorld();
  await world.commit({ 'dry/a/c.yaml': 'apiVersion: v1\nkind: X\nmetadata: [' }, 'Broken');
  const broken = await run(world, [application(world.url, 'a', 'a')]);
  assert.equal(broken.currentOperation?.phase, 'Failed');
  assert.match(broken.currentOperation?.message ?? '', /failed to get manifests of a/);
  const app = application(world.url, 'a', 'a', { sourceHydrator: broken });
  assert.equal(await run(world, [app]), broken, 'the same failure is not told again');
  await world.commit({ 'dry/a/c.yaml': configMap('a', '1') }, 'Good');
  for (const path of ['', '.', '../a', './']) {
    const { currentOperation } = await run(world, [application(world.url, 'a', path)]);
    assert.match(currentOperation?.message ?? '', /repository root/);
  }
  const same = [application(world.url, 'a', 'x'), application(world.url, 'b', 'x/')];
  assert.match(
    (await run(world, same)).currentOperation?.message ?? '',
    /uses the same destination/,
  );
  const context = contextOf({ ...DEFAULT_PROJECT_SPEC, sourceRepos: ['https://other/*'] });
  const denied = await run(world, [application(world.url, 'a', 'a')], { context });
  assert.match(denied.currentOperation?.message ?? '', /not permitted in project/);
  assert.equal(await world.git('branch', '--list', 'env/prod'), '');
  // What stood in the way is gone, and the commit is the same.
  const again = application(world.url, 'a', 'a', { sourceHydrator: denied });
  const { currentOperation } = await run(world, [again]);
  assert.equal(currentOperation?.phase, 'Hydrated', currentOperation?.message);
});

test('it is synced from the branch, and grouped by source and branch', () => {
  const app = application('https://git/a', 'a', 'a');
  assert.deepEqual(sourcesOf(app), [
    { repoURL: 'https://git/a', path: 'a', targetRevision: 'env/prod' },
  ]);
  const hydrator = app.spec.sourceHydrator ?? assert.fail();
  const staged = { ...hydrator, hydrateTo: { targetBranch: 'env/next' } };
  assert.notEqual(hydrationKey(hydrator), hydrationKey(staged));
});

test('the message is made by the template of the administrator', () => {
  const metadata = { repoURL: 'u', drySha: '0123456789', subject: 's', author: 'a <b>' };
  const template = '{{ .metadata.drySha | trunc 5 }} {{ .metadata.subject | upper }}';
  assert.equal(commitMessage(template, metadata), '01234 S');
  assert.throws(() => commitMessage('{{ env "HOME" }}', metadata), { code: 'TEMPLATE_INVALID' });
  const references = [{ commit: { author: '"Bo" <bo@x>', sha: 'abcdef' } }, { commit: {} }];
  const traced = '{{ range .metadata.references }}{{ .commit.sha | default "none" }} {{ end }}';
  assert.equal(commitMessage(traced, { ...metadata, references }), 'abcdef none ');
  assert.equal(
    commitMessage('', { ...metadata, body: 'Why.', references }),
    '0123456: s\n\nWhy.\n\nCo-authored-by: "Bo" <bo@x>\nCo-authored-by: a <b>\n',
  );
});

test('the README is made by the template of the administrator', () => {
  const metadata = { repoURL: 'https://x/a', drySha: '0123456789' };
  const template =
    'From {{ .RepoURL }} at {{ .DrySHA | trunc 4 }}{{ range .Commands }} {{ . }}{{ end }}';
  assert.equal(readmeText(template, metadata), 'From https://x/a at 0123');
  assert.match(readmeText('', metadata), /git checkout 0123456789/);
  assert.throws(() => readmeText('{{ .Nope.Deeper | fail }}', metadata), {
    code: 'TEMPLATE_INVALID',
    message: /readmeMessageTemplate/,
  });
});

test('what is not signed as the project demands is not hydrated', async () => {
  await using world = await createWorld();
  const files = { 'dry/web/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n' };
  await world.commit(files, 'unsigned');
  const key = '4AEE18F83AFDEB23';
  const policy = { repos: [{ url: '*' }], gpg: { mode: 'head', keys: [key] } };
  const sourceIntegrity = { git: { policies: [policy] } };
  const strict = contextOf({ ...DEFAULT_PROJECT_SPEC, sourceIntegrity });
  const app = application(world.url, 'web', 'out');
  const refused = await run(world, [app], { context: { ...strict, keys: { [key]: 'armored' } } });
  assert.equal(refused.currentOperation?.phase, 'Failed');
  assert.match(
    refused.currentOperation?.message ?? '',
    /signature verification|cannot be verified|not signed/,
  );
  assert.doesNotMatch(await world.git('for-each-ref'), /env\/prod/);
  const free = await run(world, [app]);
  assert.equal(free.currentOperation?.phase, 'Hydrated');
});
