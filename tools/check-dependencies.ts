import { builtinModules } from 'node:module';
import {
  EDGES,
  ONLY,
  TEST_HELPERS,
  TIER_OF_FOLDER,
  TIER_REASONS,
  TIERS,
  type Tier,
} from './dependency-rules.ts';
import type { Import, WorkspacePackage } from './workspace.ts';

/**
 * Second entries of packages: effects of those whose other part is pure, so that Node stays out of it; scenarios that the
 * package's own tests and the suites against a real cluster share; what a command says without loading the server.
 */
const SECOND_ENTRIES: ReadonlySet<string> = new Set([
  'lib-files/disk',
  'engine-source/store',
  'kube-schema/descriptions',
  'apps-server/explain',
  'apps-server/slice',
]);

/** Every import of the workspace that the rules forbid, each with the reason. Empty when the tree is in order. */
export function findViolations(packages: readonly WorkspacePackage[]): readonly string[] {
  const byName = new Map(packages.map((pkg) => [pkg.name, pkg.path]));
  return packages.flatMap((pkg) =>
    pkg.imports.flatMap((found) => {
      if (found.specifier.startsWith('.')) return [];
      const target = packageNameOf(found.specifier);
      const path = byName.get(target);
      const reasons = [
        ...undeclared(pkg, target),
        ...deepImport(found, target, path),
        ...(path === undefined ? [] : forbiddenEdge(pkg.path, path, found)),
      ];
      return reasons.map((reason) => `${found.file} imports ${found.specifier}: ${reason}`);
    }),
  );
}

/** The graph of the workspace as text, one line an edge: what the golden file holds. */
export function describeGraph(packages: readonly WorkspacePackage[]): string {
  const byName = new Map(packages.map((pkg) => [pkg.name, pkg.path]));
  const lines = packages.flatMap((pkg) => {
    const targets = new Set<string>();
    for (const found of pkg.imports) {
      if (found.inTest || found.specifier.startsWith('.')) continue;
      const name = packageNameOf(found.specifier);
      if (name.startsWith('node:')) continue;
      targets.add(byName.get(name) ?? `npm:${name}`);
    }
    targets.delete(pkg.path);
    return [...targets].sort().map((target) => `${pkg.path} -> ${target}`);
  });
  return `${lines.join('\n')}\n`;
}

function packageNameOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function undeclared(pkg: WorkspacePackage, target: string): readonly string[] {
  if (target.startsWith('node:') || target === pkg.name || pkg.dependencies.has(target)) return [];
  if (builtinModules.includes(target)) return [`write node:${target}`];
  return [`declare ${target} in ${pkg.path}/package.json (npm hoists it here by luck)`];
}

function deepImport(found: Import, target: string, path: string | undefined): readonly string[] {
  if (path === undefined || found.specifier === target) return [];
  const allowed = SECOND_ENTRIES.has(found.specifier.slice('@capstan/'.length));
  return allowed || found.inTest ? [] : [`import ${target} itself: a package has one public list`];
}

function forbiddenEdge(from: string, to: string, found: Import): readonly string[] {
  const fromTier = tierOf(from);
  const toTier = tierOf(to);
  if (from === to || fromTier === 'proof') return [];
  if (found.inTest && TEST_HELPERS.includes(to)) return [];
  if (TIERS.indexOf(toTier) > TIERS.indexOf(fromTier)) return [TIER_REASONS[fromTier]];
  if (toTier === 'apps' || toTier === fromTier) return sameTier(from, to, found);
  const only = ONLY.find((rule) => rule.from === from);
  return only === undefined || only.to.includes(to) ? [] : [only.reason];
}

function sameTier(from: string, to: string, found: Import): readonly string[] {
  if (to === 'lib/std') return [];
  const rule = EDGES.find((edge) => edge.from === from);
  if (rule === undefined) return [`${from} may import nothing of its own tier`];
  if (rule.to.includes('*') || rule.to.includes(to)) return [];
  if (rule.to.includes(`${to} (types)`))
    return found.typeOnly ? [] : [`types only: ${rule.reason}`];
  return [`not among the edges of ${from} (${rule.reason})`];
}

function tierOf(path: string): Tier {
  const tier = TIER_OF_FOLDER[path.split('/')[0] ?? ''];
  if (tier === undefined)
    throw new Error(`no tier for ${path}: name it in tools/dependency-rules.ts`);
  return tier;
}
