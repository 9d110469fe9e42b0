/**
 * A sandbox with a data directory is killed again and again while clients write, and sometimes has no room on its disk. After
 * each start everything that a client was told, by an answer or by a watch, must be there.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { ApiError, connect, type KubeClient, loadKubeconfig } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { Random } from '../merge/random.ts';

export interface DurabilityReport {
  readonly rounds: number;
  readonly acknowledged: number;
  /** Writes that the server refused because the disk was full. */
  readonly refused: number;
  /** Events that a watch has shown. */
  readonly seen: number;
}

const WRITERS = 4;
const NAMES = 15;
const SNAPSHOT_EVERY_BYTES = 200_000;
/** So small that a round fills it before a snapshot is due. */
const FULL_AT_KILOBYTES = 60;
const KIND = { apiVersion: 'v1', kind: 'ConfigMap' };

/** What clients know of one object. */
interface Known {
  /** The last state that an answer gave; undefined: not there. */
  acknowledged: State | undefined;
  /** The value, or the removal, that was asked for last and not answered: it may have happened or not. */
  pending: { readonly value: string | undefined } | undefined;
  /** The newest resourceVersion that a watch has shown. */
  seen: number;
}

interface State {
  readonly value: string;
  readonly resourceVersion: number;
  readonly uid: string;
}

interface Run {
  readonly dataDir: string;
  readonly random: Random;
  readonly known: Map<string, Known>;
  readonly counts: { acknowledged: number; refused: number; seen: number };
}

