import { type CelType, DYN_TYPE, listType, mapType, namedType } from '@capstan/lib-expressions';

interface Fields {
  readonly [name: string]: CelType;
}

/** An object of which all fields are known. */
export function objectType(name: string, fields: Fields): CelType {
  return {
    kind: 'object',
    name,
    field: (field) => (Object.hasOwn(fields, field) ? fields[field] : undefined),
  };
}

const STRING = namedType('string');
const TEXTS = listType(STRING);
const TIME = namedType('google.protobuf.Timestamp');

const KIND = objectType('kubernetes.GroupVersionKind', {
  group: STRING,
  version: STRING,
  kind: STRING,
});
const RESOURCE = objectType('kubernetes.GroupVersionResource', {
  group: STRING,
  version: STRING,
  resource: STRING,
});

/** What of an AdmissionRequest expressions see (k8s.io/apiserver/pkg/admission/plugin/cel BuildRequestType). */
export const REQUEST_TYPE = objectType('kubernetes.AdmissionRequest', {
  kind: KIND,
  resource: RESOURCE,
  subResource: STRING,
  requestKind: KIND,
  requestResource: RESOURCE,
  requestSubResource: STRING,
  name: STRING,
  namespace: STRING,
  operation: STRING,
  userInfo: objectType('kubernetes.UserInfo', {
    username: STRING,
    uid: STRING,
    groups: TEXTS,
    extra: mapType(STRING, TEXTS),
  }),
  dryRun: namedType('bool'),
  options: DYN_TYPE,
});

/** And what of a namespace (BuildNamespaceType). */
export const NAMESPACE_TYPE = objectType('kubernetes.Namespace', {
  metadata: objectType('kubernetes.NamespaceMetadata', {
    name: STRING,
    generateName: STRING,
    namespace: STRING,
    labels: mapType(STRING, STRING),
    annotations: mapType(STRING, STRING),
    // The original spells it so, which no object does.
    UID: STRING,
    creationTimestamp: TIME,
    deletionGracePeriodSeconds: namedType('int'),
    deletionTimestamp: TIME,
    generation: namedType('int'),
    resourceVersion: STRING,
    finalizers: TEXTS,
  }),
  spec: objectType('kubernetes.NamespaceSpec', { finalizers: TEXTS }),
  status: objectType('kubernetes.NamespaceStatus', {
    conditions: listType(
      objectType('kubernetes.NamespaceCondition', {
        status: STRING,
        type: STRING,
        lastTransitionTime: TIME,
        message: STRING,
        reason: STRING,
      }),
    ),
    phase: STRING,
  }),
});
