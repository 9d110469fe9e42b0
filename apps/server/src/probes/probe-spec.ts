import type { Json, KubeObject } from '@capstan/kube-object';
import { isMapping, textAt, valueAt } from '../views/fields.ts';

export const PROBE_GROUP = 'capstan.dev';
export const PROBE_KIND = 'HealthProbe';
export const PROBE_API_VERSION = `${PROBE_GROUP}/v1alpha1`;

/** What is asked; one of these a probe. */
export type ProbeTarget =
  | {
      readonly kind: 'http';
      readonly url: string;
      readonly method: 'GET' | 'HEAD';
      /** Absent: any from 200 to 399, as the kubelet takes it. */
      readonly expectStatus?: number;
      readonly headers: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | {
      readonly kind: 'grpc';
      readonly host: string;
      readonly port: number;
      /** '' asks for the server as a whole. */
      readonly service: string;
      readonly tls: boolean;
    }
  | {
      readonly kind: 'dns';
      readonly name: string;
      readonly type: DnsType;
      /** `address` or `address:port`; absent: the servers of this machine. */
      readonly server?: string;
    }
  | SqlProbeTarget;

/** Where user and password come from: a Secret beside the probe, with keys of these names. */
export interface SqlProbeTarget {
  readonly kind: 'sql';
  readonly engine: 'postgres' | 'mysql';
  readonly host: string;
  readonly port: number;
  /** '' for the one that the server takes by itself. */
  readonly database: string;
  readonly tls: boolean;
  readonly secretName: string;
  /** Read from the Secret, for each question. */
  readonly login?: {
    readonly user: string;
    readonly password: string;
    /** The authority of the server's certificate. */
    readonly authority?: string;
  };
}

export type DnsType = (typeof DNS_TYPES)[number];
export const DNS_TYPES = ['A', 'AAAA', 'CNAME', 'MX', 'NS', 'SRV', 'TXT'] as const;

export interface Probe {
  readonly target: ProbeTarget;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Failures in a row that make it Degraded. */
  readonly failureThreshold: number;
  /** Successes in a row that make it Healthy. */
  readonly successThreshold: number;
}

/** Reads a HealthProbe, with the kubelet's defaults where it says nothing; an error is for the object's status. */
export function parseProbe(object: KubeObject): Probe | { readonly error: string } {
  const spec = valueAt(object, 'spec');
  const target = parseTarget(spec);
  if ('error' in target) return target;
  return {
    target,
    intervalMs: atLeastOne(spec, 'intervalSeconds', 10) * 1000,
    timeoutMs: atLeastOne(spec, 'timeoutSeconds', 5) * 1000,
    failureThreshold: atLeastOne(spec, 'failureThreshold', 3),
    successThreshold: atLeastOne(spec, 'successThreshold', 1),
  };
}

function parseTarget(spec: Json | undefined): ProbeTarget | { readonly error: string } {
  const kinds = Object.keys(PARSERS).filter((kind) => isMapping(valueAt(spec, kind)));
  const [kind = '', more] = kinds;
  const parse = PARSERS[kind];
  if (parse === undefined || more !== undefined) {
    return { error: `spec: exactly one of ${Object.keys(PARSERS).join(', ')} is needed` };
  }
  return parse(valueAt(spec, kind));
}

const PARSERS: Readonly<
  Record<string, (fields: Json | undefined) => ProbeTarget | { readonly error: string }>
> = {
  http: (fields) => {
    const url = textAt(fields, 'url');
    const parsed = URL.parse(url);
    if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
      return { error: 'spec.http.url: an http or https URL is needed' };
    }
    if (parsed.username !== '' || parsed.password !== '') {
      return { error: 'spec.http.url: credentials do not belong here' };
    }
    const method = textAt(fields, 'method') || 'GET';
    if (method !== 'GET' && method !== 'HEAD') {
      return { error: 'spec.http.method: a probe changes nothing, so only GET and HEAD are sent' };
    }
    const expectStatus = valueAt(fields, 'expectStatus');
    const headers = valueAt(fields, 'headers');
    return {
      kind: 'http',
      url,
      method,
      ...(typeof expectStatus === 'number' ? { expectStatus } : {}),
      headers: Object.fromEntries(
        Object.entries(isMapping(headers) ? headers : {}).map(([name, text]) => [name, `${text}`]),
      ),
    };
  },
  tcp: (fields) => {
    const address = parseAddress(fields, 'tcp');
    return 'error' in address ? address : { kind: 'tcp', ...address };
  },
  grpc: (fields) => {
    const address = parseAddress(fields, 'grpc');
    if ('error' in address) return address;
    const tls = valueAt(fields, 'tls') === true;
    return { kind: 'grpc', ...address, service: textAt(fields, 'service'), tls };
  },
  dns: (fields) => {
    const name = textAt(fields, 'name');
    if (name === '') return { error: 'spec.dns.name: a name is needed' };
    const asked = textAt(fields, 'type') || 'A';
    const type = DNS_TYPES.find((known) => known === asked);
    if (type === undefined) return { error: `spec.dns.type: one of ${DNS_TYPES.join(', ')}` };
    const server = textAt(fields, 'server');
    return { kind: 'dns', name, type, ...(server === '' ? {} : { server }) };
  },
  sql: (fields) => {
    const engine = textAt(fields, 'engine');
    if (engine !== 'postgres' && engine !== 'mysql') {
      return { error: 'spec.sql.engine: one of postgres, mysql' };
    }
    const port = valueAt(fields, 'port') ?? (engine === 'postgres' ? 5432 : 3306);
    const address = parseAddress({ host: textAt(fields, 'host'), port }, 'sql');
    if ('error' in address) return address;
    const secretName = textAt(fields, 'secretRef', 'name');
    if (secretName === '') return { error: 'spec.sql.secretRef.name: a Secret is needed' };
    const tls = valueAt(fields, 'tls') === true;
    const database = textAt(fields, 'database');
    return { kind: 'sql', engine, ...address, database, tls, secretName };
  },
};

function parseAddress(
  fields: Json | undefined,
  kind: string,
): { readonly host: string; readonly port: number } | { readonly error: string } {
  const host = textAt(fields, 'host');
  const port = valueAt(fields, 'port');
  if (host === '') return { error: `spec.${kind}.host: a host is needed` };
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    return { error: `spec.${kind}.port: a number from 1 to 65535 is needed` };
  }
  return { host, port };
}

/** Longer than a day is as good as never, and timers take no more than 24 days. */
const MOST = 86_400;

function atLeastOne(spec: Json | undefined, field: string, otherwise: number): number {
  const found = valueAt(spec, field);
  return typeof found === 'number' ? Math.min(Math.max(1, found), MOST) : otherwise;
}
