// For `node --import`: what is loaded is stripped of its types once, and kept so for later starts. Node's own cache of compiled
// sources does that too, but keeps its 13 MB in memory for as long as the process lives; and Node's stripper, once it has
// stripped a single file, 16 MB. What runs for months can do without both, and be a fifth of a second later.
import { hash, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as modules from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(import.meta.dirname, '..', '..', '..');
/** Beside the packages, where an installation may have filled it; else with its user. Nobody else may write to either. */
export const FOLDERS = [
  join(ROOT, 'node_modules', '.cache', 'capstan-sources'),
  join(homedir(), '.cache', 'capstan', 'sources'),
];

modules.registerHooks({
  load(url, context, nextLoad) {
    if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
    const source = strippedSource(fileURLToPath(url), FOLDERS);
    return { format: 'module', source, shortCircuit: true };
  },
});

/**
 * The text of a file without its types, every line and column where it was. It is looked for in each of the folders, and kept in
 * the first that can be written to: one file for each source, which ends with the digest of what it was made from.
 */
export function strippedSource(file, folders) {
  const text = readFileSync(file, 'utf8');
  const name = `${hash('sha1', file)}.js`;
  const end = `\n//# of ${hash('sha1', text)}\n`;
  for (const folder of folders) {
    const kept = readKept(join(folder, name));
    if (kept.endsWith(end)) return kept.slice(0, -end.length);
  }
  const stripped = modules.stripTypeScriptTypes(text);
  folders.some((folder) => keep(join(folder, name), stripped + end));
  return stripped;
}

function readKept(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Whole or not at all: others may start at the same time. */
function keep(file, text) {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const begun = `${file}.${randomUUID()}`;
    writeFileSync(begun, text);
    renameSync(begun, file);
    return true;
  } catch {
    return false;
  }
}
