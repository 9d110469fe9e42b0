import { messageOf } from '@capstan/lib-std';
import { goJson, toYaml, type YamlValue } from '@capstan/lib-yaml';
import { withPrefix } from './failure.ts';
import { goSyntaxOf, toValue, withTextKeys } from './node-value.ts';
import type { Resource } from './resource.ts';

/** The JSON value of a resource. Fails for what no JSON object can hold. */
export function resourceValue(resource: Resource): YamlValue {
  const { node } = resource;
  if (node === undefined) return null;
  return toValue(withTextKeys(node));
}

/** A resource as JSON, as messages show it. */
export function resourceJson(resource: Resource): string {
  try {
    return goJson(resourceValue(resource));
  } catch (error) {
    return `<${messageOf(error)}>`;
  }
}

/** A resource as YAML with sorted keys: the form of the output. */
export function resourceYaml(resource: Resource): string {
  try {
    return toYaml(resourceValue(resource));
  } catch (error) {
    if (resource.node === undefined) throw error;
    throw withPrefix(error, goSyntaxOf(resource.node));
  }
}
