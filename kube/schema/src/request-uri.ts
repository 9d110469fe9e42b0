import { parseIpAddress } from './ip-address.ts';

/** Why a text is no URL with a scheme or an absolute path, as Go's url.ParseRequestURI has it; undefined: it is one. */
export function requestUriProblem(text: string): string | undefined {
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'net/url: invalid control character in URL';
  if (text === '') return 'empty url';
  if (text === '*') return undefined;
  if (text.startsWith(':')) return 'missing protocol scheme';
  const scheme = /^[a-zA-Z][a-zA-Z0-9+.-]*(?=:)/.exec(text)?.[0] ?? '';
  const [rest = ''] = text.slice(scheme === '' ? 0 : scheme.length + 1).split('?', 1);
  if (!rest.startsWith('/')) return scheme === '' ? 'invalid URI for request' : undefined;
  if (scheme === '' || !rest.startsWith('//')) return escapeProblem(rest);
  const [authority = ''] = rest.slice(2).split('/', 1);
  const path = rest.slice(2 + authority.length);
  return authorityProblem(scheme.toLowerCase(), authority) ?? escapeProblem(path);
}

function escapeProblem(text: string): string | undefined {
  const found = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(text)?.[0];
  return found === undefined ? undefined : `invalid URL escape ${JSON.stringify(found)}`;
}

function authorityProblem(scheme: string, text: string): string | undefined {
  const at = text.lastIndexOf('@');
  const user = text.slice(0, Math.max(at, 0));
  const wrong = hostProblem(scheme, text.slice(at + 1));
  if (wrong !== undefined) return wrong;
  if (!/^[a-zA-Z0-9\-._:~!$&'()*+,;=%@]*$/.test(user)) return 'net/url: invalid userinfo';
  return escapeProblem(user);
}

function hostProblem(scheme: string, host: string): string | undefined {
  const open = host.lastIndexOf('[');
  if (open > 0) return 'invalid IP-literal';
  if (open === 0) return literalProblem(host);
  const first = host.indexOf(':');
  if (first >= 0) {
    const isStrict = scheme === 'http' || scheme === 'https';
    const port = portProblem(host.slice(isStrict ? first : host.lastIndexOf(':')));
    if (port !== undefined) return port;
  }
  return hostCharacters(host);
}

function literalProblem(host: string): string | undefined {
  const close = host.lastIndexOf(']');
  if (close < 0) return "missing ']' in host";
  const [name = '', zone] = host.slice(1, close).split(/%25(.*)/s, 2);
  const wrong = portProblem(host.slice(close + 1)) ?? hostCharacters(name);
  if (wrong !== undefined) return wrong;
  const address = parseIpAddress(zone === undefined ? name : `${name}%${zone}`);
  if ('problem' in address) return `invalid host: ${address.problem}`;
  return address.bytes.length === 4 ? 'invalid IP-literal' : undefined;
}

function portProblem(port: string): string | undefined {
  if (/^(:\d*)?$/.test(port)) return undefined;
  return `invalid port ${JSON.stringify(port)} after host`;
}

/** Of a host only what is not ASCII may be escaped. */
function hostCharacters(host: string): string | undefined {
  const allowed =
    /(?:[a-zA-Z0-9\-._~!$&'()*+,;=:[\]<>"]|[^\u0000-\u007f]|%[89a-fA-F][0-9a-fA-F]|%25)*/y;
  allowed.lastIndex = 0;
  const end = allowed.exec(host)?.[0].length ?? 0;
  if (end === host.length) return undefined;
  const next = host.slice(end);
  if (next.startsWith('%')) return `invalid URL escape ${JSON.stringify(next.slice(0, 3))}`;
  return `invalid character ${JSON.stringify(next.slice(0, 1))} in host name`;
}
