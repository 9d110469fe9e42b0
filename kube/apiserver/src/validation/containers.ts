import {
  configKeyProblems,
  dnsLabelProblems,
  type FieldError,
  type Json,
  portNameProblems,
  subdomainProblems,
} from '@capstan/kube-object';
import { flagAt, listAt, objectAt, textAt } from '../json.ts';
import {
  type Check,
  duplicateAt,
  fields,
  forbiddenAt,
  given,
  invalidAt,
  isZero,
  items,
  nonNegative,
  nonZero,
  notFoundAt,
  oneOf,
  positive,
  required,
  requiredAt,
  text,
} from './checks.ts';
import { descendingPath, port, portNumber, withoutBacksteps } from './common.ts';
import { objectField, resourceField } from './downward.ts';
import { containerResources } from './resources.ts';
import { containerSecurity } from './security.ts';

const PRINTABLE = /^[ -<>-~]+$/;

/** Since 1.32 a variable may have any name that the operating system takes. */
function environmentProblems(name: string): readonly string[] {
  if (PRINTABLE.test(name)) return [];
  return [
    "a valid environment variable name must consist only of printable ASCII characters other than '='",
  ];
}

/** What a container's checks need to know of its pod. */
export interface PodFacts {
  /** The names of valid volumes, and whether they come from a claim. */
  readonly volumes: ReadonlyMap<string, { readonly isClaim: boolean }>;
  readonly gracePeriodSeconds: number;
  readonly hostUsers: boolean;
  readonly restartPolicy: string;
}

const ports: Check = (value, at) => {
  const names = new Set<string>();
  return (Array.isArray(value) ? value : []).flatMap((item: Json, i) => {
    const where = `${at}[${i}]`;
    const name = textAt(item, 'name');
    const wrong = name === '' ? [] : text(portNameProblems)(name, `${where}.name`);
    const repeated = name !== '' && wrong.length === 0 && names.has(name);
    names.add(name);
    return [
      ...wrong,
      ...(repeated ? [duplicateAt(`${where}.name`, name)] : []),
      ...fields({
        containerPort: required(portNumber),
        hostPort: nonZero(portNumber),
        protocol: required(oneOf('SCTP', 'TCP', 'UDP')),
      })(item, where),
    ];
  });
};

const keyOf = fields({
  name: (value, at) => text(subdomainProblems)(value ?? '', at),
  key: required(text(configKeyProblems)),
});

const SOURCES = [
  'fieldRef',
  'resourceFieldRef',
  'configMapKeyRef',
  'secretKeyRef',
  'fileKeyRef',
] as const;

const sources = fields({
  fieldRef: objectField('environment'),
  resourceFieldRef: resourceField('environment'),
  configMapKeyRef: given(keyOf),
  secretKeyRef: given(keyOf),
  fileKeyRef: given(
    fields({
      key: required(text(environmentProblems)),
      volumeName: required(text(dnsLabelProblems)),
      path: required(withoutBacksteps),
    }),
  ),
});

const environment: Check = items((item, at) => {
  const from = objectAt(item)['valueFrom'];
  const errors = [...required(text(environmentProblems))(objectAt(item)['name'], `${at}.name`)];
  if (from === undefined || from === null) return errors;
  const where = `${at}.valueFrom`;
  errors.push(...sources(from, where));
  const count = SOURCES.filter((key) => objectAt(from)[key] !== undefined).length;
  if (count === 0) {
    const detail =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    errors.push(invalidAt(where, '', detail));
  } else if (textAt(item, 'value') !== '') {
    errors.push(invalidAt(where, '', 'may not be specified when `value` is not empty'));
  } else if (count > 1) {
    errors.push(invalidAt(where, '', 'may not have more than one field specified at a time'));
  }
  return errors;
});

const named = given(fields({ name: required(text(subdomainProblems)) }));

const environmentFrom: Check = (value, at) =>
  (Array.isArray(value) ? value : []).flatMap((item: Json, i) => {
    const { configMapRef, secretRef } = objectAt(item);
    const count = [configMapRef, secretRef].filter((ref) => ref !== undefined).length;
    const detail =
      count === 0
        ? 'must specify one of: `configMapRef` or `secretRef`'
        : 'may not have more than one field specified at a time';
    return [
      ...fields({
        prefix: nonZero(text(environmentProblems)),
        configMapRef: named,
        secretRef: named,
      })(item, `${at}[${i}]`),
      ...(count === 1 ? [] : [invalidAt(at, '', detail)]),
    ];
  });

