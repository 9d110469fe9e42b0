import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { describeGraph, findViolations } from './check-dependencies.ts';
import { ROOT, readManifest, readWorkspace, type WorkspacePackage } from './workspace.ts';

const packages = readWorkspace();

test('every import keeps to the allowed arrows and is declared', () => {
  assert.deepEqual(findViolations(packages), []);
});

test('the dependency graph is the one in docs/dependencies.txt (UPDATE=1 rewrites it)', () => {
  const golden = join(ROOT, 'docs/dependencies.txt');
  const graph = describeGraph(packages);
  if (process.env['UPDATE'] === '1') writeFileSync(golden, graph);
  assert.equal(graph, readFileSync(golden, 'utf8'));
});

test('every third-party package has its line in docs/decisions/dependencies.md', () => {
  const text = readFileSync(join(ROOT, 'docs/decisions/dependencies.md'), 'utf8');
  const names = [...packages.map((pkg) => pkg.path), '.'].flatMap((path) => {
    const manifest = readManifest(path);
    return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
  });
  const missing = new Set(
    names.filter((name) => !name.startsWith('@capstan/') && !text.includes(`\`${name}\``)),
  );
  assert.deepEqual([...missing], []);
});

test('every package is named after its path, has one public list, a licence and a README', () => {
  const odd = packages
    .filter((pkg) => pkg.path.includes('/'))
    .filter((pkg) => {
      const rooted = (file: string) => existsSync(join(ROOT, pkg.path, file));
      const entry =
        rooted('src/index.ts') ||
        globSync(`${pkg.path}/src/main.{ts,tsx}`, { cwd: ROOT }).length > 0;
      return (
        pkg.name !== `@capstan/${pkg.path.replace('/', '-')}` || !entry || !rooted('README.md')
      );
    })
    .map((pkg) => pkg.path);
  assert.deepEqual(odd, []);
});

test('a forbidden arrow is reported with its reason', () => {
  const pkg = (path: string, specifier: string): WorkspacePackage => ({
    path,
    name: `@capstan/${path.replace('/', '-')}`,
    dependencies: new Set([specifier]),
    imports: [{ file: `${path}/src/x.ts`, specifier, typeOnly: false, inTest: false }],
  });
  const found = findViolations([
    pkg('lib/git', '@capstan/kube-client'),
    pkg('kube/client', '@capstan/engine-diff'),
    pkg('engine/diff', '@capstan/engine-sync'),
    pkg('engine/sync', '@capstan/engine-diff'),
  ]);
  assert.deepEqual(found, [
    'lib/git/src/x.ts imports @capstan/kube-client: lib knows nothing of Kubernetes: each package could be published alone',
    'kube/client/src/x.ts imports @capstan/engine-diff: kube knows Kubernetes, not GitOps',
    'engine/diff/src/x.ts imports @capstan/engine-sync: engine/diff may import nothing of its own tier',
  ]);
});
