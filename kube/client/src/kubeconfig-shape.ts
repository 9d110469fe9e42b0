import type { Json, JsonObject } from '@capstan/kube-object';
import { invalid } from './kubeconfig-fields.ts';
import { isJsonObject } from './requester.ts';

type Shape =
  | 'text'
  | 'flag'
  /** Base64. */
  | 'bytes'
  | readonly ['list' | 'map', Shape]
  | { readonly [field: string]: Shape };

const texts: Shape = ['list', 'text'];

const cluster: Shape = {
  server: 'text',
  'tls-server-name': 'text',
  'insecure-skip-tls-verify': 'flag',
  'certificate-authority': 'text',
  'certificate-authority-data': 'bytes',
  'proxy-url': 'text',
  'disable-compression': 'flag',
};

const user: Shape = {
  'client-certificate': 'text',
  'client-certificate-data': 'bytes',
  'client-key': 'text',
  'client-key-data': 'bytes',
  token: 'text',
  tokenFile: 'text',
  as: 'text',
  'as-uid': 'text',
  'as-groups': texts,
  'as-user-extra': ['map', texts],
  username: 'text',
  password: 'text',
  'auth-provider': { name: 'text', config: ['map', 'text'] },
  exec: {
    command: 'text',
    args: texts,
    env: ['list', { name: 'text', value: 'text' }],
    apiVersion: 'text',
    installHint: 'text',
    provideClusterInfo: 'flag',
    interactiveMode: 'text',
  },
};

const config: Shape = {
  apiVersion: 'text',
  kind: 'text',
  'current-context': 'text',
  clusters: ['list', { name: 'text', cluster }],
  users: ['list', { name: 'text', user }],
  contexts: [
    'list',
    { name: 'text', context: { cluster: 'text', user: 'text', namespace: 'text' } },
  ],
};

/**
 * Refuses a kubeconfig any part of which is not of the type that kubectl reads there (`Config` of the API v1), also where the
 * part is not in use. What is not set, or not known, is left alone.
 */
export function checkShape(value: JsonObject, origin: string): void {
  check(value, config, { path: '', origin });
  const { apiVersion, kind } = value;
  if ((apiVersion && apiVersion !== 'v1') || (kind && kind !== 'Config')) {
    throw invalid(origin, `it is a ${kind ?? ''} of ${apiVersion ?? ''}, not a Config of v1`);
  }
}

interface Place {
  readonly path: string;
  readonly origin: string;
}

function check(value: Json | undefined, shape: Shape, place: Place): void {
  if (value === undefined || value === null) return;
  const { path, origin } = place;
  if (shape === 'text' || shape === 'bytes') {
    if (typeof value !== 'string') throw invalid(origin, `${path} is not a text; put it in quotes`);
    if (shape === 'bytes' && !isBase64(value)) throw invalid(origin, `${path} is not base64`);
  } else if (shape === 'flag') {
    if (typeof value !== 'boolean') throw invalid(origin, `${path} is neither true nor false`);
  } else if (isListOrMap(shape)) {
    const [kind, inner] = shape;
    if (kind === 'list' ? !Array.isArray(value) : !isJsonObject(value)) {
      throw invalid(origin, `${path} is not a ${kind === 'list' ? 'list' : 'mapping'}`);
    }
    for (const [key, item] of Object.entries(value)) {
      check(item, inner, { path: kind === 'list' ? `${path}[${key}]` : `${path}.${key}`, origin });
    }
  } else {
    if (!isJsonObject(value)) throw invalid(origin, `${path} is not a mapping`);
    for (const [field, inner] of Object.entries(shape)) {
      check(value[field], inner, { path: path === '' ? field : `${path}.${field}`, origin });
    }
  }
}

function isListOrMap(shape: Exclude<Shape, string>): shape is readonly ['list' | 'map', Shape] {
  return Array.isArray(shape);
}

/** As Go's decoder takes it: padded, and with line ends anywhere. */
function isBase64(text: string): boolean {
  const bare = text.replace(/[\r\n]/g, '');
  return bare.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(bare);
}
