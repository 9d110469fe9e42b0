import { parseIpAddress } from '@capstan/kube-schema';
import {
  CelError,
  CelExtension,
  type CelFunction,
  type CelType,
  noSuchOverload,
  type CelRuntimeValue as Value,
} from '@capstan/lib-expressions';

const IP = 'net.IP';
const CIDR = 'net.CIDR';

/** An address as bytes: four or sixteen. */
class IpValue extends CelExtension {
  readonly type: CelType = { kind: 'named', name: IP };
  readonly bytes: readonly number[];

  constructor(bytes: readonly number[]) {
    super();
    this.bytes = bytes;
  }

  override get size(): number {
    return this.bytes.length;
  }

  equals(other: CelExtension): boolean {
    return other instanceof IpValue && sameBytes(this.bytes, other.bytes);
  }
}

class CidrValue extends CelExtension {
  readonly type: CelType = { kind: 'named', name: CIDR };
  readonly bytes: readonly number[];
  readonly bits: number;

  constructor(bytes: readonly number[], bits: number) {
    super();
    this.bytes = bytes;
    this.bits = bits;
  }

  override get size(): number {
    return Math.ceil(this.bits / 8);
  }

  equals(other: CelExtension): boolean {
    return (
      other instanceof CidrValue && this.bits === other.bits && sameBytes(this.bytes, other.bytes)
    );
  }

  contains(bytes: readonly number[]): boolean {
    return (
      bytes.length === this.bytes.length &&
      sameBytes(masked(bytes, this.bits), masked(this.bytes, this.bits))
    );
  }
}

function sameBytes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function masked(bytes: readonly number[], bits: number): number[] {
  return bytes.map((byte, i) => {
    const kept = Math.min(8, Math.max(0, bits - i * 8));
    return byte & (0xff << (8 - kept)) & 0xff;
  });
}

function isMapped(bytes: readonly number[]): boolean {
  return (
    bytes.length === 16 &&
    bytes.slice(0, 10).every((byte) => byte === 0) &&
    bytes[10] === 0xff &&
    bytes[11] === 0xff
  );
}

function parseIp(text: string): IpValue | string {
  const parsed = parseIpAddress(text);
  const quoted = JSON.stringify(text);
  if ('problem' in parsed) {
    return `IP Address ${quoted} parse error during conversion from string: ${parsed.problem}`;
  }
  if (parsed.zone !== '') return `IP address ${quoted} with zone value is not allowed`;
  if (isMapped(parsed.bytes)) return `IPv4-mapped IPv6 address ${quoted} is not allowed`;
  return new IpValue(parsed.bytes);
}

const NETWORK_PROBLEM = 'network address parse error during conversion from string: ';

function parseCidr(text: string): CidrValue | string {
  const slash = text.lastIndexOf('/');
  const quoted = JSON.stringify(text);
  const fail = (why: string): string =>
    `${NETWORK_PROBLEM}${NETWORK_PROBLEM}netip.ParsePrefix(${quoted}): ${why}`;
  if (slash < 0) return fail("no '/'");
  const bits = text.slice(slash + 1);
  const parsed = parseIpAddress(text.slice(0, slash));
  if ('problem' in parsed) return fail(parsed.problem);
  if (parsed.zone !== '') return fail('IPv6 zones cannot be present in a prefix');
  if (!/^(0|[1-9]\d{0,17})$/.test(bits)) {
    return fail(`bad bits after slash: ${JSON.stringify(bits)}`);
  }
  const { bytes } = parsed;
  if (Number(bits) > bytes.length * 8) return fail('prefix length out of range');
  if (isMapped(bytes)) {
    return `${NETWORK_PROBLEM}IPv4-mapped IPv6 address ${quoted} is not allowed`;
  }
  return new CidrValue(bytes, Number(bits));
}

function showIp(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from(
    { length: 8 },
    (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0),
  );
  let [start, length] = [-1, 1];
  for (let i = 0; i < 8; i++) {
    let j = i;
    while (j < 8 && groups[j] === 0) j++;
    if (j - i > length) [start, length] = [i, j - i];
    if (j > i) i = j;
  }
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  if (start < 0) return hex(0, 8);
  return `${hex(0, start)}::${hex(start + length, 8)}`;
}

function taken<T>(parsed: T | string): T {
  if (typeof parsed === 'string') throw new CelError(parsed);
  return parsed;
}

function textOf(value: Value | undefined): string {
  if (typeof value === 'string') return value;
  throw noSuchOverload();
}

function ipOf(value: Value | undefined): IpValue {
  if (value instanceof IpValue) return value;
  throw noSuchOverload();
}

function cidrOf(value: Value | undefined): CidrValue {
  if (value instanceof CidrValue) return value;
  throw noSuchOverload();
}

export function networkFunctions(): Record<string, CelFunction> {
  return { ...addresses(), ...networks() };
}

