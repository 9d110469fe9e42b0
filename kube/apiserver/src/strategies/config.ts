import type { KubeObject } from '@capstan/kube-object';
import type { FieldError } from '../api-error.ts';
import { childDraft, equalJson, objectAt, setDefault, textAt, valueAt } from '../json.ts';
import type { Strategy } from '../served-resource.ts';

const KEY = /^[-._a-zA-Z0-9]+$/;
const DATA_BYTES_MAX = 1024 * 1024;

export const configMapStrategy: Strategy = {
  validate(object) {
    const errors: FieldError[] = [];
    let size = 0;
    for (const section of ['data', 'binaryData']) {
      for (const [key, value] of Object.entries(objectAt(object, section))) {
        errors.push(...keyErrors(key, section));
        size += String(value).length;
      }
    }
    return [...errors, ...sizeErrors(size, '')];
  },
  validateUpdate: immutableErrors,
};

export const secretStrategy: Strategy = {
  applyDefaults(object) {
    setDefault(object, 'type', 'Opaque');
    const strings = object['stringData'];
    if (strings === undefined) return;
    const data = childDraft(object, 'data');
    for (const [key, value] of Object.entries(objectAt(strings))) {
      data[key] = Buffer.from(String(value), 'utf8').toString('base64');
    }
    delete object['stringData'];
  },
  validate(object) {
    const errors: FieldError[] = [];
    let size = 0;
    for (const [key, value] of Object.entries(objectAt(object, 'data'))) {
      errors.push(...keyErrors(key, 'data'));
      size += Math.floor((String(value).length * 3) / 4);
    }
    return [...errors, ...sizeErrors(size, 'data'), ...requiredKeyErrors(object)];
  },
  validateUpdate(object, old) {
    const errors: FieldError[] = [];
    if (textAt(object, 'type') !== textAt(old, 'type')) {
      errors.push({
        kind: 'invalid',
        field: 'type',
        value: textAt(object, 'type'),
        detail: 'field is immutable',
      });
    }
    return [...errors, ...immutableErrors(object, old)];
  },
};

function keyErrors(key: string, section: string): FieldError[] {
  if (key.length <= 253 && KEY.test(key) && key !== '.' && !key.startsWith('..')) return [];
  return [
    {
      kind: 'invalid',
      field: `${section}[${key}]`,
      value: key,
      detail: `a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
    },
  ];
}

function sizeErrors(size: number, field: string): FieldError[] {
  if (size <= DATA_BYTES_MAX) return [];
  return [{ kind: 'tooLong', field, detail: `may not be more than ${DATA_BYTES_MAX} bytes` }];
}

const REQUIRED_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};

function requiredKeyErrors(object: KubeObject): FieldError[] {
  const data = objectAt(object, 'data');
  return (REQUIRED_KEYS[textAt(object, 'type')] ?? [])
    .filter((key) => data[key] === undefined)
    .map((key) => ({ kind: 'required', field: `data[${key}]`, detail: '' }));
}

function immutableErrors(object: KubeObject, old: KubeObject): FieldError[] {
  if (old['immutable'] !== true) return [];
  const errors: FieldError[] = [];
  if (object['immutable'] !== true) {
    errors.push({
      kind: 'forbidden',
      field: 'immutable',
      detail: 'field is immutable when `immutable` is set',
    });
  }
  for (const section of ['data', 'binaryData']) {
    if (!equalJson(valueAt(object, section), valueAt(old, section))) {
      errors.push({
        kind: 'forbidden',
        field: section,
        detail: 'field is immutable when `immutable` is set',
      });
    }
  }
  return errors;
}