/** The server names some of a mount's fields without its index. */
function mountErrors(container: Json, at: string, facts: PodFacts): FieldError[] {
  const paths = new Set<string>();
  const devices = listAt(container, 'volumeDevices');
  return listAt(container, 'volumeMounts').flatMap((mount, i) => {
    const errors: FieldError[] = [];
    const where = `${at}[${i}]`;
    const name = textAt(mount, 'name');
    const path = textAt(mount, 'mountPath');
    if (name === '') errors.push(requiredAt(`${where}.name`));
    if (!facts.volumes.has(name)) errors.push(notFoundAt(`${where}.name`, name));
    if (path === '') errors.push(requiredAt(`${where}.mountPath`));
    if (paths.has(path)) errors.push(invalidAt(`${where}.mountPath`, path, 'must be unique'));
    paths.add(path);
    if (devices.some((device) => textAt(device, 'name') === name)) {
      errors.push(invalidAt(`${where}.name`, name, 'must not already exist in volumeDevices'));
    }
    if (devices.some((device) => textAt(device, 'devicePath') === path)) {
      errors.push(
        invalidAt(`${where}.mountPath`, path, 'must not already exist as a path in volumeDevices'),
      );
    }
    return [...errors, ...mountOptionErrors(container, mount, { at, where })];
  });
}

function mountOptionErrors(
  container: Json,
  mount: Json,
  { at, where }: { readonly at: string; readonly where: string },
): FieldError[] {
  const errors: FieldError[] = [];
  const subPath = textAt(mount, 'subPath');
  const expression = textAt(mount, 'subPathExpr');
  if (subPath !== '') errors.push(...descendingPath(subPath, `${at}.subPath`));
  if (expression !== '') {
    if (subPath !== '') {
      const detail = 'subPathExpr and subPath are mutually exclusive';
      errors.push(invalidAt(`${where}.subPathExpr`, expression, detail));
    }
    errors.push(...descendingPath(expression, `${at}.subPathExpr`));
  }
  const { mountPropagation, recursiveReadOnly } = objectAt(mount);
  errors.push(
    ...given(oneOf('Bidirectional', 'HostToContainer', 'None'))(
      mountPropagation,
      `${at}.mountPropagation`,
    ),
  );
  if (mountPropagation === 'Bidirectional' && !flagAt(container, 'securityContext', 'privileged')) {
    const detail = 'Bidirectional mount propagation is available only to privileged containers';
    errors.push(forbiddenAt(`${at}.mountPropagation`, detail));
  }
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return errors;
  const field = `${at}.recursiveReadOnly`;
  if (recursiveReadOnly !== 'Enabled' && recursiveReadOnly !== 'IfPossible') {
    return [...errors, ...oneOf('Disabled', 'Enabled', 'IfPossible')(recursiveReadOnly, field)];
  }
  if (!flagAt(mount, 'readOnly')) {
    errors.push(forbiddenAt(field, 'may only be specified when readOnly is true'));
  }
  if (mountPropagation !== undefined && mountPropagation !== 'None') {
    const detail = 'may only be specified when mountPropagation is None or not specified';
    errors.push(forbiddenAt(field, detail));
  }
  return errors;
}

function deviceErrors(container: Json, at: string, facts: PodFacts): FieldError[] {
  const names = new Set<string>();
  const paths = new Set<string>();
  return listAt(container, 'volumeDevices').flatMap((device, i) => {
    const errors: FieldError[] = [];
    const name = textAt(device, 'name');
    const path = textAt(device, 'devicePath');
    const nameAt = `${at}[${i}].name`;
    const pathAt = `${at}[${i}].devicePath`;
    const volume = facts.volumes.get(name);
    if (name === '') errors.push(requiredAt(nameAt));
    if (names.has(name)) errors.push(invalidAt(nameAt, name, 'must be unique'));
    if (volume === undefined) errors.push(notFoundAt(nameAt, name));
    else if (!volume.isClaim) {
      const detail =
        'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
      errors.push(invalidAt(nameAt, name, detail));
    }
    if (path === '') errors.push(requiredAt(pathAt));
    if (paths.has(path)) errors.push(invalidAt(pathAt, path, 'must be unique'));
    if (path.split('/').includes('..')) {
      errors.push(invalidAt(pathAt, path, "can not contain backsteps ('..')"));
    }
    const mounts = listAt(container, 'volumeMounts');
    if (mounts.some((mount) => textAt(mount, 'name') === name)) {
      errors.push(invalidAt(nameAt, name, 'must not already exist in volumeMounts'));
    }
    if (mounts.some((mount) => textAt(mount, 'mountPath') === path)) {
      errors.push(invalidAt(pathAt, path, 'must not already exist as a path in volumeMounts'));
    }
    if (name !== '') names.add(name);
    paths.add(path);
    return errors;
  });
}

const HEADER = /^[-A-Za-z0-9]+$/;
const HEADER_PROBLEM =
  "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";

