import { flagAt, listAt, numberAt, objectAt, textAt, valueAt } from '../json.ts';
import { age, columns, nameOf, orNone } from './cells.ts';
import type { Printer } from './table.ts';

const RESOURCE = 'resource.k8s.io';
const FLOW = 'flowcontrol.apiserver.k8s.io';
const STORAGE = 'storage.k8s.io';
const ADMISSION = 'admissionregistration.k8s.io';

/** Kinds that a cluster writes for itself more often than people do. */
export const RARE_PRINTERS: Readonly<Record<string, Printer>> = {
  [`${RESOURCE}/resourceclaims`]: {
    columns: columns('Name', 'State', 'Age'),
    cells(object, now) {
      const isDeleted = object.metadata.deletionTimestamp !== undefined;
      const isAllocated = valueAt(object, 'status', 'allocation') !== undefined;
      const isReserved = isAllocated && listAt(object, 'status', 'reservedFor').length > 0;
      const states = [
        ...(isDeleted ? ['deleted'] : []),
        ...(isAllocated ? ['allocated'] : isDeleted ? [] : ['pending']),
        ...(isReserved ? ['reserved'] : []),
      ];
      return [nameOf(object), states.join(','), age(object, now)];
    },
  },
  [`${RESOURCE}/resourceslices`]: {
    columns: columns('Name', 'Node', 'Driver', 'Pool', 'Age'),
    cells(object, now) {
      const spec = objectAt(object, 'spec');
      const pool = textAt(spec, 'pool', 'name');
      return [
        nameOf(object),
        textAt(spec, 'nodeName'),
        textAt(spec, 'driver'),
        pool,
        age(object, now),
      ];
    },
  },
  [`${FLOW}/flowschemas`]: {
    columns: columns(
      'Name',
      'PriorityLevel',
      'MatchingPrecedence',
      'DistinguisherMethod',
      'Age',
      'MissingPL',
    ),
    cells(object, now) {
      const spec = objectAt(object, 'spec');
      const dangling = listAt(object, 'status', 'conditions').find(
        (condition) => textAt(condition, 'type') === 'Dangling',
      );
      return [
        nameOf(object),
        textAt(spec, 'priorityLevelConfiguration', 'name'),
        numberAt(spec, 'matchingPrecedence') ?? 0,
        orNone(textAt(spec, 'distinguisherMethod', 'type')),
        age(object, now),
        textAt(dangling, 'status') || '?',
      ];
    },
  },
  [`${FLOW}/prioritylevelconfigurations`]: {
    columns: columns(
      'Name',
      'Type',
      'NominalConcurrencyShares',
      'Queues',
      'HandSize',
      'QueueLengthLimit',
      'Age',
    ),
    cells(object, now) {
      const limited = objectAt(object, 'spec', 'limited');
      const queuing = objectAt(limited, 'limitResponse', 'queuing');
      return [
        nameOf(object),
        textAt(object, 'spec', 'type'),
        numberAt(limited, 'nominalConcurrencyShares') ?? '<none>',
        numberAt(queuing, 'queues') ?? '<none>',
        numberAt(queuing, 'handSize') ?? '<none>',
        numberAt(queuing, 'queueLengthLimit') ?? '<none>',
        age(object, now),
      ];
    },
  },
  [`${STORAGE}/csidrivers`]: {
    columns: columns(
      'Name',
      'AttachRequired:boolean',
      'PodInfoOnMount:boolean',
      'StorageCapacity:boolean',
      'TokenRequests',
      'RequiresRepublish:boolean',
      'Modes',
      'Age',
    ),
    cells(object, now) {
      const spec = objectAt(object, 'spec');
      const audiences = listAt(spec, 'tokenRequests').map((item) => textAt(item, 'audience'));
      const modes = listAt(spec, 'volumeLifecycleModes').map(String);
      return [
        nameOf(object),
        spec['attachRequired'] !== false,
        flagAt(spec, 'podInfoOnMount'),
        flagAt(spec, 'storageCapacity'),
        audiences.length === 0 ? '<unset>' : audiences.join(','),
        flagAt(spec, 'requiresRepublish'),
        modes.length === 0 ? '<none>' : modes.join(','),
        age(object, now),
      ];
    },
  },
  [`${STORAGE}/csinodes`]: {
    columns: columns('Name', 'Drivers:integer', 'Age'),
    cells: (object, now) => [
      nameOf(object),
      listAt(object, 'spec', 'drivers').length,
      age(object, now),
    ],
  },
  [`${STORAGE}/volumeattachments`]: {
    columns: [
      ...columns('Name'),
      { name: 'Attacher', type: 'string', format: 'name' },
      ...columns('PV', 'Node', 'Attached:boolean', 'Age'),
    ],
    cells(object, now) {
      const spec = objectAt(object, 'spec');
      return [
        nameOf(object),
        textAt(spec, 'attacher'),
        textAt(spec, 'source', 'persistentVolumeName'),
        textAt(spec, 'nodeName'),
        flagAt(object, 'status', 'attached'),
        age(object, now),
      ];
    },
  },
  [`${STORAGE}/volumeattributesclasses`]: {
    columns: columns('Name', 'DriverName', 'Age'),
    cells: (object, now) => [nameOf(object), textAt(object, 'driverName'), age(object, now)],
  },
  'networking.k8s.io/servicecidrs': {
    columns: columns('Name', 'CIDRs', 'Age'),
    cells: (object, now) => [
      nameOf(object),
      listAt(object, 'spec', 'cidrs').join(','),
      age(object, now),
    ],
  },
  [`${ADMISSION}/mutatingadmissionpolicies`]: {
    columns: columns('Name', 'Mutations:integer', 'ParamKind', 'Age'),
    cells(object, now) {
      const kind = objectAt(object, 'spec', 'paramKind');
      const shown = `${textAt(kind, 'apiVersion')}/${textAt(kind, 'kind')}`;
      return [
        nameOf(object),
        listAt(object, 'spec', 'mutations').length,
        kind['kind'] === undefined ? '<unset>' : shown,
        age(object, now),
      ];
    },
  },
};
