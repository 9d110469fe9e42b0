import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type CrdPolicy,
  eventLine,
  type LogEncoding,
  messageLine,
  serve,
  startControlPlane,
} from '@capstan/apps-server';
import { connect, loadKubeconfig } from '@capstan/kube-client';
import { createRegistry, createRequestMetrics } from '@capstan/kube-controller';
import { CapstanError } from '@capstan/lib-std';
import { parseFlags } from '../flags.ts';
import type { Command } from '../io.ts';
import { FLUX_FLAGS, FLUX_HELP, readFluxFlags } from './flux-flags.ts';
import { readSourceFlags, SOURCE_FLAGS, SOURCE_HELP } from './source-flags.ts';

const HELP = `usage: capstan serve [OPTIONS]

Runs the control plane on a cluster: installs the definitions of Argo CD's and Flux's resources that it lacks, runs the
controllers, serves the page. Stop the controllers of Argo CD and Flux before: two masters undo each other's work.

  --kubeconfig FILE   which cluster (default: as kubectl)
  --context NAME      instead of the file's current context
  --port N            of the page (default 7400; 0 takes a free one)
  --address ADDRESS   where the page listens (default 127.0.0.1: whoever reaches it may do everything)
  --host NAME         a name under which the page may be asked for, beside localhost; may be repeated
  --replica NAME      one of several processes that share the work: a name for each (in a Pod, the Pod's name)
  --lease SECONDS     how long the other replicas wait for one that says nothing (default 15)
  --cache DIR         caches; may be deleted at any time (default .capstan/cache)
  --crds POLICY       what becomes of older definitions that the cluster has: Create leaves them (default; it is told what they
                      lack), CreateReplace replaces them, but none that has what ours do not have
  --allow-file-remotes  let repositories be folders of this machine (file://…): whoever may write an Application then
                      reads any repository that this process can read
  --artifact-port N   where artifacts of Flux's sources are served (default: a free one); nothing else is served there
  --artifact-address ADDRESS  (default 127.0.0.1; 0.0.0.0 for consumers in the cluster)
  --artifact-url URL  what stands before an artifact's path for its consumers, e.g.
                      http://source-controller.flux-system.svc.cluster.local. (default: the address above)
  --log-encoding json|console   how lines are written to standard error (default console)
${FLUX_HELP}${SOURCE_HELP}`;

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const PAGE = fileURLToPath(new URL('../../../ui/dist', import.meta.url));

/** `capstan serve`: the same job as the quick start's, on any real cluster. */
export const run: Command = async (args, io) => {
  const flags = parseFlags(args, {
    kubeconfig: { kind: 'string' },
    context: { kind: 'string' },
    port: { kind: 'string' },
    address: { kind: 'string' },
    host: { kind: 'string[]' },
    replica: { kind: 'string' },
    lease: { kind: 'string' },
    cache: { kind: 'string' },
    crds: { kind: 'string' },
    'allow-file-remotes': { kind: 'boolean' },
    'artifact-port': { kind: 'string' },
    'artifact-address': { kind: 'string' },
    'artifact-url': { kind: 'string' },
    ...FLUX_FLAGS,
    ...SOURCE_FLAGS,
    'log-encoding': { kind: 'string' },
    help: { kind: 'boolean', short: 'h' },
  });
  if (flags.flag('help')) {
    io.out(HELP);
    return 0;
  }
  const file = flags.text('kubeconfig');
  const context = flags.text('context');
  const connection = await loadKubeconfig({
    environment: io.env,
    ...(file === undefined ? {} : { file }),
    ...(context === undefined ? {} : { context }),
  });
  const registry = createRegistry();
  const host = new URL(connection.server).host;
  const client = connect(connection, { observe: createRequestMetrics(registry, host) });
  if (!existsSync(join(PAGE, 'index.html'))) {
    io.err(
      'capstan: the page is not built: run npm run build -w @capstan/apps-ui (npm start does it)\n',
    );
  }
  const encoding = readEncoding(flags.text('log-encoding'));
  const logOptions = () => ({ encoding, nowMs: Date.now() });
  const flux = readFluxFlags(flags, io.env);
  const source = readSourceFlags(flags, io.env);
  for (const note of [...flux.notes, ...source.notes]) io.err(messageLine(note, {}, logOptions()));
  const control = await startControlPlane({
    client,
    clusterName: 'in-cluster',
    cacheFolder: flags.text('cache') ?? join(io.cwd, '.capstan', 'cache'),
    pageFolder: PAGE,
    gitUrl: null,
    hosts: flags.texts('host'),
    allowFileRemotes: flags.flag('allow-file-remotes'),
    artifacts: { ...source.artifacts, ...artifactOptions(flags, source.artifacts.port) },
    tenancy: flux.tenancy,
    fluxSettings: { ...flux.settings, ...source.settings },
    programs: { 'argocd-k8s-auth': [process.execPath, MAIN, 'argocd-k8s-auth'] },
    registry,
    crds: readCrdPolicy(flags.text('crds')),
    ...readReplica(flags.text('replica'), flags.text('lease')),
    version: '0.1.0',
    log: (message, keys = {}) => io.err(messageLine(message, keys, logOptions())),
    onEvent: (event) => io.err(eventLine(event, logOptions())),
  });
  try {
    const page = await serve((request) => control.handle(request), {
      port: readPort('port', flags.text('port'), 7400),
      address: flags.text('address') ?? '127.0.0.1',
      name: 'the page',
    });
    io.out(`Capstan serves ${client.server}\n  page  ${page.url}\n`);
    await stopped(io.signal);
    await page.close();
  } finally {
    await control.close();
  }
  return 0;
};

function artifactOptions(
  flags: { text(name: string): string | undefined },
  port: number | undefined,
) {
  const [url, address] = [flags.text('artifact-url'), flags.text('artifact-address')];
  return {
    port: readPort('artifact-port', flags.text('artifact-port'), port ?? 0),
    ...(url === undefined ? {} : { url }),
    ...(address === undefined ? {} : { address }),
  };
}

function readReplica(name: string | undefined, lease: string | undefined) {
  const seconds = lease === undefined ? 15 : Number(lease);
  if (!(seconds >= 2 && seconds <= 600)) {
    throw new CapstanError('OPTION_INVALID', `--lease ${lease} is no time from 2 to 600 seconds`, {
      hint: 'give a number of seconds, e.g. 15',
    });
  }
  return name === undefined ? {} : { replica: { name, leaseDurationMs: seconds * 1000 } };
}

function readPort(name: string, text: string | undefined, otherwise: number): number {
  const port = text === undefined ? otherwise : Number(text);
  if (Number.isInteger(port) && port >= 0 && port < 65536) return port;
  throw new CapstanError('OPTION_INVALID', `--${name} ${text} is no port`, {
    hint: 'give a number from 1 to 65535, or 0 for a free one',
  });
}

function readCrdPolicy(text = 'Create'): CrdPolicy {
  if (text === 'Create' || text === 'CreateReplace') return text;
  throw new CapstanError('OPTION_INVALID', `--crds ${text} is not known`, {
    hint: 'give Create or CreateReplace',
  });
}

function readEncoding(text = 'console'): LogEncoding {
  if (text === 'json' || text === 'console') return text;
  throw new CapstanError('OPTION_INVALID', `--log-encoding ${text} is not known`, {
    hint: 'give json or console',
  });
}

function stopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
}
