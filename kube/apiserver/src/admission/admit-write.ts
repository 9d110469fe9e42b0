import type { JsonObject, KubeObject } from '@capstan/kube-object';
import type { Core } from '../core.ts';
import { cloneJson, type DraftObject } from '../json.ts';
import type { ServedResource } from '../served-resource.ts';
import type { UserInfo } from '../user.ts';
import { type AdmissionAttributes, kindOf, namespaceOf, type Operation } from './attributes.ts';

/** Who writes what where, as far as admission asks. */
export interface WriteRequest {
  readonly resource: ServedResource;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** fieldManager and fieldValidation as the client gave them. */
  readonly requestOptions?: JsonObject;
  readonly warn: (text: string) => void;
}

const OPTION_KINDS: Readonly<Record<Operation, string>> = {
  CREATE: 'CreateOptions',
  UPDATE: 'UpdateOptions',
  DELETE: 'DeleteOptions',
  CONNECT: 'ConnectOptions',
};

export function attributesOf(
  request: WriteRequest,
  operation: Operation,
  objects: Pick<AdmissionAttributes, 'object' | 'oldObject'> & {
    readonly kind?: AdmissionAttributes['kind'];
  },
): AdmissionAttributes {
  const { resource, subresource, namespace, name, user, dryRun, requestOptions } = request;
  return {
    operation,
    resource,
    subresource,
    kind: objects.kind ?? kindOf(resource),
    namespace: namespaceOf(resource, namespace, name),
    name,
    object: objects.object,
    oldObject: objects.oldObject,
    user,
    dryRun,
    options: {
      kind: OPTION_KINDS[operation],
      apiVersion: 'meta.k8s.io/v1',
      ...(dryRun ? { dryRun: ['All'] } : {}),
      ...requestOptions,
    },
  };
}

/** Lets what the cluster is configured with change a draft in place; whether anything did. */
export function mutateDraft(
  core: Core,
  draft: DraftObject,
  attributes: AdmissionAttributes,
  how: {
    readonly settle: (draft: DraftObject) => void;
    readonly warn: (text: string) => void;
  },
): boolean {
  const changed = core.admission.mutate(core, attributes, {
    warn: how.warn,
    settle(object) {
      const settled = cloneJson(object);
      how.settle(settled);
      return settled as unknown as KubeObject;
    },
  });
  if (changed === undefined) return false;
  for (const key of Object.keys(draft)) delete draft[key];
  Object.assign(draft, cloneJson(changed));
  return true;
}
