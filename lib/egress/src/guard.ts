import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { BlockList, connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { CapstanError } from '@capstan/lib-std';

/** Where clouds answer with credentials, and what is reachable on the machine's own wire only. */
const REFUSED = new BlockList();
REFUSED.addSubnet('169.254.0.0', 16, 'ipv4');
REFUSED.addSubnet('fe80::', 10, 'ipv6');
// The same by NAT64 (RFC 6052).
REFUSED.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');
// Metadata services with other addresses: AWS over IPv6, Alibaba, Oracle.
REFUSED.addAddress('fd00:ec2::254', 'ipv6');
REFUSED.addAddress('100.100.100.200', 'ipv4');
REFUSED.addAddress('192.0.0.192', 'ipv4');

/** Whether nothing may be asked at this IP address, in any of its spellings; false for a name. */
export function isRefusedAddress(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  const family = isIP(bare);
  return family !== 0 && REFUSED.check(bare, family === 4 ? 'ipv4' : 'ipv6');
}

/** Throws EGRESS_REFUSED for an address (or the host of a URL) that is never asked; `guardedLookup` judges names. */
export function refuseAddress(host: string): void {
  if (isRefusedAddress(host)) throw refusal(host);
}

function refusal(host: string): CapstanError {
  return new CapstanError(
    'EGRESS_REFUSED',
    `${host} is a link-local or metadata address, which is never asked`,
    { hint: 'name the service by its own name or address', kind: 'stalled' },
  );
}

/**
 * Resolves as usual, and refuses a name one of whose addresses is refused. The connection goes to what was judged here, so
 * a name that changes between two questions gains nothing.
 */
export const guardedLookup: LookupFunction = (hostname, options, callback) => {
  const all: LookupOptions & { readonly all: true } = { ...options, all: true };
  lookup(hostname, all, (error, addresses: LookupAddress[]) => {
    if (error !== null) return callback(error, '', 0);
    if (addresses.some(({ address }) => isRefusedAddress(address))) {
      return callback(refusal(hostname), '', 0);
    }
    if (options.all === true) return callback(null, addresses);
    const [first] = addresses;
    callback(null, first?.address ?? '', first?.family ?? 0);
  });
};

/** A connection that goes to no refused address. */
export function guardedConnect(host: string, port: number): Socket {
  refuseAddress(host);
  return connect({ host: host.replace(/^\[|\]$/g, ''), port, lookup: guardedLookup });
}
