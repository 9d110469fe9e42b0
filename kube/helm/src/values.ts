import { type GoValue, sprintf } from '@capstan/lib-gotemplate';
import type { HelmFlavor } from './capabilities.ts';
import type { Chart, Values } from './chart.ts';
import { ChartError } from './chart-error.ts';

const GLOBAL = 'global';

/** Told about values that cannot be merged and are passed over: the original logs them. */
export type Warn = (message: string) => void;

export interface CoalesceOptions {
  readonly merge?: boolean;
  /** Helm 4 is followed unless 3 is asked for. */
  readonly flavor?: HelmFlavor;
  readonly warn?: Warn;
}

/**
 * The values that a chart and its subcharts are rendered with: `values` over each chart's defaults, globals handed down,
 * a null of the user removing a default (helm's documentation, "Deleting a default key"). With `merge` nulls are kept,
 * as they are while import-values are worked out. Helm 4 takes the nulls out of the charts' own defaults first; Helm 3
 * hands them to the templates. The inputs are not changed.
 */
export function coalesceValues(
  chart: Chart,
  values: Values,
  options: CoalesceOptions = {},
): Values {
  const merge = options.merge ?? false;
  const run: Run = {
    merge,
    nullDefaults: merge || options.flavor === 3,
    warn: options.warn ?? (() => undefined),
  };
  return coalesceChart(chart, copyTable(values), { ...run, prefix: '' });
}

interface Place {
  readonly merge: boolean;
  readonly warn: Warn;
  readonly prefix: string;
}

interface Run extends Omit<Place, 'prefix'> {
  /** Whether a null among a chart's defaults stays for its templates. */
  readonly nullDefaults: boolean;
}

type ChartPlace = Run & Place;

function coalesceChart(chart: Chart, target: Values, place: ChartPlace): Values {
  coalesceDefaults(chart, target, place);
  const prefix = concat(place.prefix, chart.metadata.name);
  for (const child of chart.dependencies) {
    const name = child.metadata.name;
    const given = target[name];
    if (given === undefined) target[name] = {};
    else if (!isTable(given)) {
      throw new ChartError('CHART_VALUES', `type mismatch on ${name}: ${sprintf('%t', [given])}`);
    }
    const table = target[name];
    if (!isTable(table)) continue;
    coalesceGlobals(table, target, { ...place, prefix });
    target[name] = coalesceChart(child, table, { ...place, prefix });
  }
  return target;
}

function coalesceDefaults(chart: Chart, target: Values, place: ChartPlace): void {
  const prefix = concat(place.prefix, chart.metadata.name);
  for (const [key, fallback] of Object.entries(copyTable(chart.values))) {
    const given = target[key];
    if (given === undefined) addDefault(target, key, fallback, place.nullDefaults);
    else if (given === null) {
      if (!place.merge) delete target[key];
    } else if (isTable(given)) {
      if (isTable(fallback)) {
        const merge =
          place.merge || chart.dependencies.some((child) => child.metadata.name === key);
        if (!merge && !place.nullDefaults) dropNulls(fallback);
        mergeTable(given, fallback, { ...place, merge, prefix: concat(prefix, key) });
      } else if (fallback !== null) {
        place.warn(`warning: skipped value for ${prefix}.${key}: Not a table.`);
      }
    }
  }
}

function addDefault(target: Values, key: string, fallback: GoValue, withNulls: boolean): void {
  if (!withNulls) {
    if (fallback === null || fallback === undefined) return;
    if (isTable(fallback)) dropNulls(fallback);
  }
  target[key] = fallback;
}

