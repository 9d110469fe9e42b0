import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readText } from '@capstan/lib-files';
import { changedPaths } from './changed-paths.ts';
import { commitFiles } from './commit-files.ts';
import { gitTree } from './git-tree.ts';
import { initMirror } from './init-mirror.ts';
import { ObjectCache } from './object-cache.ts';
import { ObjectStore } from './object-store.ts';
import { applyDelta } from './pack-file.ts';
import { gitEnvironment } from './run-git.ts';
import { TreeListing } from './tree-listing.ts';

let folder: string;
let gitDir: string;

function git(...args: string[]): string {
  return execFileSync('git', args, { env: gitEnvironment({ gitDir }), encoding: 'utf8' }).trim();
}

async function commit(files: Record<string, string | null>, at: number): Promise<string> {
  return await commitFiles({
    gitDir,
    branch: 'main',
    files,
    message: `Change ${Object.keys(files).length} files\n\nBecause.\n`,
    author: { name: 'Ann <b>', email: 'ann@example.com' },
    at,
  });
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'git-objects-'));
  gitDir = join(folder, 'repo.git');
  await initMirror(gitDir);
});
after(() => rmSync(folder, { recursive: true }));

function checkEveryObject(store: ObjectStore): number {
  const list = git('cat-file', '--batch-all-objects', '--batch-check').split('\n');
  for (const line of list) {
    const [id, type, size] = line.split(' ');
    const object = store.read(id!);
    assert.equal(object.type, type);
    assert.equal(object.bytes.length, Number(size));
    const content = execFileSync('git', ['cat-file', type!, id!], {
      env: gitEnvironment({ gitDir }),
    });
    assert.ok(content.equals(object.bytes), `${type} ${id}`);
  }
  return list.length;
}

test('every object reads as git reads it: loose, packed, as a delta, and after a repack under an open store', async () => {
  const long = Array.from({ length: 400 }, (_, i) => `line ${i}: ${'x'.repeat(i % 40)}`);
  for (let i = 0; i < 12; i++) {
    long[i * 7] = `changed in ${i}`;
    await commit(
      {
        'deep/folder/long.txt': long.join('\n'),
        [`many/${i}.yaml`]: `a: ${i}\n`,
        'ünï/código 😀.txt': String(i),
      },
      1_700_000_000 + i,
    );
  }
  const store = new ObjectStore(gitDir);
  const loose = checkEveryObject(store);
  git('repack', '-adq', '--depth=50', '--window=50');
  const deltas = git('verify-pack', '-v', ...packIndexes()).match(
    /^[0-9a-f]{40} \w+ .* [0-9a-f]{40}$/gm,
  );
  assert.ok((deltas?.length ?? 0) > 5, 'the pack holds deltas');
  assert.equal(checkEveryObject(store), loose);
  assert.equal(checkEveryObject(new ObjectStore(gitDir)), loose);
  store.close();
});

function packIndexes(): string[] {
  return execFileSync('sh', ['-c', `ls ${gitDir}/objects/pack/*.idx`], { encoding: 'utf8' })
    .trim()
    .split('\n');
}

test('a commit is a tree of files without a checkout', async () => {
  const before = await commit({ 'a/x.yaml': 'one', 'a/y.yaml': 'two', 'b/z.yaml': 'three' }, 1e9);
  const store = new ObjectStore(gitDir);
  const tree = gitTree(store, store.readCommit(before).tree);
  assert.equal(readText(tree, 'a/x.yaml'), 'one');
  assert.equal(readText(tree, 'ünï/código 😀.txt'), '11');
  assert.equal(tree.readFile('a'), undefined);
  assert.equal(tree.readFile('a/none'), undefined);
  assert.equal(tree.readDirectory('a/x.yaml'), undefined);
  assert.deepEqual(
    tree.readDirectory('a')?.map(({ name, kind }) => `${kind} ${name}`),
    ['file x.yaml', 'file y.yaml'],
  );
  assert.equal(tree.stat('')?.kind, 'directory');

  const then = await commit(
    { 'a/x.yaml': 'new', 'a/y.yaml': null, 'b/z.yaml': 'three', c: 'd' },
    1e9 + 1,
  );
  const next = gitTree(store, store.readCommit(then).tree);
  assert.deepEqual(changedPaths(tree, next), ['a/x.yaml', 'a/y.yaml', 'c']);
  assert.deepEqual(changedPaths(next, next), []);
  const read = store.readCommit(then);
  assert.equal(read.author.name, 'Ann b');
  assert.equal(read.author.date, '2001-09-09T01:46:41Z');
  assert.equal(read.message, 'Change 4 files\n\nBecause.\n');
  assert.deepEqual(read.parents, [before]);
  assert.equal(read.signature, 'none');
  assert.deepEqual(store.commitsWithPrefix(then.slice(0, 8)), [then]);
});