export async function runDurability(rounds: number, seed: number): Promise<DurabilityReport> {
  const dataDir = mkdtempSync(join(tmpdir(), 'durability-'));
  const run: Run = {
    dataDir,
    random: new Random(seed),
    known: new Map(),
    counts: { acknowledged: 0, refused: 0, seen: 0 },
  };
  try {
    for (let round = 0; round < rounds; round++) {
      // Not by lot: how many numbers the writers draw depends on time, and a few rounds shall have seen every kind.
      if (round % 7 === 5) await killWhileStarting(run);
      else await killWhileWriting(run, round, round % 7 === 2);
    }
    const { child, client } = await start(run, false);
    await verify(run, client, `the end (seed ${seed})`);
    await stop(child, client);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
  return { rounds, ...run.counts };
}

function spawnSandbox(run: Run, isFull: boolean): ChildProcess {
  const script = join(import.meta.dirname, 'kept-sandbox.ts');
  const args = ['--disable-warning=ExperimentalWarning', script, run.dataDir];
  const command = [process.execPath, ...args, String(SNAPSHOT_EVERY_BYTES)];
  // A limit on the size of files is a full disk that any user can have.
  const limit = isFull ? `trap '' XFSZ; ulimit -f ${FULL_AT_KILOBYTES}; ` : '';
  return spawn('bash', ['-c', `${limit}exec "$@"`, 'bash', ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function start(
  run: Run,
  isFull: boolean,
): Promise<{ child: ChildProcess; client: KubeClient }> {
  const child = spawnSandbox(run, isFull);
  const ended = once(child, 'exit').then(() => {
    throw new Error('the sandbox did not start');
  });
  const line = once(createInterface({ input: child.stdout! }), 'line') as Promise<[string]>;
  const [file] = await Promise.race([line, ended]);
  ended.catch(() => undefined);
  return { child, client: connect(await loadKubeconfig({ file })) };
}

async function stop(child: ChildProcess, client: KubeClient): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  await client.close();
}

async function killWhileStarting(run: Run): Promise<void> {
  const child = spawnSandbox(run, false);
  await pause(run.random.next() * 900);
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function killWhileWriting(run: Run, round: number, isFull: boolean): Promise<void> {
  const { child, client } = await start(run, isFull);
  await verify(run, client, `round ${round}`);
  const life = new AbortController();
  const watching = watch(run, client, life.signal);
  const writing = Array.from({ length: WRITERS }, (_, writer) =>
    write(run, client, { writer, round, signal: life.signal }),
  );
  await written(run, isFull);
  child.kill('SIGKILL');
  life.abort();
  await Promise.all([...writing, watching]);
  await stop(child, client);
}

/** Waits for some writes, and for a full disk when there shall be one; then a moment more. */
async function written(run: Run, isFull: boolean): Promise<void> {
  const { counts, random } = run;
  const wanted = counts.acknowledged + random.below(100);
  const refused = counts.refused + (isFull ? 1 + random.below(10) : 0);
  const endMs = Date.now() + 20_000;
  while (counts.acknowledged < wanted || counts.refused < refused) {
    if (Date.now() > endMs) return;
    await pause(2);
  }
  await pause(random.next() * 20);
}

/** Each writer has names of its own, so that the state of an object is what its last request says. */
async function write(
  run: Run,
  client: KubeClient,
  { writer, round, signal }: { writer: number; round: number; signal: AbortSignal },
): Promise<void> {
  for (let i = 0; !signal.aborted; i++) {
    const name = `w${writer}-${run.random.below(NAMES)}`;
    const known = knownOf(run, name);
    const isRemoval = known.acknowledged !== undefined && run.random.chance(0.2);
    const value = isRemoval ? undefined : `${round}.${i}.${'x'.repeat(run.random.below(3000))}`;
    known.pending = { value };
    try {
      if (value === undefined) {
        await client.delete({ ...KIND, namespace: 'default', name }, { signal });
        known.acknowledged = undefined;
      } else {
        const written = await client.apply(configMap(name, value), {
          fieldManager: 'durability',
          signal,
        });
        known.acknowledged = stateOf(written);
      }
      known.pending = undefined;
      run.counts.acknowledged++;
    } catch (error) {
      // Whatever else goes wrong here is the server's end. A refused write did not happen.
      if (!(error instanceof ApiError)) return;
      assert.match(error.message, /could not be written to the disk/);
      known.pending = undefined;
      run.counts.refused++;
      await pause(5);
    }
  }
}

async function watch(run: Run, client: KubeClient, signal: AbortSignal): Promise<void> {
  try {
    const following = client.follow(KIND, { namespace: 'default', signal });
    for await (const event of following) {
      if (event.type !== 'CHANGED' && event.type !== 'DELETED') continue;
      const known = knownOf(run, event.object.metadata.name ?? '');
      known.seen = Math.max(known.seen, Number(event.resourceVersion));
      run.counts.seen++;
    }
  } catch {
    // The server's end.
  }
}

async function verify(run: Run, client: KubeClient, when: string): Promise<void> {
  const { items, resourceVersion } = await client.list(KIND, { namespace: 'default' });
  const kept = new Map(items.map((item) => [item.metadata.name, stateOf(item)]));
  for (const [name, known] of run.known) {
    const state = kept.get(name);
    const what = `${when}: ${name}`;
    const { acknowledged, pending } = known;
    const isAsAcknowledged = state?.value === acknowledged?.value;
    const isAsPending = pending !== undefined && state?.value === pending.value;
    assert.ok(
      isAsAcknowledged || isAsPending,
      `${what} is ${state?.value.slice(0, 20)}, acknowledged was ${acknowledged?.value.slice(0, 20)}`,
    );
    if (isAsAcknowledged && !isAsPending) assert.deepEqual(state, acknowledged, what);
    const newest = state?.resourceVersion ?? Number(resourceVersion);
    assert.ok(newest >= known.seen, `${what} is at ${newest}, a watch has shown ${known.seen}`);
    known.acknowledged = state;
    known.pending = undefined;
    known.seen = 0;
  }
  assert.ok(existsSync(join(run.dataDir, 'objects')), when);
}

function knownOf(run: Run, name: string): Known {
  const known = run.known.get(name) ?? { acknowledged: undefined, pending: undefined, seen: 0 };
  run.known.set(name, known);
  return known;
}

function stateOf(object: KubeObject): State {
  const data = object['data'] as { readonly value?: string } | undefined;
  return {
    value: data?.value ?? '',
    resourceVersion: Number(object.metadata.resourceVersion),
    uid: object.metadata.uid ?? '',
  };
}

function configMap(name: string, value: string): KubeObject {
  return { ...KIND, metadata: { name, namespace: 'default' }, data: { value } };
}
