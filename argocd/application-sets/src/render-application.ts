import type { ApplicationSetTemplate } from '@capstan/argocd-api';
import { API_VERSION, FINALIZER } from '@capstan/argocd-api';
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { deepFill } from './deep-fill.ts';
import { isRecord, withoutEmpty } from './json.ts';
import type { Parameters } from './parameters.ts';
import type { TextRenderer } from './text-renderer.ts';

/** An Application as a set wants it: no status, no identity in a cluster. */
export type GeneratedApplication = KubeObject;

/** A generator's own template, completed by that of the set: its own values win where they are not empty. */
export function mergeTemplates(
  own: ApplicationSetTemplate | undefined,
  base: ApplicationSetTemplate,
): ApplicationSetTemplate {
  return own === undefined ? base : deepFill(own, base);
}

/**
 * The Application of one set of parameters. Every text and every key in the template is rendered. With no parameters at
 * all the template stands as it is. Unless resources are to be preserved, an application without finalizers gets Argo CD's.
 */
export function renderApplication(
  template: ApplicationSetTemplate,
  params: Parameters,
  options: { readonly renderer: TextRenderer; readonly preservesResources: boolean },
): GeneratedApplication {
  const isPlain = Object.keys(params).length === 0;
  const filled = isPlain ? template : renderRecord(template, params, options.renderer);
  const metadata = isRecord(filled['metadata']) ? filled['metadata'] : {};
  const { name, namespace, labels, annotations, finalizers } = metadata;
  const kept = withoutEmpty({ name, namespace, labels, annotations, finalizers });
  const wantsFinalizer =
    !isPlain && !options.preservesResources && kept['finalizers'] === undefined;
  return {
    apiVersion: API_VERSION,
    kind: 'Application',
    metadata: { ...kept, ...(wantsFinalizer ? { finalizers: [FINALIZER] } : {}) },
    spec: isRecord(filled['spec']) ? filled['spec'] : {},
  };
}

/** Renders every text of a value, keys of maps included. What is null in a map is left out, as by the original. */
export function renderValue(value: Json, params: Parameters, renderer: TextRenderer): Json {
  if (typeof value === 'string') return renderer.render(value, params);
  if (isList(value)) return value.map((item) => renderValue(item, params, renderer));
  return isRecord(value) ? renderRecord(value, params, renderer) : value;
}

export function renderRecord(
  value: JsonObject,
  params: Parameters,
  renderer: TextRenderer,
): JsonObject {
  const entries = Object.entries(value).flatMap(([key, item]) =>
    item === undefined || item === null
      ? []
      : [[renderer.render(key, params), renderValue(item, params, renderer)] as const],
  );
  return Object.fromEntries(entries);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
