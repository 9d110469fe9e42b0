import { BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';

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
  const address = proxy.includes('://') ? proxy : `http://${proxy}`;
  // As in Go, what is no address counts as nothing.
  return URL.canParse(address) ? address : undefined;
}

export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function isExempt(url: URL, list: string): boolean {
  const host = plainAddress(url.hostname.toLowerCase().replace(/^\[|\]$/g, ''));
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return list
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry === '*' || matches(entry, host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry.includes('/')) return inBlock(entry, host);
  // A port stands behind the only colon, or behind brackets; an IPv6 address without them has none.
  const [, inBrackets, outside, ofPort = ''] =
    /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(entry) ?? [];
  const name = inBrackets ?? outside ?? entry;
  if (name === '' || (ofPort !== '' && ofPort !== port)) return false;
  if (isIP(name) !== 0) return plainAddress(name) === host;
  if (isIP(host) !== 0) return false;
  const suffix = name.startsWith('*.') ? name.slice(1) : name;
  if (suffix.startsWith('.')) return host.endsWith(`.${inAscii(suffix.slice(1))}`);
  return `.${host}`.endsWith(`.${inAscii(suffix)}`);
}

/** A name as it stands in a URL. */
function inAscii(name: string): string {
  return domainToASCII(name) || name;
}

/** An address in the one form in which it compares: IPv4 also where it is written as IPv6. */
function plainAddress(address: string): string {
  if (isIP(address) !== 6) return address;
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(short) ?? [];
  if (high === undefined || low === undefined) return short;
  return [high, low]
    .map((half) => Number.parseInt(half, 16))
    .flatMap((half) => [half >> 8, half & 255])
    .join('.');
}

function inBlock(block: string, host: string): boolean {
  const [base = '', bits = ''] = block.split('/');
  const length = /^\d+$/.test(bits) ? Number(bits) : Number.NaN;
  const family = isIP(base);
  if (family === 0 || isIP(host) !== family || !(length <= (family === 6 ? 128 : 32))) return false;
  const blocks = new BlockList();
  blocks.addSubnet(base, length, family === 6 ? 'ipv6' : 'ipv4');
  return blocks.check(host, family === 6 ? 'ipv6' : 'ipv4');
}
