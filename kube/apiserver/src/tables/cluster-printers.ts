import { flagAt, listAt, objectAt, textAt, valueAt } from '../json.ts';
import { age, columns, count, nameOf, orNone, orUnset } from './cells.ts';
import type { Column, Printer } from './table.ts';

const CREATED: readonly Column[] = [
  ...columns('Name'),
  { name: 'Created At', type: 'date', description: 'When the object was created.' },
];

const created: Printer = {
  columns: CREATED,
  cells: (object) => [nameOf(object), object.metadata.creationTimestamp ?? ''],
};

const bindings: Printer = {
  columns: columns(
    'Name',
    'Role',
    'Age',
    'Users:string:1',
    'Groups:string:1',
    'ServiceAccounts:string:1',
  ),
  cells(object, now) {
    const names = (kind: string): string =>
      listAt(object, 'subjects')
        .filter((subject) => textAt(subject, 'kind') === kind)
        .map((subject) =>
          kind === 'ServiceAccount'
            ? `${textAt(subject, 'namespace')}/${textAt(subject, 'name')}`
            : textAt(subject, 'name'),
        )
        .join(', ');
    const role = objectAt(object, 'roleRef');
    return [
      nameOf(object),
      `${textAt(role, 'kind')}/${textAt(role, 'name')}`,
      age(object, now),
      names('User'),
      names('Group'),
      names('ServiceAccount'),
    ];
  },
};

const webhooks: Printer = {
  columns: columns('Name', 'Webhooks:integer', 'Age'),
  cells: (object, now) => [nameOf(object), listAt(object, 'webhooks').length, age(object, now)],
};

const policyBindings: Printer = {
  columns: columns('Name', 'PolicyName', 'ParamRef', 'Age'),
  cells(object, now) {
    const reference = objectAt(object, 'spec', 'paramRef');
    const namespace = textAt(reference, 'namespace');
    const name = textAt(reference, 'name');
    const shown =
      Object.keys(reference).length === 0
        ? '<unset>'
        : namespace === ''
          ? name
          : `${namespace}/${name}`;
    return [nameOf(object), textAt(object, 'spec', 'policyName'), shown, age(object, now)];
  },
};

export const CLUSTER_PRINTERS: Readonly<Record<string, Printer>> = {
  '/limitranges': created,
  'rbac.authorization.k8s.io/clusterroles': created,
  'rbac.authorization.k8s.io/roles': created,
  'rbac.authorization.k8s.io/clusterrolebindings': bindings,
  'rbac.authorization.k8s.io/rolebindings': bindings,
  'apiextensions.k8s.io/customresourcedefinitions': created,
  'storage.k8s.io/csistoragecapacities': created,
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': webhooks,
  'admissionregistration.k8s.io/validatingwebhookconfigurations': webhooks,
  'apiregistration.k8s.io/apiservices': {
    columns: columns('Name', 'Service', 'Available', 'Age'),
    cells(object, now) {
      const service = objectAt(object, 'spec', 'service');
      const local = Object.keys(service).length === 0;
      const available = listAt(object, 'status', 'conditions').find(
        (c) => textAt(c, 'type') === 'Available',
      );
      const state = textAt(available, 'status') || 'Unknown';
      const reason = textAt(available, 'reason');
      return [
        nameOf(object),
        local ? 'Local' : `${textAt(service, 'namespace')}/${textAt(service, 'name')}`,
        state === 'True' || reason === '' ? state : `${state} (${reason})`,
        age(object, now),
      ];
    },
  },
  'policy/poddisruptionbudgets': {
    columns: columns(
      'Name',
      'Min Available',
      'Max Unavailable',
      'Allowed Disruptions:integer',
      'Age',
    ),
    cells(object, now) {
      const spec = objectAt(object, 'spec');
      return [
        nameOf(object),
        spec['minAvailable'] === undefined ? 'N/A' : String(spec['minAvailable']),
        spec['maxUnavailable'] === undefined ? 'N/A' : String(spec['maxUnavailable']),
        count(object, 'status', 'disruptionsAllowed'),
        age(object, now),
      ];
    },
  },
  'scheduling.k8s.io/priorityclasses': {
    columns: columns('Name', 'Value:integer', 'Global-Default:boolean', 'Age', 'PreemptionPolicy'),
    cells: (object, now) => [
      nameOf(object),
      count(object, 'value'),
      flagAt(object, 'globalDefault'),
      age(object, now),
      textAt(object, 'preemptionPolicy'),
    ],
  },
  'storage.k8s.io/storageclasses': {
    columns: columns(
      'Name',
      'Provisioner',
      'ReclaimPolicy',
      'VolumeBindingMode',
      'AllowVolumeExpansion',
      'Age',
    ),
    cells(object, now) {
      const mark = object.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'];
      return [
        mark === 'true' ? `${nameOf(object)} (default)` : nameOf(object),
        textAt(object, 'provisioner'),
        textAt(object, 'reclaimPolicy') || 'Delete',
        orUnset(valueAt(object, 'volumeBindingMode')),
        flagAt(object, 'allowVolumeExpansion'),
        age(object, now),
      ];
    },
  },
  'node.k8s.io/runtimeclasses': {
    columns: columns('Name', 'Handler', 'Age'),
    cells: (object, now) => [nameOf(object), textAt(object, 'handler'), age(object, now)],
  },
  'certificates.k8s.io/certificatesigningrequests': {
    columns: columns('Name', 'Age', 'SignerName', 'Requestor', 'RequestedDuration', 'Condition'),
    cells(object, now) {
      const types = listAt(object, 'status', 'conditions').map((c) => textAt(c, 'type'));
      const issued = textAt(object, 'status', 'certificate') === '' ? [] : ['Issued'];
      const decided = ['Denied', 'Approved'].find((type) => types.includes(type)) ?? 'Pending';
      const failed = types.includes('Failed') ? ['Failed'] : [];
      const expiry = valueAt(object, 'spec', 'expirationSeconds');
      return [
        nameOf(object),
        age(object, now),
        orNone(textAt(object, 'spec', 'signerName')),
        textAt(object, 'spec', 'username'),
        expiry === undefined ? '<none>' : `${expiry}s`,
        [decided, ...failed, ...issued].join(','),
      ];
    },
  },
  'admissionregistration.k8s.io/validatingadmissionpolicies': {
    columns: columns('Name', 'Validations:integer', 'ParamKind', 'Age'),
    cells(object, now) {
      const kind = objectAt(object, 'spec', 'paramKind');
      const shown =
        kind['kind'] === undefined
          ? '<unset>'
          : `${textAt(kind, 'apiVersion')}/${textAt(kind, 'kind')}`;
      return [
        nameOf(object),
        listAt(object, 'spec', 'validations').length,
        shown,
        age(object, now),
      ];
    },
  },
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings': policyBindings,
  'admissionregistration.k8s.io/validatingadmissionpolicybindings': policyBindings,
};
