import { strategicMergePatch } from '@capstan/kube-merge';
import type { JsonObject } from '@capstan/kube-object';
import type { Schema } from '@capstan/kube-schema';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';
import { isRecord } from './json.ts';
import type { GeneratedApplication } from './render-application.ts';

/** Any field there may be: maps are merged, lists are replaced whole, unless something else is known of the field. */
class OpenFields extends Map<string, Schema> {
  override get(name: string): Schema {
    return super.get(name) ?? { type: '', properties: new OpenFields(), items: ANYTHING };
  }
}

const ANYTHING: Schema = { type: '' };

/** Lists of an Application are replaced; those of its metadata merge as in every object. */
const APPLICATION: Schema = {
  type: 'object',
  properties: new OpenFields([
    [
      'metadata',
      {
        type: 'object',
        properties: new OpenFields([
          ['finalizers', { type: 'array', items: { type: 'string' }, patchStrategy: 'merge' }],
        ]),
      },
    ],
  ]),
};

/**
 * Applies spec.templatePatch, rendered: a strategic merge patch as YAML or JSON. The project stays what the template says,
 * so that a parameter cannot move an application into another project.
 */
export function applyTemplatePatch(
  application: GeneratedApplication,
  text: string,
): GeneratedApplication {
  const patch = readPatch(text);
  let patched: JsonObject;
  try {
    patched = strategicMergePatch(APPLICATION, application, patch);
  } catch (error) {
    throw invalid(
      `error while applying templatePatch template to json: ${messageOf(error)}`,
      error,
    );
  }
  const metadata = isRecord(patched['metadata']) ? patched['metadata'] : {};
  const spec = isRecord(patched['spec']) ? patched['spec'] : {};
  const before = application['spec'];
  const project = isRecord(before) ? before['project'] : undefined;
  const { project: _patched, ...rest } = spec;
  return {
    ...patched,
    apiVersion: application.apiVersion,
    kind: application.kind,
    metadata,
    spec: { ...rest, ...(project === undefined ? {} : { project }) },
  };
}

function readPatch(text: string): JsonObject {
  let value: ReturnType<typeof parseYaml>;
  try {
    value = parseYaml(text);
  } catch (error) {
    throw invalid(
      `error while converting template to json ${JSON.stringify(text)}: ${messageOf(error)}`,
      error,
    );
  }
  if (value === null) return {};
  if (isRecord(value)) return value;
  throw invalid(`invalid templatePatch ${JSON.stringify(text)}: it is no object`, undefined);
}

function invalid(message: string, cause: unknown): CapstanError {
  return new CapstanError('TEMPLATE_PATCH_INVALID', message, {
    hint: 'correct spec.templatePatch: it must render to a part of an Application',
    cause,
  });
}
