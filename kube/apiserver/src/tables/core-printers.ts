import type { Json, KubeObject } from '@capstan/kube-object';
import { flagAt, listAt, objectAt, textAt, valueAt } from '../json.ts';
import {
  age,
  columns,
  count,
  labelText,
  nameOf,
  orNone,
  orUnset,
  selectorText,
  since,
  size,
} from './cells.ts';
import type { Printer } from './table.ts';

const services: Printer = {
  columns: columns(
    'Name',
    'Type',
    'Cluster-IP',
    'External-IP',
    'Port(s)',
    'Age',
    'Selector:string:1',
  ),
  cells(object, now) {
    const spec = objectAt(object, 'spec');
    const addresses = listAt(spec, 'clusterIPs').map(String);
    return [
      nameOf(object),
      textAt(spec, 'type'),
      addresses[0] ?? '<none>',
      externalAddress(object),
      portText(listAt(spec, 'ports')),
      age(object, now),
      labelText(spec['selector']),
    ];
  },
};

function externalAddress(object: KubeObject): string {
  const spec = objectAt(object, 'spec');
  const external = listAt(spec, 'externalIPs').map(String);
  switch (textAt(spec, 'type')) {
    case 'ExternalName':
      return textAt(spec, 'externalName');
    case 'LoadBalancer': {
      const points = listAt(object, 'status', 'loadBalancer', 'ingress').map(
        (point) => textAt(point, 'ip') || textAt(point, 'hostname'),
      );
      const all = [...points, ...external];
      return all.length === 0 ? '<pending>' : all.join(',');
    }
    default:
      return external.length === 0 ? '<none>' : external.join(',');
  }
}

function portText(ports: readonly Json[]): string {
  if (ports.length === 0) return '<none>';
  return ports
    .map((port) => {
      const node = count(port, 'nodePort');
      const number = count(port, 'port');
      const protocol = textAt(port, 'protocol');
      return node > 0 ? `${number}:${node}/${protocol}` : `${number}/${protocol}`;
    })
    .join(',');
}

const nodes: Printer = {
  columns: columns(
    'Name',
    'Status',
    'Roles',
    'Age',
    'Version',
    'Internal-IP:string:1',
    'External-IP:string:1',
    'OS-Image:string:1',
    'Kernel-Version:string:1',
    'Container-Runtime:string:1',
  ),
  cells(object, now) {
    const info = objectAt(object, 'status', 'nodeInfo');
    const address = (type: string): string => {
      const found = listAt(object, 'status', 'addresses').find((a) => textAt(a, 'type') === type);
      return orNone(textAt(found, 'address'));
    };
    const roles = Object.keys(objectAt(object, 'metadata', 'labels'))
      .filter((key) => key.startsWith('node-role.kubernetes.io/'))
      .map((key) => key.slice('node-role.kubernetes.io/'.length))
      .sort();
    const unknown = (text: string): string => (text === '' ? '<unknown>' : text);
    return [
      nameOf(object),
      nodeState(object),
      orNone(roles.join(',')),
      age(object, now),
      textAt(info, 'kubeletVersion'),
      address('InternalIP'),
      address('ExternalIP'),
      unknown(textAt(info, 'osImage')),
      unknown(textAt(info, 'kernelVersion')),
      unknown(textAt(info, 'containerRuntimeVersion')),
    ];
  },
};

function nodeState(object: KubeObject): string {
  const ready = listAt(object, 'status', 'conditions').find((c) => textAt(c, 'type') === 'Ready');
  const state =
    ready === undefined ? 'Unknown' : textAt(ready, 'status') === 'True' ? 'Ready' : 'NotReady';
  return flagAt(object, 'spec', 'unschedulable') ? `${state},SchedulingDisabled` : state;
}

const SHORT_MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

function modes(list: readonly Json[]): string {
  return list.map((mode) => SHORT_MODES[String(mode)] ?? String(mode)).join(',');
}

