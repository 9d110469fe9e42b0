/** Flags of Flux's source-controller about artifacts and Helm's files, and those of all its controllers that need no act here. */
import type { ArtifactOptions } from '@capstan/apps-server';
import { type FluxSettings, parseDurationMs } from '@capstan/flux-controllers';
import { DIGEST_ALGORITHMS } from '@capstan/lib-oci';
import { CapstanError } from '@capstan/lib-std';
import type { FlagSpec } from '../flags.ts';

const OWN_BOUNDS = 'kept by digest, within bounds of its own';
const ELECTION = 'replicas share the work: see --replica and --lease';
const RETRIES = 'failures are tried again after a growing pause, from a second to five minutes';
const ADDRESSES = 'metrics are answered on the port of the page, at /metrics';

/** What changes nothing here, with the reason. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  'helm-cache-max-size': `indexes are ${OWN_BOUNDS}`,
  'helm-cache-ttl': `indexes are ${OWN_BOUNDS}`,
  'helm-cache-purge-interval': `indexes are ${OWN_BOUNDS}`,
  'token-cache-max-size': 'a hundred tokens of clouds are kept',
  'token-cache-max-duration':
    'tokens of clouds are kept for four fifths of their life, an hour at most',
  'ssh-kex-algos': "OpenSSH's own lists count",
  'ssh-hostkey-algos': "OpenSSH's own lists count",
  'kube-api-qps': 'the API server says how much it takes',
  'kube-api-burst': 'the API server says how much it takes',
  'metrics-addr': ADDRESSES,
  'health-addr': ADDRESSES,
  'events-addr':
    'events are told to the cluster; a notification-controller beside this process is told none',
  'enable-leader-election': ELECTION,
  'leader-election-release-on-cancel': ELECTION,
  'leader-election-lease-duration': ELECTION,
  'leader-election-renew-deadline': ELECTION,
  'leader-election-retry-period': ELECTION,
  'min-retry-delay': RETRIES,
  'max-retry-delay': RETRIES,
  'log-level': 'what happens is told once, at one level',
  'insecure-kubeconfig-exec': 'kubeconfigs of resources run no programs',
  'insecure-kubeconfig-tls': 'certificates of clusters are always judged',
  'insecure-allow-http': 'sources may be reached by http',
  'watch-configs-label-selector':
    'ConfigMaps and Secrets that bear reconcile.fluxcd.io/watch: Enabled wake those that use them',
};

/** Those that may stand without a value. */
const SWITCHES: ReadonlySet<string> = new Set([
  'enable-leader-election',
  'leader-election-release-on-cancel',
  'insecure-kubeconfig-exec',
  'insecure-kubeconfig-tls',
  'insecure-allow-http',
]);
const SWITCH: FlagSpec = { kind: 'string', bare: 'true' };

export const SOURCE_FLAGS: Readonly<Record<string, FlagSpec>> = {
  'storage-path': { kind: 'string' },
  'storage-addr': { kind: 'string' },
  'storage-adv-addr': { kind: 'string' },
  'artifact-retention-ttl': { kind: 'string' },
  'artifact-retention-records': { kind: 'string' },
  'artifact-digest-algo': { kind: 'string' },
  'helm-index-max-size': { kind: 'string' },
  'helm-chart-max-size': { kind: 'string' },
  'helm-chart-file-max-size': { kind: 'string' },
  'interval-jitter-percentage': { kind: 'string' },
  'watch-all-namespaces': SWITCH,
  ...Object.fromEntries(
    Object.keys(WITHOUT_EFFECT).map((name) => [
      name,
      SWITCHES.has(name) ? SWITCH : ({ kind: 'string' } as const),
    ]),
  ),
};

export const SOURCE_HELP = `  --storage-path DIR, --storage-addr HOST:PORT, --storage-adv-addr HOST
                                  where artifacts lie, are served, and are reached (as $STORAGE_PATH, $STORAGE_ADDRESS,
                                  $STORAGE_ADV_ADDR), in the words of source-controller
  --artifact-retention-ttl DURATION, --artifact-retention-records N   which artifacts stay (1m, 2)
  --artifact-digest-algo NAME     ${DIGEST_ALGORITHMS.join(', ')} (sha256)
  --helm-index-max-size BYTES, --helm-chart-max-size BYTES   of Helm repositories
  --helm-chart-file-max-size BYTES   of each file of a chart that lies in a folder (5 MiB)
  --interval-jitter-percentage N  how far sources' intervals are spread (5)
                                  further flags of Flux's controllers are taken, and it is said why they change nothing
`;

