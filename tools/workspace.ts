import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

export interface WorkspacePackage {
  /** Path from the root: `kube/merge`. */
  readonly path: string;
  /** Name in package.json: `@capstan/kube-merge`. */
  readonly name: string;
  readonly dependencies: ReadonlySet<string>;
  readonly imports: readonly Import[];
}

export interface Import {
  /** The importing file, from the root. */
  readonly file: string;
  /** As written. */
  readonly specifier: string;
  readonly typeOnly: boolean;
  readonly inTest: boolean;
}

interface Manifest {
  readonly name: string;
  readonly workspaces?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Reads every workspace package with the imports of its TypeScript sources, sorted by path. */
export function readWorkspace(): readonly WorkspacePackage[] {
  const root = readManifest('.');
  const folders = (root.workspaces ?? []).flatMap((pattern) =>
    globSync(`${pattern}/package.json`, { cwd: ROOT }).map((file) => dirname(file)),
  );
  return folders.sort().map(readPackage);
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
}

function readPackage(path: string): WorkspacePackage {
  const manifest = readManifest(path);
  const files = globSync(`${path}/**/*.{ts,tsx}`, {
    cwd: ROOT,
    exclude: (name) => ['node_modules', 'testdata', 'dist', 'generated'].includes(name),
  }).sort();
  return {
    path,
    name: manifest.name,
    dependencies: new Set([
      ...Object.keys(manifest.dependencies ?? {}),
      ...Object.keys(manifest.devDependencies ?? {}),
    ]),
    imports: files.flatMap(readImports),
  };
}

const IMPORT =
  /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;

function readImports(file: string): readonly Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(IMPORT)].map((match) => ({
    file,
    specifier: match[2] ?? match[3] ?? '',
    typeOnly: match[1] !== undefined,
    inTest: /\.test\.tsx?$|\/testing\/|(^|\/)(conformance|benchmarks)\//.test(file),
  }));
}
