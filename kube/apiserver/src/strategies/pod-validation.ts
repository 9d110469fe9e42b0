import type { Json, JsonObject } from '@capstan/kube-object';
import type { FieldError } from '../api-error.ts';
import { listAt, numberAt, objectAt, textAt } from '../json.ts';
import { labelErrors } from '../metadata-validation.ts';

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

/** What is wrong with a pod's spec; `at` is its path, for the messages. */
export function podSpecErrors(
  spec: JsonObject,
  at: string,
  allowed: 'pod' | 'always' | 'job',
): FieldError[] {
  const errors: FieldError[] = [];
  const volumes = new Set<string>();
  for (const [i, volume] of listAt(spec, 'volumes').entries()) {
    errors.push(...volumeErrors(volume, `${at}.volumes[${i}]`, volumes));
  }
  const containers = listAt(spec, 'containers');
  if (containers.length === 0) {
    errors.push({ kind: 'required', field: `${at}.containers`, detail: '' });
  }
  const names = new Set<string>();
  for (const key of ['containers', 'initContainers']) {
    for (const [i, container] of listAt(spec, key).entries()) {
      errors.push(...containerErrors(container, `${at}.${key}[${i}]`, { names, volumes }));
    }
  }
  errors.push(...restartPolicyErrors(spec, at, allowed));
  errors.push(
    ...supported(spec, 'dnsPolicy', `${at}.dnsPolicy`, [
      'ClusterFirst',
      'ClusterFirstWithHostNet',
      'Default',
      'None',
    ]),
  );
  return errors;
}

function restartPolicyErrors(
  spec: JsonObject,
  at: string,
  allowed: 'pod' | 'always' | 'job',
): FieldError[] {
  const policy = textAt(spec, 'restartPolicy');
  const field = `${at}.restartPolicy`;
  if (allowed === 'always' && policy !== 'Always') {
    return [{ kind: 'notSupported', field, value: policy, detail: 'supported values: "Always"' }];
  }
  if (allowed === 'job' && policy !== 'OnFailure' && policy !== 'Never') {
    return [{ kind: 'required', field, detail: 'valid values: "OnFailure", "Never"' }];
  }
  return supported(spec, 'restartPolicy', field, ['Always', 'Never', 'OnFailure']);
}

export function supported(
  parent: unknown,
  key: string,
  field: string,
  values: readonly string[],
): FieldError[] {
  const value = textAt(parent, key);
  if (value === '' || values.includes(value)) return [];
  const listed = [...values]
    .sort()
    .map((text) => JSON.stringify(text))
    .join(', ');
  return [{ kind: 'notSupported', field, value, detail: `supported values: ${listed}` }];
}

function volumeErrors(volume: Json, at: string, names: Set<string>): FieldError[] {
  const name = textAt(volume, 'name');
  const errors: FieldError[] = [];
  if (name === '') errors.push({ kind: 'required', field: `${at}.name`, detail: '' });
  else {
    for (const detail of labelErrors(name)) {
      errors.push({ kind: 'invalid', field: `${at}.name`, value: name, detail });
    }
  }
  if (names.has(name))
    errors.push({ kind: 'duplicate', field: `${at}.name`, value: name, detail: '' });
  names.add(name);
  return errors;
}

function containerErrors(
  container: Json,
  at: string,
  known: { names: Set<string>; volumes: Set<string> },
): FieldError[] {
  const errors: FieldError[] = [];
  const name = textAt(container, 'name');
  if (name === '') errors.push({ kind: 'required', field: `${at}.name`, detail: '' });
  else {
    for (const detail of labelErrors(name)) {
      errors.push({ kind: 'invalid', field: `${at}.name`, value: name, detail });
    }
  }
  if (known.names.has(name)) {
    errors.push({ kind: 'duplicate', field: `${at}.name`, value: name, detail: '' });
  }
  known.names.add(name);
  const image = textAt(container, 'image');
  if (image === '') errors.push({ kind: 'required', field: `${at}.image`, detail: '' });
  else if (image.trim() !== image) {
    errors.push({
      kind: 'invalid',
      field: `${at}.image`,
      value: image,
      detail: 'must not have leading or trailing whitespace',
    });
  }
  errors.push(...portErrors(container, at), ...envErrors(container, at));
  errors.push(...mountErrors(container, at, known.volumes));
  errors.push(...supported(container, 'imagePullPolicy', `${at}.imagePullPolicy`, PULL_POLICIES));
  errors.push(...resourceErrors(objectAt(container, 'resources'), `${at}.resources`));
  return errors;
}

