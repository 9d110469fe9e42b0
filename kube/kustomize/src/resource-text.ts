import { messageOf } from '@capstan/lib-std';
import { goJson, nodeToValue, parseDocument, toYaml, type YamlValue } from '@capstan/lib-yaml';
import { failure } from './failure.ts';
import { type KNode, nodeText } from './node.ts';
import { toValue, withTextKeys } from './node-value.ts';
import type { Resource } from './resource.ts';

/** The JSON value of a resource. Fails for what no JSON object can hold. */
export function resourceValue(resource: Resource): YamlValue {
  const { node } = resource;
  if (node === undefined) return null;
  try {
    return toValue(withTextKeys(node));
  } catch (error) {
    throw rereadFailure(node, error);
  }
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
  return toYaml(resourceValue(resource));
}

/**
 * Why a tree is no JSON: the original prints it and reads that again, and so tells the lines of what it printed. When
 * that reads well, `otherwise` is the reason.
 */
export function rereadFailure(node: KNode | undefined, otherwise: unknown): unknown {
  if (node === undefined) return otherwise;
  try {
    const read = parseDocument(nodeText(node));
    if (read !== undefined) nodeToValue(read);
  } catch (error) {
    return failure(messageOf(error));
  }
  return otherwise;
}
