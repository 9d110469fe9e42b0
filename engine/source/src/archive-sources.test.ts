import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { tarEnd, tarFile } from '@capstan/lib-files';
import { ArchiveSources } from './archive-sources.ts';
import type { ArchiveSourceSpec } from './source-spec.ts';

const packed = gzipSync(
  Buffer.concat([tarFile('app.yaml', Buffer.from('kind: App\n'), false), tarEnd()]),
);
const digest = `sha256:${createHash('sha256').update(packed).digest('hex')}`;

function spec(name: string): ArchiveSourceSpec {
  return {
    kind: 'archive',
    name,
    url: `http://artifacts/${name}.tar.gz`,
    digest,
    revision: { kind: 'archive', id: `latest@${digest}` },
  };
}

test('sources of the same content have one copy of it', async () => {
  const sources = new ArchiveSources(async () => packed);
  const one = await sources.fetch(spec('one'));
  const other = await sources.fetch(spec('other'));
  assert.equal(one.files, other.files);
  assert.notEqual(one.source, other.source);
});

test('a source sees no content that it cannot read, though another has it', async () => {
  const sources = new ArchiveSources(async (url) =>
    url.includes('theirs') ? packed : Buffer.from('something else'),
  );
  await sources.fetch(spec('theirs'));
  await assert.rejects(sources.fetch(spec('mine')), { code: 'ARTIFACT_DIGEST' });
});
