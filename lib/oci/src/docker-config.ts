import type { Credentials } from './http-port.ts';

/**
 * The credentials for a registry in the text of a Docker configuration (`.dockerconfigjson`, or the older `.dockercfg`).
 * Undefined when there are none for it. Keys are hosts, with a scheme or a path or without; the longest that fits wins.
 */
export function registryCredentials(
  text: string,
  target: { readonly registry: string; readonly repository: string },
): Credentials | undefined {
  const value: unknown = JSON.parse(text);
  const auths = isDict(value) && isDict(value['auths']) ? value['auths'] : value;
  if (!isDict(auths)) return undefined;
  const place = `${canonicalHost(target.registry)}/${target.repository}`;
  const fitting = Object.entries(auths).flatMap(([key, entry]) => {
    const prefix = keyPrefix(key);
    const credentials = readEntry(entry);
    return credentials !== undefined && fits(place, prefix) ? [{ prefix, credentials }] : [];
  });
  return fitting.toSorted((a, b) => b.prefix.length - a.prefix.length)[0]?.credentials;
}

/** Host and path, without scheme, version and trailing slash: `https://index.docker.io/v1/` is `index.docker.io`. */
function keyPrefix(key: string): string {
  const plain = key
    .replace(/^https?:\/\//, '')
    .replace(/\/+$/, '')
    .replace(/\/v[12]$/, '');
  const slash = plain.indexOf('/');
  const host = canonicalHost(slash < 0 ? plain : plain.slice(0, slash));
  return slash < 0 ? host : host + plain.slice(slash);
}

function canonicalHost(host: string): string {
  return /^(?:registry-1\.|index\.)?docker\.io$/.test(host) ? 'index.docker.io' : host;
}

/** A `*` in the host stands for one part of its name, as kubelet reads it. */
function fits(place: string, prefix: string): boolean {
  if (!prefix.includes('*')) return place === prefix || place.startsWith(`${prefix}/`);
  const [host = '', ...path] = prefix.split('/');
  const [actual = '', ...actualPath] = place.split('/');
  const parts = host.split('.');
  const actualParts = actual.split('.');
  const matches = parts.every((part, at) => {
    const pattern = part.split('*').map((text) => text.replace(/[^A-Za-z0-9]/g, '\\$&'));
    return new RegExp(`^${pattern.join('[^.]*')}$`).test(actualParts[at] ?? '');
  });
  return (
    parts.length === actualParts.length &&
    matches &&
    path.every((part, at) => part === actualPath[at])
  );
}

function readEntry(entry: unknown): Credentials | undefined {
  if (!isDict(entry)) return undefined;
  const { username, password, auth } = entry;
  if (typeof username === 'string' && typeof password === 'string' && username !== '') {
    return { username, password };
  }
  if (typeof auth !== 'string') return undefined;
  const pair = Buffer.from(auth, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon < 0
    ? undefined
    : { username: pair.slice(0, colon), password: pair.slice(colon + 1) };
}

function isDict(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
