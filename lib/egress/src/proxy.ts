import { BlockList, isIP } from 'node:net';

/**
 * The proxy that the environment asks for, by the rules of Go's net/http (ProxyFromEnvironment), which kubectl and Flux follow:
 * HTTPS_PROXY or HTTP_PROXY by the scheme of `url`, lower case as well; never for localhost and loopback addresses; NO_PROXY
 * lists hosts, `.suffixes`, `host:port`, `*`, addresses and CIDR blocks.
 */
export function proxyFromEnvironment(
  url: URL,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const read = (name: string) => environment[name] || environment[name.toLowerCase()] || '';
  const proxy = read(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  if (proxy === '' || isLoopback(url.hostname)) return undefined;
  if (isExempt(url, read('NO_PROXY'))) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function isExempt(url: URL, list: string): boolean {
  const host = url.hostname.toLowerCase().replace(/^\[|\]$/g, '');
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return list
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '')
    .some((entry) => entry === '*' || matches(entry, host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry.includes('/')) return inBlock(entry, host);
  // A port stands behind the only colon, or behind brackets; an IPv6 address without them has none.
  const [, name = entry, wantedPort] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? [];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const bare = name.replace(/^\[|\]$/g, '');
  const length = isIP(bare) === 6 ? 128 : 32;
  if (isIP(bare) !== 0) return inBlock(`${bare}/${length}`, host);
  const suffix = bare.startsWith('*.') ? bare.slice(1) : bare;
  if (suffix.startsWith('.')) return host.endsWith(suffix);
  return host === suffix || host.endsWith(`.${suffix}`);
}

function inBlock(block: string, host: string): boolean {
  const [base = '', bits = ''] = block.split('/');
  const length = /^\d+$/.test(bits) ? Number(bits) : Number.NaN;
  const isV6 = isIP(base) === 6;
  if (isIP(base) === 0 || isIP(host) === 0 || !(length <= (isV6 ? 128 : 32))) return false;
  const blocks = new BlockList();
  blocks.addSubnet(base, length, isV6 ? 'ipv6' : 'ipv4');
  return blocks.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}