const claims: Printer = {
  columns: columns(
    'Name',
    'Status',
    'Volume',
    'Capacity',
    'Access Modes',
    'StorageClass',
    'VolumeAttributesClass',
    'Age',
    'VolumeMode:string:1',
  ),
  cells(object, now) {
    const bound = textAt(object, 'spec', 'volumeName') !== '';
    const leaving = object.metadata.deletionTimestamp !== undefined;
    return [
      nameOf(object),
      leaving ? 'Terminating' : textAt(object, 'status', 'phase'),
      textAt(object, 'spec', 'volumeName'),
      bound ? textAt(object, 'status', 'capacity', 'storage') : '',
      bound ? modes(listAt(object, 'status', 'accessModes')) : '',
      textAt(object, 'spec', 'storageClassName'),
      orUnset(valueAt(object, 'spec', 'volumeAttributesClassName')),
      age(object, now),
      orUnset(valueAt(object, 'spec', 'volumeMode')),
    ];
  },
};

const volumes: Printer = {
  columns: columns(
    'Name',
    'Capacity',
    'Access Modes',
    'Reclaim Policy',
    'Status',
    'Claim',
    'StorageClass',
    'VolumeAttributesClass',
    'Reason',
    'Age',
    'VolumeMode:string:1',
  ),
  cells(object, now) {
    const spec = objectAt(object, 'spec');
    const claim = objectAt(spec, 'claimRef');
    const held = claim['name'] !== undefined;
    const leaving = object.metadata.deletionTimestamp !== undefined;
    return [
      nameOf(object),
      textAt(spec, 'capacity', 'storage'),
      modes(listAt(spec, 'accessModes')),
      textAt(spec, 'persistentVolumeReclaimPolicy'),
      leaving ? 'Terminating' : textAt(object, 'status', 'phase'),
      held ? `${textAt(claim, 'namespace')}/${textAt(claim, 'name')}` : '',
      textAt(spec, 'storageClassName'),
      orUnset(spec['volumeAttributesClassName']),
      textAt(object, 'status', 'reason'),
      age(object, now),
      orUnset(spec['volumeMode']),
    ];
  },
};

const events: Printer = {
  columns: [
    ...columns(
      'Last Seen',
      'Type',
      'Reason',
      'Object',
      'Subobject:string:1',
      'Source:string:1',
      'Message',
      'First Seen:string:1',
      'Count:string:1',
    ),
    { name: 'Name', type: 'string', format: 'name', priority: 1 },
  ],
  cells(object, now) {
    const about = objectAt(object, 'involvedObject', ...[]);
    const target = Object.keys(about).length > 0 ? about : objectAt(object, 'regarding');
    const micro = textAt(object, 'eventTime');
    const first =
      textAt(object, 'firstTimestamp') || textAt(object, 'deprecatedFirstTimestamp') || micro;
    const last = textAt(object, 'lastTimestamp') || textAt(object, 'deprecatedLastTimestamp');
    const source = objectAt(object, 'source');
    const component =
      textAt(source, 'component') ||
      textAt(object, 'reportingComponent') ||
      textAt(object, 'reportingController');
    const host = textAt(source, 'host') || textAt(object, 'reportingInstance');
    const name = textAt(target, 'name');
    const kind = textAt(target, 'kind').toLowerCase();
    return [
      last === '' ? since(first, now) : since(last, now),
      textAt(object, 'type'),
      textAt(object, 'reason'),
      name === '' ? kind : `${kind}/${name}`,
      textAt(target, 'fieldPath'),
      host === '' ? component : `${component}, ${host}`,
      (textAt(object, 'message') || textAt(object, 'note')).trim(),
      since(first, now),
      Math.max(1, count(object, 'count') || count(object, 'deprecatedCount')),
      nameOf(object),
    ];
  },
};

const quotas: Printer = {
  columns: columns('Name', 'Request', 'Limit', 'Age'),
  cells(object, now) {
    const requests: string[] = [];
    const limits: string[] = [];
    const hard = objectAt(object, 'status', 'hard');
    const used = objectAt(object, 'status', 'used');
    for (const name of Object.keys(hard).sort()) {
      const entry = `${name}: ${used[name] ?? '0'}/${hard[name]}`;
      (name.includes('limits') ? limits : requests).push(entry);
    }
    return [nameOf(object), requests.join(', '), limits.join(', '), age(object, now)];
  },
};

const endpoints: Printer = {
  columns: columns('Name', 'Endpoints', 'Age'),
  cells: (object, now) => [
    nameOf(object),
    endpointText(listAt(object, 'subsets')),
    age(object, now),
  ],
};

