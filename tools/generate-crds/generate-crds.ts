/** Writes <door>/api/src/generated/crds.json from <door>/api/crds/*.txt. Run: node tools/generate-crds/generate-crds.ts */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { buildCrds } from './build-crds.ts';

const ROOT = new URL('../../', import.meta.url);

for (const door of ['argocd', 'flux']) {
  const crds = buildCrds(readFileSync(new URL(`${door}/api/crds/${door}.txt`, ROOT), 'utf8'));
  const folder = new URL(`${door}/api/src/generated/`, ROOT);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL('crds.json', folder), `${JSON.stringify(crds)}\n`);
}
