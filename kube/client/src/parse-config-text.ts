import type { Json } from '@capstan/kube-object';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';

/** A kubeconfig is YAML, read as kubectl reads it. */
export function parseConfigText(text: string, origin: string): Json {
  try {
    return parseYaml(text);
  } catch (error) {
    throw new CapstanError(
      'KUBECONFIG_INVALID',
      `the kubeconfig of ${origin} is not readable YAML: ${messageOf(error)}`,
      { hint: 'check the indentation at the line it names', cause: error },
    );
  }
}
