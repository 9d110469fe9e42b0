import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildText } from '../test-build.ts';

// Each file of testdata/<transformer>/ is one behaviour, named by its file: comment, files, and the text they build to.
// UPDATE=1 writes the outputs anew; read the difference before you keep it.
const folder = join(import.meta.dirname, 'testdata');

for (const name of globSync('*/*.txt', { cwd: folder }).sort()) {
  test(name.replace('.txt', '').replaceAll('_', ' '), () => {
    const path = join(folder, name);
    const text = readFileSync(path, 'utf8');
    const [input = '', want = ''] = text.split('-- output --\n');
    const parts = input.split(/^-- (.+) --\n/m).slice(1);
    const files: Record<string, string> = {};
    for (let i = 0; i + 1 < parts.length; i += 2) files[parts[i]!] = parts[i + 1]!;
    const built = buildText(files);
    const got = built.endsWith('\n') ? built : `${built}\n`;
    if (process.env['UPDATE'] === '1') writeFileSync(path, `${input}-- output --\n${got}`);
    else assert.equal(got, want);
  });
}
