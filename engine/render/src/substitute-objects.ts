import { type Json, type KubeObject, parseApiVersion } from '@capstan/kube-object';
import { CapstanError, type Diagnostic, messageOf } from '@capstan/lib-std';
import { parseYaml, toYaml } from '@capstan/lib-yaml';
import type { DesiredObject } from './desired-state.ts';
import type { SubstituteOptions } from './render-spec.ts';
import { SubstitutionError, substituteText } from './substitute-text.ts';

const VARIABLE_NAME = /^[_A-Za-z][_A-Za-z0-9]*$/;
/** As the original prints it. */
const NAME_RULE = '^[_[:alpha:]][_[:alpha:][:digit:]]*$';

/**
 * Puts values for variables into objects as Flux's postBuild does: over the YAML text of the whole object, so that a
 * value may become a number or a list; line breaks of values are dropped first.
 */
export function substituteObjects(
  objects: readonly DesiredObject[],
  options: SubstituteOptions | undefined,
): { readonly objects: readonly DesiredObject[]; readonly diagnostics: readonly Diagnostic[] } {
  if (options === undefined) return { objects, diagnostics: [] };
  const names = Object.keys(options.variables);
  const wrong = names.find((name) => !VARIABLE_NAME.test(name));
  if (names.length === 0 && options.always !== true) return { objects, diagnostics: [] };
  const clean = Object.fromEntries(
    names.map((name) => [name, options.variables[name]!.replaceAll('\n', '')]),
  );
  const diagnostics: Diagnostic[] = [];
  const substituted = objects.map((desired) => {
    if (isExcepted(desired.object, options)) return desired;
    try {
      if (wrong !== undefined) throw nameError(wrong);
      return substituteObject(desired, { variables: clean, strict: options.strict });
    } catch (error) {
      diagnostics.push(toDiagnostic(error, desired));
      return desired;
    }
  });
  return { objects: substituted, diagnostics };
}

function isExcepted(object: KubeObject, { except }: SubstituteOptions): boolean {
  if (except === undefined) return false;
  const { labels, annotations } = object.metadata;
  return [labels, annotations].some((marks) => marks?.[except.key] === except.value);
}

function substituteObject(
  desired: DesiredObject,
  options: { readonly variables: { readonly [name: string]: string }; readonly strict: boolean },
): DesiredObject {
  const text = toYaml(toPlain(desired.object));
  if (!text.includes('$')) return desired;
  const changed = substituteText(text, options);
  return changed === text ? desired : { ...desired, object: parseYaml(changed) as KubeObject };
}

/** The emitter takes mutable values; it does not change them. */
function toPlain(object: KubeObject): Parameters<typeof toYaml>[0] {
  return object as Json as Parameters<typeof toYaml>[0];
}

function nameError(name: string): CapstanError {
  const message = `'${name}' var name is invalid, must match '${NAME_RULE}'`;
  const hint = 'use letters, digits and underscores, and no digit first';
  return new CapstanError('VARIABLE_INVALID', message, { hint });
}

/** In the words of Flux, whose language this is. */
function toDiagnostic(error: unknown, { object, origin }: DesiredObject): Diagnostic {
  const { apiVersion, kind, metadata } = object;
  const { group, version } = parseApiVersion(apiVersion);
  const which = `${kind}.${version}.${group || '[noGrp]'}/${metadata.name ?? ''}`;
  const { problem, hint } = explain(error);
  return {
    severity: 'error',
    code: 'SUBSTITUTION_FAILED',
    message: `post build failed for '${which}': envsubst error: ${problem}`,
    hint,
    ...(origin === undefined ? {} : { location: origin }),
  };
}

function explain(error: unknown): { readonly problem: string; readonly hint: string } {
  if (error instanceof CapstanError && error.code === 'VARIABLE_INVALID') {
    return { problem: error.message, hint: error.hint ?? '' };
  }
  if (error instanceof SubstitutionError) {
    return {
      problem: `variable substitution failed: ${error.message}`,
      hint: 'set the variable or give it a default; write $$ for a dollar sign that stays',
    };
  }
  return {
    problem: `YAMLToJSON: ${withoutValues(error)}`,
    hint: 'a value breaks the YAML around it: quote it where it is used',
  };
}

/** What the reader says may quote the text, and with it a secret value: only the place is kept. */
function withoutValues(error: unknown): string {
  return /yaml: line \d+/.exec(messageOf(error))?.[0] ?? 'YAML error';
}