const httpGet = fields({
  path: required(),
  port,
  scheme: oneOf('HTTP', 'HTTPS'),
  httpHeaders: (value, at) =>
    (Array.isArray(value) ? value : []).flatMap((header: Json) => {
      const name = textAt(header, 'name');
      return HEADER.test(name) ? [] : [invalidAt(at, name, HEADER_PROBLEM)];
    }),
});

function sleep(gracePeriodSeconds: number): Check {
  return (value, at) => {
    const seconds = Number(objectAt(value)['seconds'] ?? 0);
    if (seconds >= 0 && seconds <= gracePeriodSeconds) return [];
    const detail = `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriodSeconds})`;
    return [invalidAt(at, seconds, detail)];
  };
}

/** A probe's or hook's handler: exactly one, of which the first counts. */
function handler(gracePeriodSeconds: number): Check {
  const kinds: Readonly<Record<string, Check>> = {
    exec: fields({ command: required() }),
    httpGet,
    tcpSocket: fields({ port }),
    grpc: fields({ port: portNumber }),
    sleep: sleep(gracePeriodSeconds),
  };
  return (value, at) => {
    const set = Object.keys(kinds).filter((kind) => objectAt(value)[kind] !== undefined);
    if (set.length === 0) return [requiredAt(at, 'must specify a handler type')];
    return set.flatMap((kind, i) =>
      i === 0
        ? (kinds[kind]?.(objectAt(value)[kind], `${at}.${kind}`) ?? [])
        : [forbiddenAt(`${at}.${kind}`, 'may not specify more than 1 handler type')],
    );
  };
}

const mustBeOne: Check = (value, at) =>
  (value ?? 0) === 1 ? [] : [invalidAt(at, value ?? 0, 'must be 1')];
const notInReadiness = given((value, at) => [
  invalidAt(at, value, 'must not be set for readinessProbes'),
]);

/** Livewise of a container: probes and hooks. */
function lifeErrors(container: Json, at: string, facts: PodFacts): readonly FieldError[] {
  const handled = handler(facts.gracePeriodSeconds);
  const timing = fields({
    initialDelaySeconds: nonNegative,
    timeoutSeconds: nonNegative,
    periodSeconds: nonNegative,
    successThreshold: nonNegative,
    failureThreshold: nonNegative,
    terminationGracePeriodSeconds: given(positive()),
  });
  const probe = (rest: Readonly<Record<string, Check>>): Check =>
    given((value, where) => [
      ...handled(value, where),
      ...timing(value, where),
      ...fields(rest)(value, where),
    ]);
  return fields({
    lifecycle: given(fields({ postStart: given(handled), preStop: given(handled) })),
    livenessProbe: probe({ successThreshold: mustBeOne }),
    readinessProbe: probe({ terminationGracePeriodSeconds: notInReadiness }),
    startupProbe: probe({ successThreshold: mustBeOne }),
  })(container, at);
}

function resizePolicyErrors(container: Json, at: string, facts: PodFacts): FieldError[] {
  const seen = new Set<string>();
  return listAt(container, 'resizePolicy').flatMap((policy, i) => {
    const name = textAt(policy, 'resourceName');
    const restart = textAt(policy, 'restartPolicy');
    const errors: FieldError[] = [];
    if (seen.has(name)) errors.push(duplicateAt(`${at}[${i}]`, name));
    seen.add(name);
    errors.push(...required(oneOf('cpu', 'memory'))(name, at));
    errors.push(...required(oneOf('NotRequired', 'RestartContainer'))(restart, at));
    if (facts.restartPolicy === 'Never' && restart !== 'NotRequired') {
      const detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
      errors.push(invalidAt(at, restart, detail));
    }
    return errors;
  });
}

const beginning = fields({
  name: required(text(dnsLabelProblems)),
  image: required(),
  terminationMessagePolicy: required(oneOf('File', 'FallbackToLogsOnError')),
  ports,
  env: environment,
  envFrom: environmentFrom,
});

function commonErrors(container: Json, at: string, facts: PodFacts): FieldError[] {
  return [
    ...beginning(container, at),
    ...mountErrors(container, `${at}.volumeMounts`, facts),
    ...deviceErrors(container, `${at}.volumeDevices`, facts),
    ...fields({
      imagePullPolicy: required(oneOf('Always', 'IfNotPresent', 'Never')),
      resources: containerResources,
    })(container, at),
    ...resizePolicyErrors(container, `${at}.resizePolicy`, facts),
    ...containerSecurity(facts.hostUsers)(
      objectAt(container)['securityContext'],
      `${at}.securityContext`,
    ),
  ];
}

const restartRule = fields({
  action: oneOf('Restart'),
  exitCodes: (value, at) =>
    isZero(value)
      ? [requiredAt(at, 'must be specified')]
      : fields({ operator: oneOf('In', 'NotIn') })(value, at),
});