function portErrors(container: Json, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [i, port] of listAt(container, 'ports').entries()) {
    const field = `${at}.ports[${i}]`;
    const name = textAt(port, 'name');
    if (name !== '' && names.has(name)) {
      errors.push({ kind: 'duplicate', field: `${field}.name`, value: name, detail: '' });
    }
    names.add(name);
    const number = numberAt(port, 'containerPort') ?? 0;
    if (number === 0)
      errors.push({ kind: 'required', field: `${field}.containerPort`, detail: '' });
    else errors.push(...portNumberErrors(number, `${field}.containerPort`));
    errors.push(...supported(port, 'protocol', `${field}.protocol`, PROTOCOLS));
  }
  return errors;
}

export function portNumberErrors(number: number, field: string): FieldError[] {
  if (Number.isInteger(number) && number >= 1 && number <= 65535) return [];
  return [
    { kind: 'invalid', field, value: number, detail: 'must be between 1 and 65535, inclusive' },
  ];
}

function envErrors(container: Json, at: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, env] of listAt(container, 'env').entries()) {
    if (textAt(env, 'name') === '') {
      errors.push({ kind: 'required', field: `${at}.env[${i}].name`, detail: '' });
    }
    const from = objectAt(env, 'valueFrom');
    if (Object.keys(from).length > 0 && textAt(env, 'value') !== '') {
      errors.push({
        kind: 'invalid',
        field: `${at}.env[${i}].valueFrom`,
        value: '',
        detail: 'may not be specified when `value` is not empty',
      });
    }
  }
  return errors;
}

function mountErrors(container: Json, at: string, volumes: ReadonlySet<string>): FieldError[] {
  const errors: FieldError[] = [];
  const paths = new Set<string>();
  for (const [i, mount] of listAt(container, 'volumeMounts').entries()) {
    const field = `${at}.volumeMounts[${i}]`;
    const name = textAt(mount, 'name');
    const path = textAt(mount, 'mountPath');
    if (name === '') errors.push({ kind: 'required', field: `${field}.name`, detail: '' });
    else if (!volumes.has(name)) {
      errors.push({ kind: 'notFound', field: `${field}.name`, value: name, detail: '' });
    }
    if (path === '') errors.push({ kind: 'required', field: `${field}.mountPath`, detail: '' });
    else if (paths.has(path)) {
      errors.push({
        kind: 'invalid',
        field: `${field}.mountPath`,
        value: path,
        detail: 'must be unique',
      });
    }
    paths.add(path);
  }
  return errors;
}

const QUANTITY = /^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$/;

export function isQuantity(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && QUANTITY.test(value));
}

function resourceErrors(resources: JsonObject, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const limits = objectAt(resources, 'limits');
  for (const [name, request] of Object.entries(objectAt(resources, 'requests'))) {
    const limit = limits[name];
    if (limit === undefined || quantity(request) <= quantity(limit)) continue;
    errors.push({
      kind: 'invalid',
      field: `${at}.requests`,
      value: String(request),
      detail: `must be less than or equal to ${name} limit of ${limit}`,
    });
  }
  return errors;
}

const UNITS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A quantity as a number, for comparing; precise enough for that. */
export function quantity(value: unknown): number {
  if (typeof value === 'number') return value;
  const match = /^([+-]?[0-9.]+)(?:([a-zA-Z]{1,2})|[eE]([-+]?\d+))?$/.exec(String(value ?? '0'));
  if (match === null) return Number.NaN;
  const factor =
    match[3] === undefined ? (UNITS[match[2] ?? ''] ?? Number.NaN) : 10 ** Number(match[3]);
  return Number(match[1]) * factor;
}
