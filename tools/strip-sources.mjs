// Strips every source of its types, as `capstan serve` keeps them (apps/cli/bin/stripped-sources.mjs): for an image, in which each
// start would be the first one.
import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FOLDERS, strippedSource } from '../apps/cli/bin/stripped-sources.mjs';

const root = dirname(import.meta.dirname);
const files = globSync('{lib,kube,engine,argocd,flux,apps}/*/src/**/*.ts', {
  cwd: root,
  exclude: (name) => name === 'node_modules' || name === 'dist' || name === 'testing',
});
for (const file of files) {
  if (!file.endsWith('.test.ts')) strippedSource(join(root, file), FOLDERS);
}
