import {
  configKeyProblems,
  type FieldError,
  type JsonObject,
  type KubeObject,
} from '@capstan/kube-object';
import { childDraft, equalJson, objectAt, setDefault, textAt, valueAt } from '../json.ts';
import type { Strategy } from '../served-resource.ts';
import { invalidAt, requiredAt } from '../validation/checks.ts';
import { jsonObjectProblem } from '../validation/go-json.ts';

const DATA_BYTES_MAX = 1024 * 1024;

export const configMapStrategy: Strategy = {
  metadataOnUpdate: ['whole', 'update'],
  validate(object) {
    const errors: FieldError[] = [];
    let size = 0;
    for (const section of ['data', 'binaryData']) {
      for (const [key, value] of Object.entries(objectAt(object, section))) {
        errors.push(...keyErrors(key, section));
        if (section === 'data' && valueAt(object, 'binaryData', key) !== undefined) {
          const detail = 'duplicate of key present in binaryData';
          errors.push(invalidAt(`data[${key}]`, key, detail));
        }
        size += String(value).length;
      }
    }
    return [...errors, ...sizeErrors(size, '')];
  },
  validateUpdate: immutableErrors,
};

export const secretStrategy: Strategy = {
  metadataOnUpdate: ['whole', 'update'],
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
    return [...errors, ...sizeErrors(size, 'data'), ...typeErrors(object)];
  },
  validateUpdate(object, old) {
    const errors: FieldError[] = [];
    if (textAt(object, 'type') !== textAt(old, 'type')) {
      errors.push({
        reason: 'FieldValueInvalid',
        field: 'type',
        value: textAt(object, 'type'),
        detail: 'field is immutable',
      });
    }
    return [...errors, ...immutableErrors(object, old)];
  },
};

function keyErrors(key: string, section: string): FieldError[] {
  return configKeyProblems(key).map((detail) => invalidAt(`${section}[${key}]`, key, detail));
}

function sizeErrors(size: number, field: string): FieldError[] {
  if (size <= DATA_BYTES_MAX) return [];
  return [
    { reason: 'FieldValueTooLong', field, detail: `may not be more than ${DATA_BYTES_MAX} bytes` },
  ];
}

/** What a secret of a known type must hold. */
function typeErrors(object: KubeObject): FieldError[] {
  const data = objectAt(object, 'data');
  const missing = (...keys: readonly string[]): FieldError[] =>
    keys.filter((key) => data[key] === undefined).map((key) => requiredAt(`data[${key}]`));
  switch (textAt(object, 'type')) {
    case 'kubernetes.io/service-account-token':
      return object.metadata.annotations?.[ACCOUNT_NAME]
        ? []
        : [requiredAt(`metadata.annotations[${ACCOUNT_NAME}]`)];
    case 'kubernetes.io/dockercfg':
      return [...missing('.dockercfg'), ...jsonErrors(data, '.dockercfg')];
    case 'kubernetes.io/dockerconfigjson':
      return [...missing('.dockerconfigjson'), ...jsonErrors(data, '.dockerconfigjson')];
    case 'kubernetes.io/basic-auth': {
      const errors = missing('username', 'password');
      return errors.length === 2 ? errors : [];
    }
    case 'kubernetes.io/ssh-auth':
      return data['ssh-privatekey'] ? [] : [requiredAt('data[ssh-privatekey]')];
    case 'kubernetes.io/tls':
      return missing('tls.crt', 'tls.key');
    default:
      return [];
  }
}

const ACCOUNT_NAME = 'kubernetes.io/service-account.name';

/** The contents are never shown, only why Go would not read them. */
function jsonErrors(data: JsonObject, key: string): FieldError[] {
  const value = data[key];
  if (typeof value !== 'string') return [];
  const problem = jsonObjectProblem(Buffer.from(value, 'base64').toString('utf8'));
  if (problem === undefined) return [];
  return [invalidAt(`data[${key}]`, '<secret contents redacted>', problem)];
}

function immutableErrors(object: KubeObject, old: KubeObject): FieldError[] {
  if (old['immutable'] !== true) return [];
  const errors: FieldError[] = [];
  if (object['immutable'] !== true) {
    errors.push({
      reason: 'FieldValueForbidden',
      field: 'immutable',
      detail: 'field is immutable when `immutable` is set',
    });
  }
  for (const section of ['data', 'binaryData']) {
    if (!equalJson(valueAt(object, section), valueAt(old, section))) {
      errors.push({
        reason: 'FieldValueForbidden',
        field: section,
        detail: 'field is immutable when `immutable` is set',
      });
    }
  }
  return errors;
}