/** Hands the globals of `source` down into `target`; what the parent says wins. */
function coalesceGlobals(target: Values, source: Values, place: Place): void {
  const into = target[GLOBAL] === undefined ? {} : target[GLOBAL];
  const from = source[GLOBAL] === undefined ? {} : source[GLOBAL];
  if (!isTable(into) || !isTable(from)) {
    const side = isTable(into) ? 'source' : 'destination';
    place.warn(`warning: skipping globals because ${side} ${GLOBAL} is not a table.`);
    return;
  }
  for (const [key, value] of Object.entries(from)) {
    const own = into[key];
    if (!isTable(value)) {
      if (isTable(own)) place.warn(`key ${key} is table. Skipping`);
      else into[key] = value;
      continue;
    }
    const copy: Values = { ...value };
    if (own === undefined) into[key] = copy;
    else if (!isTable(own)) {
      place.warn(`Conflict: cannot merge map onto non-map for ${JSON.stringify(key)}. Skipping.`);
    } else {
      mergeTable(copy, own, { ...place, merge: true, prefix: concat(place.prefix, key) });
      into[key] = copy;
    }
  }
  target[GLOBAL] = into;
}

/** Merges `source` into `target`, which wins; both are changed. A null in `target` removes a default unless merging. */
export function mergeTable(target: Values, source: Values, place: Place): Values {
  const defaults = new Set(Object.keys(source).filter((key) => source[key] !== null));
  for (const [key, value] of Object.entries(target)) if (value === null) source[key] = null;
  for (const [key, value] of Object.entries(source)) {
    const own = target[key];
    if (own === undefined) target[key] = value;
    else if (own === null && !place.merge && defaults.has(key)) delete target[key];
    else if (isTable(value)) {
      const full = concat(place.prefix, key);
      if (isTable(own)) mergeTable(own, value, { ...place, prefix: full });
      else place.warn(`warning: cannot overwrite table with non table for ${full} (map)`);
    } else if (isTable(own) && value !== null) {
      const full = concat(place.prefix, key);
      place.warn(
        `warning: destination for ${full} is a table. Ignoring non-table value (${String(value)})`,
      );
    }
  }
  return target;
}

/** `later` over `earlier`, tables into each other, all else replaced: how several values files become one. */
export function overlayValues(earlier: Values, later: Values): Values {
  const result: Values = { ...earlier };
  for (const [key, value] of Object.entries(later)) {
    const own = result[key];
    result[key] = isTable(value) && isTable(own) ? overlayValues(own, value) : value;
  }
  return result;
}

/** `defaults` under `values`, which win; a null there removes a default. Neither is changed (helm's CoalesceTables). */
export function coalesceTables(values: Values, defaults: Values): Values {
  const place: Place = { merge: false, warn: () => undefined, prefix: '' };
  return mergeTable(copyTable(values), copyTable(defaults), place);
}

function dropNulls(table: Values): void {
  for (const [key, value] of Object.entries(table)) {
    if (value === null) delete table[key];
    else if (isTable(value)) dropNulls(value);
  }
}

/** A copy without nulls, also in inner tables. */
export function withoutNulls(table: Values): Values {
  const copy = copyTable(table);
  dropNulls(copy);
  return copy;
}

/** Whether a value is a mapping as YAML gives it (not a host object of the template engine). */
export function isTable(value: GoValue): value is Values {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A deep copy of tables and lists; scalars and host objects are shared. */
export function copyTable(table: Values): Values {
  const copy: Values = {};
  for (const [key, value] of Object.entries(table)) copy[key] = copyValue(value);
  return copy;
}

function copyValue(value: GoValue): GoValue {
  if (Array.isArray(value)) return value.map(copyValue);
  return isTable(value) ? copyTable(value) : value;
}

/** The table at a dotted path; undefined when there is none. `.` is no path here. */
export function tableAt(values: Values, path: string): Values | undefined {
  let table: Values = values;
  for (const name of path.split('.')) {
    const next = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!isTable(next)) return undefined;
    table = next;
  }
  return table;
}

/** The value (never a table) at a dotted path; undefined when there is none. */
export function valueAt(values: Values, path: string): GoValue {
  const dot = path.lastIndexOf('.');
  const table = dot < 0 ? values : tableAt(values, path.slice(0, dot));
  const name = path.slice(dot + 1);
  const value = table !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
  return isTable(value) ? undefined : value;
}

function concat(a: string, b: string): string {
  return a === '' ? b : `${a}.${b}`;
}