function restartErrors(container: Json, at: string): readonly FieldError[] {
  const { restartPolicy, restartPolicyRules } = objectAt(container);
  const rules = items(restartRule)(restartPolicyRules, `${at}.restartPolicyRules`);
  const where = `${at}.restartPolicy`;
  if (restartPolicy !== undefined) {
    return [...oneOf('Always', 'Never', 'OnFailure')(restartPolicy, where), ...rules];
  }
  if (isZero(restartPolicyRules)) return [];
  return [requiredAt(where, 'must specify restartPolicy when restart rules are used'), ...rules];
}

function hostPortErrors(containers: readonly (readonly [Json, string])[]): FieldError[] {
  const seen = new Set<string>();
  return containers.flatMap(([container, at]) =>
    listAt(container, 'ports').flatMap((item, i) => {
      const hostPort = Number(objectAt(item)['hostPort'] ?? 0);
      if (hostPort === 0) return [];
      const key = `${textAt(item, 'protocol')}/${textAt(item, 'hostIP')}/${hostPort}`;
      if (seen.has(key)) return [duplicateAt(`${at}.ports[${i}].hostPort`, key)];
      seen.add(key);
      return [];
    }),
  );
}

export function containerErrors(spec: Json | undefined, at: string, facts: PodFacts): FieldError[] {
  const containers = listAt(spec, 'containers');
  if (containers.length === 0) return [requiredAt(at)];
  const names = new Set<string>();
  const errors = containers.flatMap((container, i) => {
    const where = `${at}[${i}]`;
    const name = textAt(container, 'name');
    const repeated = names.has(name);
    names.add(name);
    return [
      ...commonErrors(container, where, facts),
      ...(repeated ? [duplicateAt(`${where}.name`, name)] : []),
      ...lifeErrors(container, where, facts),
      ...restartErrors(container, where),
    ];
  });
  return [
    ...errors,
    ...hostPortErrors(containers.map((container, i) => [container, `${at}[${i}]`] as const)),
  ];
}

const LIFE = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'];

export function initContainerErrors(
  spec: Json | undefined,
  at: string,
  facts: PodFacts,
): FieldError[] {
  const names = new Set(listAt(spec, 'containers').map((container) => textAt(container, 'name')));
  return listAt(spec, 'initContainers').flatMap((container, i) => {
    const where = `${at}[${i}]`;
    const name = textAt(container, 'name');
    const errors = [...commonErrors(container, where, facts), ...restartErrors(container, where)];
    if (names.has(name)) errors.push(duplicateAt(`${where}.name`, name));
    else if (name !== '') names.add(name);
    // Init containers run one by one, so each is looked at alone; the server names the first for all.
    errors.push(...hostPortErrors([[container, `${at}[0]`]]));
    if (textAt(container, 'restartPolicy') === 'Always') {
      return [...errors, ...lifeErrors(container, where, facts)];
    }
    for (const key of LIFE) {
      if (objectAt(container)[key] !== undefined) {
        const detail = 'may not be set for init containers without restartPolicy=Always';
        errors.push(forbiddenAt(`${where}.${key}`, detail));
      }
    }
    return errors;
  });
}

const NOT_FOR_DEBUGGING = ['ports', 'resources', ...LIFE.slice(1), 'lifecycle'];
const DEBUGGING = 'cannot be set for an Ephemeral Container';

/** Containers for debugging: named unlike all others, and without what a service would need. */
export function ephemeralContainerErrors(
  spec: Json | undefined,
  at: string,
  facts: PodFacts,
): FieldError[] {
  const others = new Set(
    ['containers', 'initContainers'].flatMap((key) =>
      listAt(spec, key).map((container) => textAt(container, 'name')),
    ),
  );
  const names = new Set(others);
  return listAt(spec, 'ephemeralContainers').flatMap((container, i) => {
    const where = `${at}[${i}]`;
    const name = textAt(container, 'name');
    const target = textAt(container, 'targetContainerName');
    const errors = commonErrors(container, where, facts);
    if (names.has(name)) errors.push(duplicateAt(`${where}.name`, name));
    names.add(name);
    if (target !== '' && !others.has(target)) {
      errors.push(notFoundAt(`${where}.targetContainerName`, target));
    }
    for (const key of NOT_FOR_DEBUGGING) {
      if (!isZero(objectAt(container)[key])) errors.push(forbiddenAt(`${where}.${key}`, DEBUGGING));
    }
    for (const [j, mount] of listAt(container, 'volumeMounts').entries()) {
      for (const key of ['subPath', 'subPathExpr']) {
        if (textAt(mount, key) === '') continue;
        errors.push(forbiddenAt(`${where}.volumeMounts[${j}].${key}`, DEBUGGING));
      }
    }
    return errors;
  });
}