function addresses(): Record<string, CelFunction> {
  const test = (id: string, holds: (bytes: readonly number[]) => boolean): CelFunction => ({
    overloads: [`ip_${id}: ${IP}.() -> bool`],
    call: ([ip]) => holds(ipOf(ip).bytes),
  });
  const [isUnspecified, isLoopback, isMulticast, isLinkLocal] = [
    (bytes: readonly number[]) => bytes.every((byte) => byte === 0),
    (bytes: readonly number[]) =>
      bytes.length === 4 ? bytes[0] === 127 : bytes.every((byte, i) => byte === (i === 15 ? 1 : 0)),
    ([a = 0, b = 0, c = 0, ...rest]: readonly number[]) =>
      rest.length === 1 ? a === 224 && b === 0 && c === 0 : a === 0xff && (b & 0x0f) === 0x02,
    ([a = 0, b = 0, ...rest]: readonly number[]) =>
      rest.length === 2 ? a === 169 && b === 254 : a === 0xfe && (b & 0xc0) === 0x80,
  ];
  const isAnyMulticast = ([a = 0, ...rest]: readonly number[]): boolean =>
    rest.length === 3 ? (a & 0xf0) === 0xe0 : a === 0xff;
  const isBroadcast = (bytes: readonly number[]): boolean =>
    bytes.length === 4 && bytes.every((byte) => byte === 255);
  return {
    ip: {
      overloads: [`string_to_ip: (string) -> ${IP}`, `cidr_ip: ${CIDR}.() -> ${IP}`],
      call: ([value]) =>
        value instanceof CidrValue ? new IpValue(value.bytes) : taken(parseIp(textOf(value))),
    },
    isIP: {
      overloads: ['is_ip: (string) -> bool'],
      call: ([text]) => typeof parseIp(textOf(text)) !== 'string',
    },
    'ip.isCanonical': {
      overloads: ['ip_is_canonical: (string) -> bool'],
      call: ([text]) => showIp(taken(parseIp(textOf(text))).bytes) === text,
    },
    family: {
      overloads: [`ip_family: ${IP}.() -> int`],
      call: ([ip]) => (ipOf(ip).bytes.length === 4 ? 4n : 6n),
    },
    isUnspecified: test('is_unspecified', isUnspecified),
    isLoopback: test('is_loopback', isLoopback),
    isLinkLocalMulticast: test('is_link_local_multicast', isMulticast),
    isLinkLocalUnicast: test('is_link_local_unicast', isLinkLocal),
    isGlobalUnicast: test('is_global_unicast', (bytes) =>
      !isUnspecified(bytes) &&
      !isLoopback(bytes) &&
      !isAnyMulticast(bytes) &&
      !isLinkLocal(bytes) &&
      !isBroadcast(bytes)),
    string: {
      overloads: [`ip_to_string: (${IP}) -> string`, `cidr_to_string: (${CIDR}) -> string`],
      call: ([value]) =>
        value instanceof CidrValue
          ? `${showIp(value.bytes)}/${value.bits}`
          : showIp(ipOf(value).bytes),
    },
  };
}

function networks(): Record<string, CelFunction> {
  return {
    cidr: {
      overloads: [`string_to_cidr: (string) -> ${CIDR}`],
      call: ([text]) => taken(parseCidr(textOf(text))),
    },
    isCIDR: {
      overloads: ['is_cidr: (string) -> bool'],
      call: ([text]) => typeof parseCidr(textOf(text)) !== 'string',
    },
    containsIP: {
      overloads: [
        `cidr_contains_ip_string: ${CIDR}.(string) -> bool`,
        `cidr_contains_ip_ip: ${CIDR}.(${IP}) -> bool`,
      ],
      call: ([cidr, other]) => {
        // What is wrong with a text gets lost on the way.
        const ip = ipOf(typeof other === 'string' ? parseIp(other) : other);
        return cidrOf(cidr).contains(ip.bytes);
      },
    },
    containsCIDR: {
      overloads: [
        `cidr_contains_cidr_string: ${CIDR}.(string) -> bool`,
        `cidr_contains_cidr: ${CIDR}.(${CIDR}) -> bool`,
      ],
      call: ([cidr, other]) => {
        const inner = cidrOf(typeof other === 'string' ? parseCidr(other) : other);
        const outer = cidrOf(cidr);
        return outer.bits <= inner.bits && outer.contains(inner.bytes);
      },
    },
    prefixLength: {
      overloads: [`cidr_prefix_length: ${CIDR}.() -> int`],
      call: ([cidr]) => BigInt(cidrOf(cidr).bits),
    },
    masked: {
      overloads: [`cidr_masked: ${CIDR}.() -> ${CIDR}`],
      call: ([value]) => {
        const cidr = cidrOf(value);
        return new CidrValue(masked(cidr.bytes, cidr.bits), cidr.bits);
      },
    },
  };
}
