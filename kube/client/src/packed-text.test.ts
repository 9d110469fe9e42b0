import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PackedText, TextPacker } from './packed-text.ts';

const fields = (name: string): unknown => ({
  'f:metadata': { 'f:labels': { '.': {}, [`f:${name}`]: {} } },
  'f:spec': { 'f:list': { 'k:{"name":"a}b\\"{"}': { '.': {}, 'f:image': {} } }, 'f:replicas': {} },
});

function managed(name: string, more: object = {}): string {
  const entry = (manager: string) => ({ manager, fieldsType: 'FieldsV1', fieldsV1: fields(name) });
  return JSON.stringify({
    kind: 'Thing',
    metadata: { name, managedFields: [entry('a'), entry('b')] },
    ...more,
  });
}

test('a packed text is the same text again, whatever is in it', () => {
  const packer = new TextPacker();
  const texts = [
    '{}',
    managed('plain'),
    managed('snow ☃', { data: { text: 'größer als 😀', more: 'x'.repeat(300) } }),
    managed('quoted', {
      data: { inner: managed('inner'), twice: JSON.stringify(managed('deep')) },
    }),
    JSON.stringify({ spec: { fieldsV1: {}, other: { fieldsV1: { a: 'x'.repeat(200) } } } }),
    JSON.stringify({ spec: { fieldsV1: [1], name: '"fieldsV1":{' } }),
  ];
  for (const text of texts) assert.equal(packer.unpack(packer.pack(text)), text);
});

test('what many texts have in common is held once, until the last of them is gone', () => {
  const packer = new TextPacker();
  const [first, second] = [packer.pack(managed('a')), packer.pack(managed('a', { spec: 1 }))];
  const [shared, ...others] = new Set([...sharedBy(first), ...sharedBy(second)]);
  assert.deepEqual([shared?.users, others.length], [4, 0]);
  packer.release(first);
  const third = packer.pack(managed('a'));
  assert.equal(sharedBy(third)[0], shared);
  packer.release(second);
  packer.release(third);
  assert.notEqual(sharedBy(packer.pack(managed('a')))[0], shared);
  assert.equal(packer.unpack(first), managed('a'));
});

function sharedBy(packed: PackedText) {
  assert.ok(typeof packed === 'object' && 'holes' in packed);
  return packed.holes.map(({ shared }) => shared);
}