interface Given {
  text(name: string): string | undefined;
}

export interface SourceFlags {
  readonly artifacts: ArtifactOptions;
  readonly settings: FluxSettings;
  /** What was given and changes nothing. */
  readonly notes: readonly string[];
}

export function readSourceFlags(
  flags: Given,
  environment: Readonly<Record<string, string | undefined>>,
): SourceFlags {
  const everywhere = flags.text('watch-all-namespaces') ?? 'true';
  if (everywhere !== 'true' && everywhere !== '') {
    throw invalid(
      'watch-all-namespaces',
      everywhere,
      'all namespaces are watched; take sharding (--watch-label-selector)',
    );
  }
  return {
    artifacts: readArtifacts(flags, environment),
    settings: readSettings(flags),
    notes: Object.entries(WITHOUT_EFFECT).flatMap(([name, why]) =>
      flags.text(name) === undefined ? [] : [`--${name}: ${why}`],
    ),
  };
}

function readArtifacts(
  flags: Given,
  environment: Readonly<Record<string, string | undefined>>,
): ArtifactOptions {
  const either = (flag: string, name: string) => flags.text(flag) || environment[name] || undefined;
  const path = either('storage-path', 'STORAGE_PATH');
  const address = either('storage-addr', 'STORAGE_ADDRESS');
  const advertised = either('storage-adv-addr', 'STORAGE_ADV_ADDR');
  const ttl = flags.text('artifact-retention-ttl');
  const records = readNumber(flags, 'artifact-retention-records', 1_000);
  const algorithm = flags.text('artifact-digest-algo');
  const digestAlgorithm = DIGEST_ALGORITHMS.find((one) => one === algorithm);
  if (algorithm !== undefined && digestAlgorithm === undefined) {
    throw invalid('artifact-digest-algo', algorithm, `use one of ${DIGEST_ALGORITHMS.join(', ')}`);
  }
  return {
    ...(path === undefined ? {} : { folder: path }),
    ...(address === undefined ? {} : readAddress(address)),
    ...(advertised === undefined
      ? {}
      : { url: advertised.startsWith('http://') ? advertised : `http://${advertised}` }),
    ...(ttl === undefined ? {} : { retentionMs: parseDurationMs(ttl, '--artifact-retention-ttl') }),
    ...(records === undefined ? {} : { retentionRecords: records }),
    ...(digestAlgorithm === undefined ? {} : { digestAlgorithm }),
  };
}

/** `host:port`, or `:port` for all addresses. */
function readAddress(text: string): { readonly address: string; readonly port: number } {
  const found = /^(.*):(\d{1,5})$/.exec(text);
  const port = Number(found?.[2]);
  if (found === null || port > 65535) {
    throw invalid('storage-addr', text, 'write HOST:PORT, or :PORT for all addresses');
  }
  return { address: found[1]?.replace(/^\[|\]$/g, '') || '0.0.0.0', port };
}

function readSettings(flags: Given): FluxSettings {
  const indexBytesMax = readNumber(flags, 'helm-index-max-size', Number.MAX_SAFE_INTEGER);
  const chartBytesMax = readNumber(flags, 'helm-chart-max-size', Number.MAX_SAFE_INTEGER);
  const fileBytesMax = readNumber(flags, 'helm-chart-file-max-size', Number.MAX_SAFE_INTEGER);
  const jitter = readNumber(flags, 'interval-jitter-percentage', 99);
  return {
    ...(indexBytesMax === undefined ? {} : { helmIndexBytesMax: indexBytesMax }),
    ...(chartBytesMax === undefined ? {} : { helmChartBytesMax: chartBytesMax }),
    ...(fileBytesMax === undefined ? {} : { helmChartFileBytesMax: fileBytesMax }),
    ...(jitter === undefined ? {} : { intervalJitter: jitter / 100 }),
  };
}

function readNumber(flags: Given, name: string, max: number): number | undefined {
  const text = flags.text(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= max) return value;
  throw invalid(name, text, `give a whole number up to ${max}`);
}

function invalid(name: string, value: string, hint: string): CapstanError {
  return new CapstanError('OPTION_INVALID', `--${name} ${value} is not possible`, { hint });
}
