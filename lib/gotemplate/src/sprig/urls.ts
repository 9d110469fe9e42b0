import { mapGet, type StringMap } from '../map.ts';
import { quote } from '../quote.ts';
import { fromBytes, toBytes } from '../text.ts';
import { GoError, type GoValue, typeOf } from '../value.ts';
import { dictionary, type Functions, fixed, text } from './define.ts';

/** Sprig's urlParse and urlJoin by the rules of Go's net/url. */
export function urlFunctions(): Functions {
  return [
    ['urlParse', fixed([text], urlDict)],
    ['urlJoin', fixed([dictionary], joinUrl)],
  ];
}

interface UserInfo {
  readonly username: string;
  readonly password: string | undefined;
}

interface GoUrl {
  readonly scheme: string;
  readonly opaque: string;
  readonly user: UserInfo | undefined;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly fragment: string;
}

function urlDict(raw: string): GoValue {
  let url: GoUrl;
  try {
    url = parseUrl(raw);
  } catch (error) {
    if (error instanceof GoError) throw new GoError(`unable to parse url: ${error.message}`);
    throw error;
  }
  return {
    scheme: url.scheme,
    host: url.host,
    hostname: hostnameOf(url.host),
    path: url.path,
    query: url.query,
    opaque: url.opaque,
    fragment: url.fragment,
    userinfo: url.user === undefined ? '' : userText(url.user),
  };
}

function entry(dict: StringMap, key: string): string {
  const value = mapGet(dict, key);
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  const { kind } = typeOf(value);
  throw new GoError(`unable to parse ${key} key, must be of type string, but ${kind} found`);
}

function joinUrl(dict: StringMap): string {
  const url = {
    scheme: entry(dict, 'scheme'),
    host: entry(dict, 'host'),
    path: entry(dict, 'path'),
    query: entry(dict, 'query'),
    opaque: entry(dict, 'opaque'),
    fragment: entry(dict, 'fragment'),
  };
  const userinfo = entry(dict, 'userinfo');
  return urlText({ ...url, user: userinfo === '' ? undefined : userOf(userinfo) });
}

function userOf(userinfo: string): UserInfo | undefined {
  try {
    return parseUrl(`proto://${userinfo}@host`).user;
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    throw new GoError(`unable to parse userinfo in dict: ${error.message}`);
  }
}

// Parsing -----------------------------------------------------------------------------------------------------------

/** url.Parse. Throws GoError with Go's message. */
export function parseUrl(raw: string): GoUrl {
  const hash = raw.indexOf('#');
  const main = hash < 0 ? raw : raw.slice(0, hash);
  try {
    const url = parseReference(main);
    const fragment = hash < 0 ? '' : decodeEscapes(raw.slice(hash + 1), 'fragment');
    return { ...url, fragment };
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    throw new GoError(`parse ${quote(hash < 0 ? raw : main)}: ${error.message}`);
  }
}

function parseReference(raw: string): GoUrl {
  if (/[\x00-\x1f\x7f]/.test(raw)) throw new GoError('net/url: invalid control character in URL');
  const empty = { opaque: '', user: undefined, host: '', query: '', fragment: '' };
  if (raw === '*') return { ...empty, scheme: '', path: '*' };
  if (raw.startsWith(':')) throw new GoError('missing protocol scheme');
  const found = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(raw);
  const scheme = found?.[1]?.toLowerCase() ?? '';
  let rest = raw.slice(found?.[0].length ?? 0);
  const mark = rest.indexOf('?');
  const query = mark < 0 ? '' : rest.slice(mark + 1);
  if (mark >= 0) rest = rest.slice(0, mark);
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...empty, scheme, query, opaque: rest, path: '' };
    if (rest.split('/')[0]?.includes(':') === true) {
      throw new GoError('first path segment in URL cannot contain colon');
    }
  }
  if ((scheme !== '' || !rest.startsWith('///')) && rest.startsWith('//')) {
    const slash = rest.indexOf('/', 2);
    const authority = rest.slice(2, slash < 0 ? rest.length : slash);
    const path = slash < 0 ? '' : rest.slice(slash);
    const { user, host } = parseAuthority(authority, scheme);
    return { ...empty, scheme, query, user, host, path: decodeEscapes(path, 'path') };
  }
  return { ...empty, scheme, query, path: decodeEscapes(rest, 'path') };
}

function parseAuthority(
  authority: string,
  scheme: string,
): { readonly user: UserInfo | undefined; readonly host: string } {
  const at = authority.lastIndexOf('@');
  const host = parseHost(authority.slice(at + 1), scheme);
  if (at < 0) return { user: undefined, host };
  const userinfo = authority.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(userinfo)) {
    throw new GoError('net/url: invalid userinfo');
  }
  const colon = userinfo.indexOf(':');
  const username = decodeEscapes(colon < 0 ? userinfo : userinfo.slice(0, colon), 'userinfo');
  const password = colon < 0 ? undefined : decodeEscapes(userinfo.slice(colon + 1), 'userinfo');
  return { user: { username, password }, host };
}

