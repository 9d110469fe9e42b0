import type { HelmFlavor } from './capabilities.ts';
import type { Chart, ChartDependency, Values } from './chart.ts';
import { satisfies } from './compatible-range.ts';
import { coalesceValues, copyTable, mergeTable, tableAt, valueAt, type Warn } from './values.ts';

/**
 * The chart as it will be rendered: subcharts under their aliases, disabled ones (condition, then tags) left out, and
 * import-values merged into the parents' defaults. Follows helm's documentation, "Chart Dependencies".
 */
export function processDependencies(
  chart: Chart,
  values: Values,
  options: { readonly flavor?: HelmFlavor; readonly warn?: Warn } = {},
): Chart {
  const { flavor = 4, warn = () => undefined } = options;
  return importValues(enableDependencies(chart, values, { path: '', flavor, warn }), warn);
}

interface Place {
  /** Prefix of condition paths: where this chart's values stand in the root's. */
  readonly path: string;
  readonly flavor: HelmFlavor;
  readonly warn: Warn;
}

function enableDependencies(chart: Chart, values: Values, place: Place): Chart {
  const required = chart.metadata.dependencies;
  if (required.length === 0) return chart;
  const aliased = { ...chart, dependencies: resolveAliases(chart) };
  const renamed = required.map((dependency) => ({
    ...dependency,
    name: dependency.alias || dependency.name,
    enabled: true,
  }));
  const all = coalesceValues(aliased, values, { flavor: place.flavor, warn: place.warn });
  const judged = renamed
    .map((dependency) => ({ ...dependency, enabled: enabledByTags(dependency, all, place.warn) }))
    .map((dependency) => ({ ...dependency, enabled: enabledByCondition(dependency, all, place) }));
  const disabled = new Set(judged.filter((one) => !one.enabled).map((one) => one.name));
  const kept = aliased.dependencies.filter((child) => !disabled.has(child.metadata.name));
  return {
    ...chart,
    metadata: { ...chart.metadata, dependencies: judged.filter((one) => !disabled.has(one.name)) },
    dependencies: kept.map((child) =>
      enableDependencies(child, all, { ...place, path: `${place.path}${child.metadata.name}.` }),
    ),
  };
}

/** Subcharts that Chart.yaml does not name come first; then each named one, as often as it is named. */
function resolveAliases(chart: Chart): readonly Chart[] {
  const required = chart.metadata.dependencies;
  const fits = (child: Chart, dependency: ChartDependency): boolean =>
    child.metadata.name === dependency.name &&
    satisfies(child.metadata.version, dependency.version);
  const unnamed = chart.dependencies.filter((child) => !required.some((one) => fits(child, one)));
  const named = required.flatMap((dependency) => {
    const child = chart.dependencies.find((candidate) => fits(candidate, dependency));
    if (child === undefined) return [];
    const name = dependency.alias || child.metadata.name;
    const own = name === child.metadata.name ? {} : { ownName: child.metadata.name };
    return [{ ...child, ...own, metadata: { ...child.metadata, name } }];
  });
  return [...unnamed, ...named];
}

function enabledByTags(dependency: ChartDependency, values: Values, warn: Warn): boolean {
  const tags = tableAt(values, 'tags');
  if (tags === undefined) return dependency.enabled;
  const states: boolean[] = [];
  for (const tag of dependency.tags) {
    const state = Object.hasOwn(tags, tag) ? tags[tag] : undefined;
    if (typeof state === 'boolean') states.push(state);
    else if (state !== undefined)
      warn(`returned non-bool value tag=${tag} chart=${dependency.name}`);
  }
  return states.length === 0 || states.includes(true);
}

/** The first path of the condition that holds a boolean decides; else what the tags said stands. */
function enabledByCondition(dependency: ChartDependency, values: Values, place: Place): boolean {
  for (const path of dependency.condition.trim().split(',')) {
    if (path === '') continue;
    const state = valueAt(values, place.path + path);
    if (typeof state === 'boolean') return state;
    if (state !== undefined)
      place.warn(`returned non-bool value path=${path} chart=${dependency.name}`);
  }
  return dependency.enabled;
}

function importValues(chart: Chart, warn: Warn): Chart {
  const children = chart.dependencies.map((child) => importValues(child, warn));
  const withChildren = { ...chart, dependencies: children };
  const required = chart.metadata.dependencies;
  if (required.length === 0) return withChildren;
  const all = coalesceValues(withChildren, {}, { merge: true, warn });
  const imported: Values = {};
  const dependencies = required.map((dependency) => ({
    ...dependency,
    importValues: dependency.importValues.map((entry) => {
      const pair = typeof entry === 'string' ? { child: `exports.${entry}`, parent: '.' } : entry;
      const table = tableAt(all, `${dependency.name}.${pair.child}`);
      if (table === undefined)
        warn(`ImportValues missing table from chart ${dependency.name}: ${pair.child}`);
      else
        mergeTable(imported, nest(pair.parent, copyTable(table)), {
          merge: true,
          warn,
          prefix: '',
        });
      return pair;
    }),
  }));
  return {
    ...withChildren,
    metadata: { ...chart.metadata, dependencies },
    // Imported values are defaults: what the parent itself says stands over them.
    values: mergeTable(copyTable(all), imported, { merge: true, warn, prefix: '' }),
  };
}

/** `a.b` and a table → { a: { b: table } }; `.` is the table itself. */
function nest(path: string, table: Values): Values {
  if (path === '.') return table;
  return path.split('.').reduceRight<Values>((inner, name) => ({ [name]: inner }), table);
}
