import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { type Core, keyFor, listBucket } from '../core.ts';
import { objectAt, textAt } from '../json.ts';
import { fromSelectorObject, matchesLabels } from '../selectors.ts';
import type { ServedResource } from '../served-resource.ts';
import { fromStorage } from '../version-conversion.ts';
import type { AdmissionAttributes } from './attributes.ts';

/** How a policy is configured keeps it from being evaluated; its failurePolicy says what follows. */
export class ConfigurationError extends Error {}

/** The resource whose objects parametrize a policy; undefined when it has no parameters. */
export function parameterResource(core: Core, policy: KubeObject): ServedResource | undefined {
  const kind = objectAt(policy, 'spec')['paramKind'];
  if (kind === undefined || kind === null) return undefined;
  const apiVersion = textAt(kind, 'apiVersion');
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  const version = apiVersion.slice(slash + 1);
  const found = core.registry.findKind(group, version, textAt(kind, 'kind'));
  if (found !== undefined) return found;
  throw new ConfigurationError(
    `failed to find resource referenced by paramKind: '${group}/${version}, Kind=${textAt(kind, 'kind')}'`,
  );
}

/**
 * The objects with which a binding has its policy evaluated, once for each; one `undefined` when there are none to look
 * for. None at all: the binding lets pass what it finds no parameters for.
 */
export function collectParameters(
  core: Core,
  binding: KubeObject,
  resource: ServedResource | undefined,
  attributes: AdmissionAttributes,
): readonly (KubeObject | undefined)[] {
  const given = objectAt(binding, 'spec')['paramRef'];
  if (resource === undefined || given === undefined || given === null) return [undefined];
  const reference = objectAt(given);
  const found = lookUp(core, reference, resource, attributes);
  if (found.length === 0 && textAt(reference, 'parameterNotFoundAction') === 'Deny') {
    throw new ConfigurationError(
      'no params found for policy binding with `Deny` parameterNotFoundAction',
    );
  }
  return found.map((object) => fromStorage(object, resource));
}

function lookUp(
  core: Core,
  reference: JsonObject,
  resource: ServedResource,
  attributes: AdmissionAttributes,
): readonly KubeObject[] {
  const given = textAt(reference, 'namespace');
  if (!resource.namespaced && given !== '') {
    throw new ConfigurationError(
      'paramRef.namespace must not be provided for a cluster-scoped `paramKind`',
    );
  }
  const namespace = resource.namespaced ? given || attributes.namespace : '';
  if (resource.namespaced && namespace === '') {
    throw new ConfigurationError(
      'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
    );
  }
  const name = textAt(reference, 'name');
  if (name !== '') {
    const found = core.store.get(resource.bucket, keyFor(resource, namespace, name));
    return found === undefined ? [] : [found];
  }
  const selector = fromSelectorObject(reference['selector']) ?? [];
  return listBucket(core.store, resource.bucket, namespace).filter((object) =>
    matchesLabels(selector, object.metadata.labels),
  );
}