function parseHost(host: string, scheme: string): string {
  const open = host.lastIndexOf('[');
  if (open > 0) throw new GoError('invalid IP-literal');
  if (open === 0) {
    const close = host.lastIndexOf(']');
    if (close < 0) throw new GoError("missing ']' in host");
    checkPort(host.slice(close + 1));
    const name = host.slice(1, close);
    if (!/^[0-9A-Fa-f:.]+(%25.+)?$/.test(name) || !name.includes(':')) {
      throw new GoError(
        /^[\d.]+$/.test(name)
          ? 'invalid IP-literal'
          : `invalid host: ParseAddr(${quote(name)}): unable to parse IP`,
      );
    }
    return host.replace('%25', '%');
  }
  const strict = scheme === 'http' || scheme === 'https';
  const colon = strict ? host.indexOf(':') : host.lastIndexOf(':');
  if (colon >= 0) checkPort(host.slice(colon));
  return decodeEscapes(host, 'host');
}

function checkPort(port: string): void {
  if (port !== '' && !/^:\d*$/.test(port))
    throw new GoError(`invalid port ${quote(port)} after host`);
}

function hostnameOf(host: string): string {
  const close = host.lastIndexOf(']');
  if (host.startsWith('[') && close > 0) return host.slice(1, close);
  const colon = host.lastIndexOf(':');
  return colon >= 0 && /^\d*$/.test(host.slice(colon + 1)) ? host.slice(0, colon) : host;
}

type Mode = 'path' | 'host' | 'userinfo' | 'fragment';

function decodeEscapes(raw: string, mode: Mode): string {
  const bytes: number[] = [];
  const input = toBytes(raw);
  for (let i = 0; i < input.length; i++) {
    const byte = input[i] ?? 0;
    if (byte !== 0x25) {
      if (mode === 'host' && byte < 0x80 && mustEscape(byte, mode)) {
        const shown = quote(fromBytes(input.subarray(i, i + 1)));
        throw new GoError(`invalid character ${shown} in host name`);
      }
      bytes.push(byte);
      continue;
    }
    const digits = fromBytes(input.subarray(i + 1, i + 3));
    if (!/^[0-9a-fA-F]{2}$/.test(digits)) {
      throw new GoError(`invalid URL escape ${quote(fromBytes(input.subarray(i, i + 3)))}`);
    }
    const value = Number.parseInt(digits, 16);
    if (mode === 'host' && value < 0x80 && digits !== '25') {
      throw new GoError(`invalid URL escape ${quote(`%${digits}`)}`);
    }
    bytes.push(value);
    i += 2;
  }
  return fromBytes(Uint8Array.from(bytes));
}

// Text --------------------------------------------------------------------------------------------------------------

const UNESCAPED: Readonly<Record<Mode, string>> = {
  path: '$&+,/:;=@',
  host: '!$&\'()*+,;=:[]<>"',
  userinfo: '$&+,;=',
  fragment: '$&+,/:;=?@!()*',
};

function mustEscape(byte: number, mode: Mode): boolean {
  const char = String.fromCharCode(byte);
  return !/[A-Za-z0-9\-_.~]/.test(char) && !UNESCAPED[mode].includes(char);
}

function escapeIn(value: string, mode: Mode): string {
  let out = '';
  for (const byte of toBytes(value)) {
    out += mustEscape(byte, mode)
      ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
      : String.fromCharCode(byte);
  }
  return out;
}

function userText({ username, password }: UserInfo): string {
  const name = escapeIn(username, 'userinfo');
  return password === undefined ? name : `${name}:${escapeIn(password, 'userinfo')}`;
}

/** URL.String */
function urlText(url: GoUrl): string {
  let out = url.scheme === '' ? '' : `${url.scheme}:`;
  if (url.opaque !== '') out += url.opaque;
  else out += hierarchy(url, out === '');
  if (url.query !== '') out += `?${url.query}`;
  return url.fragment === '' ? out : `${out}#${escapeIn(url.fragment, 'fragment')}`;
}

function hierarchy(url: GoUrl, isFirst: boolean): string {
  let out = '';
  if (url.scheme !== '' || url.host !== '' || url.user !== undefined) {
    if (url.host !== '' || url.path !== '' || url.user !== undefined) out += '//';
    if (url.user !== undefined) out += `${userText(url.user)}@`;
    out += escapeIn(url.host, 'host');
  }
  const path = url.path === '*' ? '*' : escapeIn(url.path, 'path');
  if (path !== '' && !path.startsWith('/') && url.host !== '') out += '/';
  if (isFirst && out === '' && path.split('/')[0]?.includes(':') === true) out += './';
  return out + path;
}
