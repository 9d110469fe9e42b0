import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { loadCatalogue } from '@capstan/kube-schema';
import { createApiServer } from './api-server.ts';
import { type Answer, differences, runScript, type Script } from './testing/index.ts';

const folder = join(import.meta.dirname, '../testdata/recorded');

// Recorded from kube-apiserver by conformance/apiserver/record.ts.
const catalogue = await loadCatalogue();

describe('answers as the real server was recorded to answer', () => {
  for (const file of globSync('*.json', { cwd: folder }).sort()) {
    test(basename(file, '.json'), async () => {
      const { script, answers } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
        readonly script: Script;
        readonly answers: readonly Answer[];
      };
      const { transport } = await createApiServer({ catalogue });
      const alive = setInterval(() => undefined, 60_000);
      const send: Parameters<typeof runScript>[1] = async (request) => {
        const { status, headers, body } = await transport.request(request);
        const chunks: Uint8Array[] = [];
        for await (const chunk of body) chunks.push(chunk);
        return { status, headers, text: Buffer.concat(chunks).toString() };
      };
      const actual = await runScript(script, send, { settles: false }).finally(() =>
        clearInterval(alive),
      );
      const found = script.steps.flatMap(({ method, path }, i) =>
        differences(answers[i], actual[i]).map((line) => `#${i} ${method} ${path}: ${line}`),
      );
      assert.deepEqual(found, []);
    });
  }
});
