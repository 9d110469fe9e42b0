import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApiServer } from './api-server.ts';
import { createLocalClient } from './local-client.ts';
import { ObjectTexts } from './object-texts.ts';
import { ADMIN, SYSTEM } from './user.ts';

const LIST = '/api/v1/namespaces/default/configmaps';

interface Listed {
  readonly kind: string;
  readonly items: readonly {
    readonly kind?: string;
    readonly metadata: { readonly name: string };
    readonly data?: { readonly [key: string]: string };
  }[];
}

async function clusterWith(count: number): Promise<{
  read: (path: string, accept?: string) => Promise<{ pieces: readonly string[]; list: Listed }>;
}> {
  const server = await createApiServer();
  const client = createLocalClient(server.core, SYSTEM, 'test');
  for (let i = 0; i < count; i++) {
    client.create('v1/configmaps', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `c${String(i).padStart(4, '0')}`, namespace: 'default' },
      data: { text: 'ä'.repeat(500) },
    });
  }
  return {
    async read(path, accept = 'application/json') {
      const { body } = await server.handleAs({ method: 'GET', path, headers: { accept } }, ADMIN);
      const pieces: string[] = [];
      if (typeof body === 'string') pieces.push(body);
      else if (!(body instanceof Uint8Array))
        for await (const piece of body) pieces.push(String(piece));
      return { pieces, list: JSON.parse(pieces.join('')) as Listed };
    },
  };
}

test('a long list comes in pieces that make one document, a short one whole', async () => {
  const { read } = await clusterWith(1000);
  const names = Array.from({ length: 1000 }, (_, i) => `c${String(i).padStart(4, '0')}`);
  for (const accept of [
    'application/json',
    'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  ]) {
    const { pieces, list } = await read(LIST, accept);
    assert.ok(pieces.length > 1, accept);
    assert.ok(pieces.every((piece) => piece.length < 200_000));
    assert.deepEqual(
      list.items.map((item) => item.metadata.name),
      names,
    );
  }
  const page = await read(`${LIST}?limit=20`);
  assert.equal(page.pieces.length, 1);
  assert.equal(page.list.items.length, 20);
});

test('items of a typed list carry no type, however they are written', async () => {
  const { read } = await clusterWith(3);
  for (const path of [LIST, LIST, `${LIST}?pretty=1`]) {
    const { list } = await read(path);
    assert.equal(list.kind, 'ConfigMapList');
    assert.deepEqual(
      list.items.map((item) => [Object.keys(item), item.data?.['text']?.length]),
      Array(3).fill([['metadata', 'data'], 500]),
    );
  }
});

test('texts of objects are kept up to a bound, the ones in use first', () => {
  const texts = new ObjectTexts(1000);
  const serialized = new Map<number, number>();
  const objects = Array.from({ length: 40 }, (_, i) => ({
    toJSON: () => {
      serialized.set(i, (serialized.get(i) ?? 0) + 1);
      return { value: `${i}`.padStart(88, '.') };
    },
  })) as unknown as { readonly value: string }[];
  for (const object of objects) {
    texts.textOf(objects[0] ?? { value: '' });
    texts.textOf(object);
  }
  assert.equal(serialized.get(0), 1);
  texts.textOf(objects[39] ?? { value: '' });
  assert.equal(serialized.get(39), 1);
  texts.textOf(objects[1] ?? { value: '' });
  assert.equal(serialized.get(1), 2);
});
