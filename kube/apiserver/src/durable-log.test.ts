import assert from 'node:assert/strict';
import {
  appendFileSync,
  cpSync,
  fstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { KubeObject } from '@capstan/kube-object';
import { type LogDisk, openDurableLog } from './durable-log.ts';
import { Store } from './store.ts';

function configMap(name: string, value: string): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value } };
}

function contents(store: Store): string[] {
  return [...store.view('/configmaps').entries()].map(
    ([key, object]) =>
      `${key}=${(object['data'] as { value: string }).value}@${object.metadata.resourceVersion}`,
  );
}

async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'durable-log-'));
  try {
    await run(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test('brings back every acknowledged change, over several starts and a snapshot', () =>
  inDirectory(async (directory) => {
    const expected: string[][] = [];
    for (let round = 0; round < 4; round++) {
      const store = new Store();
      const log = openDurableLog(directory, store);
      if (round > 0) assert.deepEqual(contents(store), expected[round - 1]);
      for (let i = 0; i < 30; i++)
        store.put('/configmaps', `d/c${i % 7}`, configMap(`c${i % 7}`, `${round}.${i}`));
      store.remove('/configmaps', 'd/c3');
      if (round === 1) await log.compact();
      await log.flush();
      await log.close();
      expected.push(contents(store));
    }
    assert.ok(readdirSync(directory).some((name) => name.startsWith('snapshot-')));
  }));

test('cuts off a last line that was not written to its end, at every length', () =>
  inDirectory(async (directory) => {
    const store = new Store();
    const log = openDurableLog(directory, store);
    store.put('/configmaps', 'd/a', configMap('a', '1'));
    await log.flush();
    await log.close();
    const path = join(directory, 'log-1');
    const whole = statSync(path).size;
    const before = readFileSync(path);
    const next = new Store();
    const second = openDurableLog(directory, next);
    next.put('/configmaps', 'd/b', configMap('b', '2'));
    await second.close();
    const torn = readFileSync(join(directory, 'log-2'));
    for (let cut = 1; cut < torn.length; cut += 7) {
      rmSync(directory, { recursive: true });
      const third = new Store();
      const fresh = openDurableLog(directory, third);
      await fresh.close();
      writeFileSync(path, before);
      appendFileSync(path, torn.subarray(0, cut));
      const again = new Store();
      const reopened = openDurableLog(directory, again);
      assert.deepEqual(contents(again), ['d/a=1@2']);
      assert.equal(statSync(path).size, whole);
      await reopened.close();
    }
  }));

test('refuses to start when something before the end is damaged', () =>
  inDirectory(async (directory) => {
    const store = new Store();
    const log = openDurableLog(directory, store);
    for (let i = 0; i < 5; i++) store.put('/configmaps', `d/c${i}`, configMap(`c${i}`, 'x'));
    await log.close();
    const path = join(directory, 'log-1');
    const bytes = readFileSync(path);
    bytes[40] = bytes[40]! ^ 1;
    writeFileSync(path, bytes);
    assert.throws(() => openDurableLog(directory, new Store()), /damaged before its end/);
    truncateSync(path, 0);
    await openDurableLog(directory, new Store()).close();
  }));

test('a change that cannot be written is not made, and nothing acknowledged is lost: every n-th write fails', () =>
  inDirectory(async (directory) => {
    for (const nth of [1, 2, 3, 5]) {
      for (const partial of [0, 1, 20]) {
        const place = join(directory, `n${nth}-${partial}`);
        let count = 0;
        const disk: LogDisk = {
          write(fd, text) {
            count++;
            if (count % nth === 0) {
              if (partial > 0) writeSync(fd, text.slice(0, partial));
              throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
            }
            writeSync(fd, text);
          },
          sync: async () => undefined,
        };
        const store = new Store();
        const log = openDurableLog(place, store, { disk });
        for (let i = 0; i < 20; i++) {
          try {
            store.put('/configmaps', `d/c${i % 5}`, configMap(`c${i % 5}`, String(i)));
          } catch (error) {
            assert.match(String(error), /could not be written to the disk/);
          }
        }
        await log.flush();
        const kept = contents(store);
        await log.close();
        const again = new Store();
        await openDurableLog(place, again).close();
        assert.deepEqual(contents(again), kept);
      }
    }
  }));

test('a power cut loses nothing acknowledged, whatever part of what was not synced reaches the disk', () =>
  inDirectory(async (directory) => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = randomFrom(seed);
      const place = join(directory, String(seed));
      // By inode: how much of each file is on the disk for certain.
      const synced = new Map<number, number>();
      const disk: LogDisk = {
        write: (fd, text) => void writeSync(fd, text),
        async sync(fd) {
          const { ino, size } = fstatSync(fd);
          for (let turns = random() * 5; turns > 0; turns--) {
            await new Promise((resolve) => setImmediate(resolve));
          }
          synced.set(ino, Math.max(synced.get(ino) ?? 0, size));
        },
      };
      const store = new Store();
      const log = openDurableLog(place, store, { disk, snapshotEveryBytes: 4000 });
      const acknowledged = new Map<string, number>();
      const writers = Array.from({ length: 4 }, async (_, writer) => {
        for (let i = 0; i < 40 * random(); i++) {
          const name = `w${writer}-${i % 5}`;
          const { metadata } = store.put('/configmaps', `d/${name}`, configMap(name, String(i)));
          await log.flush();
          acknowledged.set(`d/${name}`, Number(metadata.resourceVersion));
        }
      });
      // The power goes while the others are under way.
      await Promise.race(writers);
      const crashed = join(directory, `${seed}-crashed`);
      cpSync(place, crashed, { recursive: true });
      for (const name of readdirSync(crashed).filter((file) => /^log-|\.new$/.test(file))) {
        const { ino, size } = statSync(join(place, name));
        const certain = Math.min(size, synced.get(ino) ?? 0);
        truncateSync(join(crashed, name), certain + Math.floor(random() * (size - certain + 1)));
      }
      const atCrash = new Map(acknowledged);
      const again = new Store();
      await openDurableLog(crashed, again).close();
      for (const [key, version] of atCrash) {
        const kept = Number(again.get('/configmaps', key)?.metadata.resourceVersion);
        assert.ok(kept >= version, `seed ${seed}: ${key} is at ${kept}, not ${version}`);
      }
      await Promise.all(writers);
      await log.close();
    }
  }));

test('a lock is the process that took it, not one which has its number later', () =>
  inDirectory(async (directory) => {
    const log = openDurableLog(directory, new Store());
    const lock = readFileSync(join(directory, 'lock'), 'utf8');
    await log.close();
    writeFileSync(join(directory, 'lock'), `${process.ppid} 1`);
    await openDurableLog(directory, new Store()).close();
    const parent = lock.includes(' ')
      ? `${process.ppid} ${readFileSync(`/proc/${process.ppid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19]}`
      : String(process.ppid);
    writeFileSync(join(directory, 'lock'), parent);
    assert.throws(() => openDurableLog(directory, new Store()), /in use by process/);
  }));

test('after a failed sync nothing more is acknowledged', () =>
  inDirectory(async (directory) => {
    const disk: LogDisk = {
      write: (fd, text) => void writeSync(fd, text),
      sync: () => Promise.reject(new Error('input/output error')),
    };
    const store = new Store();
    const log = openDurableLog(directory, store, { disk });
    store.put('/configmaps', 'd/a', configMap('a', '1'));
    await assert.rejects(log.flush(), /cannot be written any more/);
    assert.throws(() => store.put('/configmaps', 'd/b', configMap('b', '1')), /cannot be written/);
    await log.close();
  }));

/** Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
