import type { Json } from '@capstan/kube-object';
import { CapstanError, messageOf } from '@capstan/lib-std';

/** A kubeconfig is YAML, of which JSON is a part. */
export function parseConfigText(text: string, origin: string): Json {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CapstanError(
      'KUBECONFIG_INVALID',
      `the kubeconfig of ${origin} cannot be read: ${messageOf(error)}`,
    );
  }
}
