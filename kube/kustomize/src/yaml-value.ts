import { messageOf } from '@capstan/lib-std';
import {
  goJson,
  type ParseOptions,
  parseYaml,
  parseYamlStrict,
  type YamlValue,
} from '@capstan/lib-yaml';
import { failure } from './failure.ts';

/** A text's value, as sigs.k8s.io/yaml unmarshals it; what is no YAML fails in Go's words. */
export function yamlValue(text: string, options: ParseOptions = {}): YamlValue {
  return failing(() => parseYaml(text, options));
}

/** As `yamlValue`; a key that stands twice is an error. */
export function yamlValueStrict(text: string): YamlValue {
  return failing(() => parseYamlStrict(text));
}

/** A text as JSON, as sigs.k8s.io/yaml converts it: the same value, but its failures say no more than what is wrong. */
export function yamlToJson(text: string): string {
  try {
    return goJson(parseYaml(text));
  } catch (error) {
    throw failure(messageOf(error).replace(/^error converting YAML to JSON: /, ''));
  }
}

function failing<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw failure(messageOf(error));
  }
}
