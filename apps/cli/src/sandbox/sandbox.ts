import { once } from 'node:events';
import { importObjects, type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { CapstanError } from '@capstan/lib-std';
import { type FlagSpec, parseFlags } from '../flags.ts';
import type { Command, Io } from '../io.ts';
import { clusterObjects } from './cluster-objects.ts';

const FLAGS: Readonly<Record<string, FlagSpec>> = {
  context: { kind: 'string' },
  data: { kind: 'string' },
  help: { kind: 'boolean', short: 'h' },
  import: { kind: 'string' },
  'kubernetes-version': { kind: 'string' },
  nodes: { kind: 'string' },
  port: { kind: 'string' },
};

const HELP = `Start a Kubernetes cluster in this process: a real API with simulated workloads.
It listens on 127.0.0.1, prints the path of a kubeconfig, and stops with Ctrl-C.

Usage:
  capstan sandbox [flags]

Flags:
      --context string   context of the kubeconfig given by --import
      --data string      keep the cluster in this directory, and go on with what is there
  -h, --help             help for sandbox
      --import string    begin with a copy of the objects that this kubeconfig leads to
      --kubernetes-version string
                         minor of Kubernetes whose kinds it serves, 1.34 to 1.37 (default 1.36)
      --nodes int        number of nodes (default 1)
      --port int         port to listen on (default: a free one)
`;

/** `capstan sandbox`: runs until the signal; exit code 0 after a clean stop. */
export const run: Command = async (args, io) => {
  const flags = parseFlags(args, FLAGS);
  if (flags.flag('help')) {
    io.out(HELP);
    return 0;
  }
  const dataDir = flags.text('data');
  const kubernetesVersion = flags.text('kubernetes-version');
  const sandbox = await startSandbox({
    port: count(flags.text('port'), 'port', 65_535) ?? 0,
    nodes: count(flags.text('nodes'), 'nodes', 1000) ?? 1,
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
  });
  try {
    const source = flags.text('import');
    if (source !== undefined) await importFrom(source, flags.text('context'), sandbox, io);
    io.out(`${sandbox.kubeconfigPath}\n`);
    io.err(`cluster ready at ${sandbox.url}\n  export KUBECONFIG=${sandbox.kubeconfigPath}\n`);
    if (!io.signal.aborted) await once(io.signal, 'abort');
  } finally {
    await sandbox.close();
  }
  return 0;
};

function count(text: string | undefined, flag: string, maximum: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= maximum) return value;
  throw new CapstanError(
    'FLAGS',
    `--${flag} must be a number from 0 to ${maximum}, not ${JSON.stringify(text)}`,
  );
}

async function importFrom(
  path: string,
  context: string | undefined,
  sandbox: Sandbox,
  io: Io,
): Promise<void> {
  // Loaded for an import alone: a sandbox without one is ready in less time.
  const { connect, loadKubeconfig } = await import('@capstan/kube-client');
  const connection = await loadKubeconfig({
    file: path,
    ...(context === undefined ? {} : { context }),
  });
  const client = connect(connection);
  try {
    const objects = clusterObjects(client, {
      signal: io.signal,
      onForbidden: (resource) => io.err(`left out, because they may not be listed: ${resource}\n`),
    });
    const imported = await importObjects(sandbox.server, objects);
    io.err(`${imported} objects imported from ${client.server}\n`);
  } finally {
    await client.close();
  }
}
