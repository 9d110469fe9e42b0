import type { Json, KubeObject } from '@capstan/kube-object';
import type { AppProject } from './app-project.ts';
import type { Application } from './application.ts';
import type { ApplicationSet } from './application-set.ts';

/** A value, or why it is none: the field and what is wrong with it. */
export type Parsed<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'invalid'; readonly field: string; readonly message: string };

/**
 * Checks the shape of an Application as it comes from the API server, which has held it against its schema already: what
 * is checked here is what the code relies on. `spec.project` absent means `default`.
 */
export function parseApplication(object: KubeObject): Parsed<Application> {
  const spec = object['spec'];
  if (!isRecord(spec)) return invalid('spec', 'is missing');
  if (!isRecord(spec['destination'])) return invalid('spec.destination', 'is missing');
  const list = spec['sources'];
  const sources = Array.isArray(list) ? list : spec['source'] === undefined ? [] : [spec['source']];
  for (const [index, source] of sources.entries()) {
    const field = Array.isArray(list) ? `spec.sources[${index}]` : 'spec.source';
    if (!isRecord(source)) return invalid(field, 'is not an object');
    if (typeof source['repoURL'] !== 'string') return invalid(`${field}.repoURL`, 'is missing');
  }
  const status = isRecord(object['status']) ? object['status'] : {};
  const operation = isRecord(object['operation']) ? { operation: object['operation'] } : {};
  const project =
    typeof spec['project'] === 'string' && spec['project'] !== '' ? spec['project'] : 'default';
  const { operation: _raw, ...rest } = object;
  const checked = { ...rest, ...operation, spec: { ...spec, project }, status };
  return isApplication(checked)
    ? { kind: 'ok', value: checked }
    : invalid('kind', 'is not an Application');
}

export function parseAppProject(object: KubeObject): Parsed<AppProject> {
  const checked = { ...object, spec: isRecord(object['spec']) ? object['spec'] : {} };
  return isAppProject(checked)
    ? { kind: 'ok', value: checked }
    : invalid('kind', 'is not an AppProject');
}

/** Checks what the code relies on: a list of generators, each an object, and a template. */
export function parseApplicationSet(object: KubeObject): Parsed<ApplicationSet> {
  const spec = object['spec'];
  if (!isRecord(spec)) return invalid('spec', 'is missing');
  const generators = spec['generators'] ?? [];
  const template = spec['template'] ?? {};
  if (!Array.isArray(generators)) return invalid('spec.generators', 'is not a list');
  const wrong = generators.findIndex((generator) => !isRecord(generator));
  if (wrong >= 0) return invalid(`spec.generators[${wrong}]`, 'is not an object');
  if (!isRecord(template)) return invalid('spec.template', 'is not an object');
  const status = isRecord(object['status']) ? object['status'] : {};
  const checked = { ...object, spec: { ...spec, generators, template }, status };
  return isApplicationSet(checked)
    ? { kind: 'ok', value: checked }
    : invalid('kind', 'is not an ApplicationSet');
}

function isApplicationSet(object: { readonly kind: string }): object is ApplicationSet {
  return object.kind === 'ApplicationSet';
}

function isApplication(object: { readonly kind: string }): object is Application {
  return object.kind === 'Application';
}

function isAppProject(object: { readonly kind: string }): object is AppProject {
  return object.kind === 'AppProject';
}

function invalid(field: string, message: string): Parsed<never> {
  return { kind: 'invalid', field, message };
}

function isRecord(value: Json | undefined): value is { readonly [key: string]: Json | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
