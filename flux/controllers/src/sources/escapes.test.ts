/** Row 26 of the abuse cases: paths of buckets and of included repositories that lead out of an artifact. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, find } from '../testing/look.ts';
import { startBucket } from '../testing/stand-ins.ts';
import { createWorld, type World } from '../testing/world.ts';

const NS = 'flux-system';

async function put(world: World, kind: string, name: string, spec: object): Promise<string> {
  const metadata = { name, namespace: NS };
  const apiVersion = 'source.toolkit.fluxcd.io/v1';
  const object = { apiVersion, kind, metadata, spec: { interval: '1h', ...spec } };
  await world.kubectlApply(JSON.stringify(object));
  const found = await world.eventually(
    () => world.get(kind, `${NS}/${name}`),
    (one) => ['True', 'False'].includes(String(at(find(one, 'Ready'), 'status'))),
  );
  const ready = find(found, 'Ready');
  return `${String(at(ready, 'status'))} ${String(at(ready, 'reason'))} ${String(at(ready, 'message'))}`;
}

test('an object whose key leads out of the artifact refuses the whole bucket', async () => {
  await using world = await createWorld();
  const keys = ['../x', '../../../../etc/x', 'a/../../x', 'a\\..\\..\\x', '..', 'a/..'];
  const attempt = async (key: string, index: number) => {
    await using bucket = await startBucket(
      new Map([
        ['good.yaml', 'a: b'],
        [key, 'escaped'],
      ]),
    );
    const spec = { bucketName: 'data', endpoint: bucket.host, insecure: true };
    const told = await put(world, 'Bucket', `bucket-${index}`, spec);
    const expected = `False BucketOperationFailed fetch from bucket 'data' failed: failed to resolve path for '${key}' object`;
    assert.ok(told.startsWith(expected), `${JSON.stringify(key)}: ${told}`);
    const found = await world.get('Bucket', `${NS}/bucket-${index}`);
    assert.equal(at(found?.['status'], 'artifact'), undefined);
  };
  await Promise.all(keys.map(attempt));
});

test('what is included comes from inside, and goes inside', async () => {
  await using world = await createWorld();
  const url = 'https://git.example.com/org/app.git';
  world.sources.push(url, { 'a/x.yaml': '' });
  const spec = { url, ref: { branch: 'main' } };
  await put(world, 'GitRepository', 'base', spec);
  const repository = { name: 'base' };
  const rows: readonly (readonly [object, RegExp])[] = [
    [{ toPath: '../../etc' }, /^False IllegalPath path calculation for include 'base' failed: /],
    [{ toPath: 'a/../../x' }, /^False IllegalPath /],
    [{ toPath: '..\\x' }, /^False IllegalPath /],
    [
      { fromPath: '../../etc' },
      /^False CopyFailure failed to copy 'base' include from .*etc: no such file or directory$/,
    ],
    [{ fromPath: 'a/../../x' }, /^False CopyFailure /],
    [{ fromPath: 'a', toPath: 'b' }, /^True Succeeded /],
  ];
  for (const [index, [more, expected]] of rows.entries()) {
    const include = [{ repository, ...more }];
    const told = await put(world, 'GitRepository', `including-${index}`, { ...spec, include });
    assert.match(told, expected, JSON.stringify(more));
  }
});
