/**
 * The proxy that the environment asks for, by the rules of Go's net/http (ProxyFromEnvironment), which kubectl follows:
 * HTTPS_PROXY or HTTP_PROXY by the scheme of `url`, lower case as well; never for localhost and loopback addresses; NO_PROXY
 * lists hosts, `.suffixes`, `host:port`, `*`, addresses and IPv4 CIDR blocks.
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
  const [, name = entry, wantedPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const bare = name.startsWith('*.') ? name.slice(1) : name;
  if (bare.startsWith('.')) return host.endsWith(bare);
  return host === bare || host.endsWith(`.${bare}`);
}

function inBlock(block: string, host: string): boolean {
  const [base = '', bits = ''] = block.split('/');
  const address = addressBits(host);
  const network = addressBits(base);
  const length = Number(bits);
  if (address === undefined || network === undefined || !(length >= 0 && length <= 32))
    return false;
  const size = 2 ** (32 - length);
  return Math.floor(address / size) === Math.floor(network / size);
}

function addressBits(address: string): number | undefined {
  const parts = address.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}
