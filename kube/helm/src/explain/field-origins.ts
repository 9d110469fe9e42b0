import { parseDocuments, type YamlNode } from '@capstan/lib-yaml';
import type { Chart } from '../chart.ts';
import type { Manifest } from '../manifests.ts';
import { alignLines, type TemplateLine, templateLines } from './align-lines.ts';

/** A values file as it was given, later ones over earlier ones; or `--set` as a file of its own. */
export interface ValuesLayer {
  readonly name: string;
  readonly text: string;
}

export interface ValueOrigin {
  /** Dotted, from the root chart's values. */
  readonly path: string;
  /** The layer that set it last, or the chart's own values.yaml; undefined when nothing did. */
  readonly file: string | undefined;
  readonly line: number;
  readonly isDefault: boolean;
}

export interface FieldOrigin {
  /** Keys and indices from the object's root. */
  readonly field: readonly (string | number)[];
  /** Template and line, from 1. For what a helper printed: the line that includes it. */
  readonly template: string;
  readonly line: number;
  /** The values named on that line, or in the helpers that it includes. */
  readonly values: readonly ValueOrigin[];
}

/**
 * Which template line, and which values, made each field of a manifest. Lines are found by holding what was printed against
 * the template's fixed text, in order: exact where a line has text of its own (a key), and where such lines are alike it is
 * the nearest one after the line before. Values are those that the line names; not what a variable or `with` stands for.
 */
export function fieldOrigins(
  manifest: Manifest,
  chart: Chart,
  layers: readonly ValuesLayer[],
): readonly FieldOrigin[] {
  const found = findTemplate(chart, manifest.path);
  if (found === undefined) return [];
  const lines = templateLines(found.text, helperTexts(chart));
  const aligned = alignLines(manifest.content.split('\n'), lines);
  const [document] = parseDocuments(manifest.content);
  const fields = document === undefined ? [] : fieldLines(document, []);
  const origins = originFinder(chart, layers);
  return fields.flatMap(({ field, line }) => {
    const source: TemplateLine | undefined = aligned[line - 1];
    if (source === undefined) return [];
    const values = source.values.map((path) => origins(found.scope, path));
    return [{ field, template: manifest.path, line: source.number, values }];
  });
}

/** That of the field, or of the nearest one above it that a line printed. */
export function nearestOrigin(
  origins: readonly FieldOrigin[],
  path: readonly (string | number)[],
): FieldOrigin | undefined {
  return origins
    .filter(({ field }) => field.every((part, i) => part === path[i]))
    .reduce<FieldOrigin | undefined>(
      (best, one) => (best === undefined || one.field.length > best.field.length ? one : best),
      undefined,
    );
}

interface FoundTemplate {
  readonly text: string;
  /** Path of its chart's values in the root's: '' or `db.`. */
  readonly scope: string;
}

function findTemplate(chart: Chart, path: string): FoundTemplate | undefined {
  const names = path.split('/charts/');
  let owner: Chart | undefined = chart;
  let scope = '';
  for (const part of names.slice(1)) {
    const name = part.split('/')[0] ?? '';
    owner = owner?.dependencies.find(({ metadata }) => metadata.name === name);
    scope += `${name}.`;
  }
  const file = (names.at(-1) ?? '').split('/').slice(1).join('/');
  const template = owner?.templates.find(({ name }) => name === file);
  return template && { text: new TextDecoder().decode(template.data), scope };
}

/** The texts of all named templates, by name. */
function helperTexts(chart: Chart): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  const visit = (one: Chart): void => {
    for (const child of one.dependencies) visit(child);
    for (const { data } of one.templates) {
      const text = new TextDecoder().decode(data);
      for (const match of text.matchAll(/\{\{-?\s*define\s+"([^"]+)"/g)) {
        const rest = text.slice(match.index + match[0].length);
        const next = /\{\{-?\s*define\s+"/.exec(rest)?.index;
        texts.set(match[1] ?? '', next === undefined ? rest : rest.slice(0, next));
      }
    }
  };
  visit(chart);
  return texts;
}

function fieldLines(
  node: YamlNode,
  path: readonly (string | number)[],
): readonly { readonly field: readonly (string | number)[]; readonly line: number }[] {
  if (node.kind === 'document') return node.content.flatMap((inner) => fieldLines(inner, path));
  if (node.kind === 'sequence') {
    return node.content.flatMap((item, i) => fieldLines(item, [...path, i]));
  }
  if (node.kind !== 'mapping') {
    return typeof path.at(-1) === 'number' ? [{ field: path, line: node.line }] : [];
  }
  const found = [];
  for (let i = 0; i + 1 < node.content.length; i += 2) {
    const [key, value] = [node.content[i], node.content[i + 1]];
    if (key === undefined || value === undefined) continue;
    const field = [...path, key.value];
    found.push({ field, line: key.line }, ...fieldLines(value, field));
  }
  return found;
}

/** Finds who set a value: the last layer that has it, then the defaults of the charts, the parents' first. */
function originFinder(
  chart: Chart,
  layers: readonly ValuesLayer[],
): (scope: string, path: string) => ValueOrigin {
  const parsed = layers.map(({ name, text }) => ({ name, node: parseDocuments(text)[0] }));
  const defaults = new Map<Chart, YamlNode | undefined>();
  const defaultsOf = (one: Chart): YamlNode | undefined => {
    if (!defaults.has(one)) {
      const file = one.raw.find(({ name }) => name === 'values.yaml');
      const text = file === undefined ? '' : new TextDecoder().decode(file.data);
      defaults.set(one, parseDocuments(text)[0]);
    }
    return defaults.get(one);
  };
  return (scope, path) => {
    const isGlobal = path === 'global' || path.startsWith('global.');
    const full = isGlobal ? path : `${scope}${path}`;
    for (const { name, node } of parsed.toReversed()) {
      const line = lineOf(node, full.split('.'));
      if (line !== undefined) return { path: full, file: name, line, isDefault: false };
    }
    let owner: Chart | undefined = chart;
    let file = 'values.yaml';
    let rest = full.split('.');
    while (owner !== undefined) {
      const line = lineOf(defaultsOf(owner), rest);
      if (line !== undefined) return { path: full, file, line, isDefault: true };
      const [name] = rest;
      owner = owner.dependencies.find(({ metadata }) => metadata.name === name);
      file = `charts/${name}/${file}`;
      rest = rest.slice(1);
    }
    return { path: full, file: undefined, line: 0, isDefault: true };
  };
}

function lineOf(node: YamlNode | undefined, path: readonly string[]): number | undefined {
  let at = node?.kind === 'document' ? node.content[0] : node;
  let line: number | undefined;
  for (const name of path) {
    if (at?.kind !== 'mapping') return undefined;
    const i = at.content.findIndex((key, index) => index % 2 === 0 && key.value === name);
    if (i < 0) return undefined;
    line = at.content[i]?.line;
    at = at.content[i + 1];
  }
  return line;
}