test('a commit on a branch that moved is refused', async () => {
  await commit({ first: '1' }, 1e9);
  await assert.rejects(
    commitFiles({
      gitDir,
      branch: 'main',
      files: { a: 'b' },
      message: 'x',
      author: { name: 'a', email: 'b' },
      at: 1,
      parent: '0123456789012345678901234567890123456789',
    }),
    { code: 'GIT_PUSH_REJECTED', hint: 'read the branch again and repeat the change' },
  );
});

test('an object that is not here is an error that names it', () => {
  const store = new ObjectStore(gitDir);
  assert.throws(() => store.read('00000000000000000000000000000000000000aa'), {
    code: 'GIT_OBJECT_MISSING',
    message: 'object 00000000000000000000000000000000000000aa is not in the local copy',
  });
  assert.throws(() => store.read('--help'), { code: 'GIT_OBJECT_CORRUPT' });
});

test('a hostile tree shows no .git, and names that climb are refused', () => {
  const entry = (mode: string, name: string) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.alloc(20, 7)]);
  assert.deepEqual(
    new TreeListing(Buffer.concat([entry('100644', '.GiT'), entry('40000', 'ok')]), 20).entries.map(
      ({ name, kind }) => `${kind} ${name}`,
    ),
    ['directory ok'],
  );
  for (const name of ['..', '.', '', 'a/b', '../../etc/passwd']) {
    assert.throws(() => new TreeListing(entry('100644', name), 20).entries, {
      code: 'GIT_OBJECT_CORRUPT',
    });
  }
  assert.throws(() => new TreeListing(Buffer.from('100644 cut\0abc'), 20).entries, {
    code: 'GIT_OBJECT_CORRUPT',
  });
  assert.throws(() => new TreeListing(Buffer.from('no end'), 20).entries, {
    code: 'GIT_OBJECT_CORRUPT',
  });
});

test('a repository never sees what another one put into a shared cache', async () => {
  const cache = new ObjectCache();
  const commitId = await commit({ private: 'canary' }, 1e9 + 9);
  const mine = new ObjectStore(gitDir, { cache });
  const blob = mine.readTree(mine.readCommit(commitId).tree).find('private')!.id;
  assert.equal(Buffer.from(mine.readBlob(blob)).toString(), 'canary');
  await initMirror(join(folder, 'other.git'));
  const theirs = new ObjectStore(join(folder, 'other.git'), { cache });
  assert.throws(() => theirs.readBlob(blob), { code: 'GIT_OBJECT_MISSING' });
  assert.equal(theirs.has(commitId), false);
});

test('a submodule is an empty folder, a link is shown and not followed', async () => {
  const blob = execFileSync('git', ['hash-object', '-w', '--stdin'], {
    env: gitEnvironment({ gitDir }),
    input: '../../etc/passwd',
    encoding: 'utf8',
  }).trim();
  const listing = `120000 blob ${blob}\tlink\n160000 commit ${'1'.repeat(40)}\tmodule\n`;
  const tree = execFileSync('git', ['mktree', '--missing'], {
    env: gitEnvironment({ gitDir }),
    input: listing,
    encoding: 'utf8',
  }).trim();
  const files = gitTree(new ObjectStore(gitDir), tree);
  assert.equal(files.stat('link')?.kind, 'symlink');
  assert.equal(files.readLink('link'), '../../etc/passwd');
  assert.equal(files.readFile('link'), undefined);
  assert.deepEqual(files.readDirectory('module'), []);
});

test('a delta that reaches outside its base or its size is refused', () => {
  const base = Buffer.from('0123456789');
  assert.equal(
    Buffer.from(applyDelta(base, Buffer.from([10, 4, 0x90, 3, 1, 0x41]), 100)).toString(),
    '012A',
  );
  for (const delta of [
    [9, 3, 0x90, 3],
    [10, 4, 0x90, 3],
    [10, 3, 0x91, 9, 3],
    [10, 3, 0],
    [10, 3, 5, 1, 2],
    [10, 0xff, 0xff, 0xff, 0x7f],
    [0x80],
  ]) {
    assert.throws(() => applyDelta(base, Buffer.from(delta), 1000), { code: 'GIT_OBJECT_CORRUPT' });
  }
});