function endpointText(subsets: readonly Json[]): string {
  const found: string[] = [];
  for (const subset of subsets) {
    const ports = listAt(subset, 'ports');
    for (const address of listAt(subset, 'addresses')) {
      if (ports.length === 0) found.push(textAt(address, 'ip'));
      for (const port of ports) found.push(`${textAt(address, 'ip')}:${count(port, 'port')}`);
    }
  }
  if (found.length === 0) return '<none>';
  const shown = found.slice(0, 3).join(',');
  return found.length > 3 ? `${shown} + ${found.length - 3} more...` : shown;
}

export const CORE_PRINTERS: Readonly<Record<string, Printer>> = {
  '/configmaps': {
    columns: columns('Name', 'Data', 'Age'),
    cells: (object, now) => [
      nameOf(object),
      size(valueAt(object, 'data')) + size(valueAt(object, 'binaryData')),
      age(object, now),
    ],
  },
  '/endpoints': endpoints,
  '/events': events,
  '/namespaces': {
    columns: columns('Name', 'Status', 'Age'),
    cells: (object, now) => [nameOf(object), textAt(object, 'status', 'phase'), age(object, now)],
  },
  '/nodes': nodes,
  '/persistentvolumeclaims': claims,
  '/persistentvolumes': volumes,
  '/resourcequotas': quotas,
  '/secrets': {
    columns: columns('Name', 'Type', 'Data', 'Age'),
    cells: (object, now) => [
      nameOf(object),
      textAt(object, 'type'),
      size(valueAt(object, 'data')),
      age(object, now),
    ],
  },
  '/serviceaccounts': {
    columns: columns('Name', 'Age'),
    cells: (object, now) => [nameOf(object), age(object, now)],
  },
  '/services': services,
  'discovery.k8s.io/endpointslices': {
    columns: columns('Name', 'AddressType', 'Ports', 'Endpoints', 'Age'),
    cells(object, now) {
      const ports = listAt(object, 'ports').map((port) => String(valueAt(port, 'port') ?? '*'));
      const addresses = listAt(object, 'endpoints').flatMap((e) =>
        listAt(e, 'addresses').map(String),
      );
      const shorten = (list: readonly string[]): string =>
        list.length === 0
          ? '<unset>'
          : list.length > 3
            ? `${list.slice(0, 3).join(',')} + ${list.length - 3} more...`
            : list.join(',');
      return [
        nameOf(object),
        textAt(object, 'addressType'),
        shorten(ports),
        shorten(addresses),
        age(object, now),
      ];
    },
  },
  'coordination.k8s.io/leases': {
    columns: columns('Name', 'Holder', 'Age'),
    cells: (object, now) => [
      nameOf(object),
      textAt(object, 'spec', 'holderIdentity'),
      age(object, now),
    ],
  },
  'networking.k8s.io/ingresses': {
    columns: columns('Name', 'Class', 'Hosts', 'Address', 'Ports', 'Age'),
    cells(object, now) {
      const spec = objectAt(object, 'spec');
      const hosts = listAt(spec, 'rules')
        .map((rule) => textAt(rule, 'host'))
        .filter((h) => h !== '');
      const points = listAt(object, 'status', 'loadBalancer', 'ingress').map(
        (point) => textAt(point, 'ip') || textAt(point, 'hostname'),
      );
      const shown =
        hosts.length === 0
          ? '*'
          : hosts.length > 3
            ? `${hosts.slice(0, 3).join(',')} + ${hosts.length - 3} more...`
            : hosts.join(',');
      return [
        nameOf(object),
        orNone(textAt(spec, 'ingressClassName')),
        shown,
        points.join(','),
        listAt(spec, 'tls').length > 0 ? '80, 443' : '80',
        age(object, now),
      ];
    },
  },
  'networking.k8s.io/ingressclasses': {
    columns: columns('Name', 'Controller', 'Parameters', 'Age'),
    cells(object, now) {
      const parameters = objectAt(object, 'spec', 'parameters');
      const group = textAt(parameters, 'apiGroup');
      const kind = textAt(parameters, 'kind');
      const shown =
        kind === ''
          ? '<none>'
          : `${kind}${group === '' ? '' : `.${group}`}/${textAt(parameters, 'name')}`;
      return [nameOf(object), textAt(object, 'spec', 'controller'), shown, age(object, now)];
    },
  },
  'networking.k8s.io/networkpolicies': {
    columns: columns('Name', 'Pod-Selector', 'Age'),
    cells: (object, now) => [
      nameOf(object),
      selectorText(valueAt(object, 'spec', 'podSelector')),
      age(object, now),
    ],
  },
};
