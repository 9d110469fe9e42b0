import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Snapshot } from '@capstan/engine-source';
import { recordTrace, traceHolds } from '@capstan/lib-files';
import { type LoadedRender, SourceWatches } from './source-watches.ts';
import { MemorySources } from './testing/memory-sources.ts';

const SPEC = { kind: 'git' as const, url: 'u', revision: { kind: 'any' as const, name: 'main' } };
const INTERVAL_MS = 60_000;

/** Reads some paths of a snapshot, as a render does. */
function renderOf(snapshot: Snapshot, paths: readonly string[]): LoadedRender {
  const { tree, trace } = recordTrace(snapshot.files);
  for (const path of paths) {
    if (tree.stat(path)?.kind === 'directory') tree.readDirectory(path);
    else tree.readFile(path);
  }
  return { snapshot, trace };
}

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

test('after any commits those are woken whose render does not hold any more, whoever looked when', async () => {
  const random = randomFrom(7);
  const pick = (count: number) => Math.floor(random() * count);
  const paths = ['a', 'a/x', 'a/y', 'b', 'b/x', 'b/c/z', 'c', 'c/x', 'd'];
  const sources = new MemorySources();
  const woken = new Set<string>();
  const watches = new SourceWatches(sources, (id) => woken.add(id));
  const loaded = new Map<string, LoadedRender>();
  let files: Record<string, string> = { 'a/x': '0', 'b/x': '0', 'c/x': '0' };
  const look = async (id: string) => {
    const reads = Array.from({ length: 1 + pick(3) }, () => paths[pick(paths.length)] ?? '');
    const render = renderOf(await sources.fetchSnapshot(SPEC), reads);
    loaded.set(id, render);
    watches.loaded(id, [render]);
  };
  sources.push('u', files);
  for (let n = 0; n < 40; n++) {
    watches.follow(`app-${n}`, [SPEC], INTERVAL_MS);
    await look(`app-${n}`);
  }
  for (let round = 1; round <= 150; round++) {
    const path = paths.filter((one) => one.includes('/'))[pick(6)] ?? 'a/x';
    const { [path]: _gone, ...rest } = files;
    files = random() < 0.3 ? rest : { ...files, [path]: `${round}` };
    woken.clear();
    sources.push('u', files);
    const { files: tree } = await sources.fetchSnapshot(SPEC);
    const stale = [...loaded].filter(([, { trace }]) => trace && !traceHolds(trace, tree));
    for (const [id] of stale) assert.ok(woken.has(id), `round ${round}: ${id} is woken`);
    // Some are slow: they look at a later commit, or not before they are touched again.
    for (const id of [...woken]) if (random() < 0.8) await look(id);
  }
});

test('a commit is one word to those whom it leaves alone', async () => {
  const sources = new MemorySources();
  const woken: string[] = [];
  let elsewhere = 0;
  const watches = new SourceWatches(sources, (id) => woken.push(id), {
    onElsewhere: () => elsewhere++,
  });
  const files: Record<string, string> = {};
  for (let n = 0; n < 1_000; n++) files[`app-${n}/x`] = '1';
  sources.push('u', files);
  const snapshot = await sources.fetchSnapshot(SPEC);
  for (let n = 0; n < 1_000; n++) {
    watches.follow(`${n}`, [SPEC], INTERVAL_MS);
    watches.loaded(`${n}`, [renderOf(snapshot, [`app-${n}`, `app-${n}/x`])]);
  }
  sources.push('u', { ...files, 'app-3/x': '2' });
  sources.push('u', { ...files, 'app-3/x': '2', 'app-7/new': '1' });
  assert.deepEqual([woken.toSorted(), elsewhere], [['3', '3', '7'], 2]);
  watches.forget('7');
  sources.push('u', { ...files, 'app-7/new': '2' });
  assert.deepEqual(woken.slice(3), [], 'what was rendered of app-3 holds again');
});

test('who looks for the first time is woken only if the source was ahead of it, or if nothing could be rendered', async () => {
  const sources = new MemorySources();
  const woken: string[] = [];
  const watches = new SourceWatches(sources, (id) => woken.push(id), { rendersAtOnce: true });
  sources.push('u', { x: '1' });
  const first = await sources.fetchSnapshot(SPEC);
  for (const id of ['current', 'late', 'failing']) watches.follow(id, [SPEC], INTERVAL_MS);
  watches.loaded('current', [renderOf(first, ['x'])]);
  assert.deepEqual(woken, [], 'the first word of the source is what all of them wait for');

  sources.push('u', { x: '2' });
  assert.deepEqual(woken, ['current']);
  watches.loaded('late', [renderOf(first, ['x'])]);
  watches.loaded('failing', []);
  assert.deepEqual(woken, ['current', 'late', 'failing']);

  watches.loaded('failing', []);
  assert.deepEqual(woken.slice(3), [], 'nothing new was said of the source');
  sources.push('u', { x: '3' });
  assert.deepEqual(woken.slice(3).toSorted(), ['current', 'failing', 'late']);
});

test('another commit with the same files is told to those who render nothing: they tell of commits', async () => {
  const sources = new MemorySources();
  const woken: string[] = [];
  const watches = new SourceWatches(sources, (id) => woken.push(id));
  watches.follow('teller', [SPEC], INTERVAL_MS);
  watches.follow('app', [SPEC], INTERVAL_MS);
  sources.push('u', { x: '1' });
  watches.loaded('app', [renderOf(await sources.fetchSnapshot(SPEC), ['x'])]);
  woken.length = 0;
  sources.push('u', { x: '1' });
  assert.deepEqual(woken, ['teller']);
});

test('who fails before anything is rendered is woken by the next commit all the same', async () => {
  const sources = new MemorySources();
  const woken: string[] = [];
  const watches = new SourceWatches(sources, (id) => woken.push(id), { rendersAtOnce: true });
  watches.follow('app', [SPEC], INTERVAL_MS);
  watches.looked('app');
  assert.deepEqual(woken, [], 'nothing was said of the source');
  sources.push('u', { x: '1' });
  assert.deepEqual(woken, ['app']);
});

test('what was said of a source during a look that failed is not lost', async () => {
  const sources = new MemorySources();
  const woken: string[] = [];
  const watches = new SourceWatches(sources, (id) => woken.push(id), { rendersAtOnce: true });
  watches.follow('app', [SPEC], INTERVAL_MS);
  sources.push('u', { x: '1' });
  assert.deepEqual(woken, [], 'it looks');
  watches.looked('app');
  assert.deepEqual(woken, ['app']);
});

test('when two states cannot be compared, all who follow are woken', async () => {
  const sources = new MemorySources();
  const woken: string[] = [];
  const watches = new SourceWatches(sources, (id) => woken.push(id));
  sources.push('u', { x: '1' });
  for (const id of ['a', 'b']) {
    watches.follow(id, [SPEC], INTERVAL_MS);
    watches.loaded(id, [renderOf(await sources.fetchSnapshot(SPEC), ['x'])]);
  }
  sources.changedPaths = () => {
    throw new Error('the tree is gone');
  };
  sources.push('u', { x: '1', y: '1' });
  assert.deepEqual(woken.toSorted(), ['a', 'b']);
});
