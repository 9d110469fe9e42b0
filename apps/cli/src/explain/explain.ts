import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Explanation, explainObject } from '@capstan/apps-server/explain';
import { connect, loadKubeconfig } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';
import { type FlagSpec, type ParsedFlags, parseFlags } from '../flags.ts';
import type { Command, Io } from '../io.ts';
import { askServer, readApp, SERVER_FLAG } from '../server-request.ts';

const FLAGS: Readonly<Record<string, FlagSpec>> = {
  ...SERVER_FLAG,
  context: { kind: 'string' },
  filename: { kind: 'string', short: 'f' },
  help: { kind: 'boolean', short: 'h' },
  kubeconfig: { kind: 'string' },
  namespace: { kind: 'string', short: 'n' },
  output: { kind: 'string', short: 'o' },
};

const HELP = `usage: capstan explain KIND/NAME [flags]
       capstan explain KIND/NAME --server URL
       capstan explain -f FILE

Tells in one sentence each why an app is out of sync, why it is not healthy and what it waits for, and what to do next.
KIND is Application, Kustomization, HelmRelease, GitRepository, OCIRepository, HelmRepository, HelmChart or Bucket.

  -n, --namespace NAME    where it is (default: argocd for Applications, else flux-system)
      --kubeconfig FILE, --context NAME
      --server URL        ask a running server instead of the cluster (Application, Kustomization, HelmRelease)
  -f, --filename FILE     explain the object in this file, as kubectl get -o yaml gives it
  -o, --output json
`;

const KINDS: Readonly<Record<string, readonly [apiVersion: string, namespace: string]>> = {
  Application: ['argoproj.io/v1alpha1', 'argocd'],
  Kustomization: ['kustomize.toolkit.fluxcd.io/v1', 'flux-system'],
  HelmRelease: ['helm.toolkit.fluxcd.io/v2', 'flux-system'],
  GitRepository: ['source.toolkit.fluxcd.io/v1', 'flux-system'],
  OCIRepository: ['source.toolkit.fluxcd.io/v1', 'flux-system'],
  HelmRepository: ['source.toolkit.fluxcd.io/v1', 'flux-system'],
  HelmChart: ['source.toolkit.fluxcd.io/v1', 'flux-system'],
  Bucket: ['source.toolkit.fluxcd.io/v1', 'flux-system'],
};

/** `capstan explain KIND/NAME`: exits with 0 when there is nothing to explain, 1 otherwise. */
export const run: Command = async (args, io) => {
  const flags = parseFlags(args, FLAGS);
  if (flags.flag('help')) {
    io.out(HELP);
    return 0;
  }
  if (flags.text('server') !== undefined) return explainByServer(flags, HELP, io);
  const object = await findObject(flags, io);
  const { kind, metadata } = object;
  return tell(`${kind}/${metadata.name}`, explainObject(object), flags, io);
};

/** The same, asked of a running server. */
export async function explainByServer(flags: ParsedFlags, help: string, io: Io): Promise<number> {
  const { path, app } = readApp(flags, help, ['Application', 'Kustomization', 'HelmRelease']);
  const explanations = (await askServer(`${path}/explain`, flags, io)) as readonly Explanation[];
  return tell(app, explanations, flags, io);
}

function tell(
  app: string,
  explanations: readonly Explanation[],
  flags: ParsedFlags,
  io: Io,
): number {
  if (flags.text('output') === 'json') io.out(`${JSON.stringify(explanations, undefined, 2)}\n`);
  else {
    if (explanations.length === 0) io.out(`${app} is in sync and healthy\n`);
    for (const one of explanations) io.out(describe(one));
  }
  return explanations.length === 0 ? 0 : 1;
}

const QUESTIONS = { sync: 'not in sync', health: 'not healthy', waiting: 'waiting' } as const;

function describe({ about, sentence, next }: Explanation): string {
  return `${QUESTIONS[about]}: ${sentence}\n  next: ${next}\n`;
}

async function findObject(flags: ParsedFlags, io: Io): Promise<KubeObject> {
  const file = flags.text('filename');
  if (file !== undefined) return readObject(resolve(io.cwd, file));
  const [target = ''] = flags.positionals;
  const [wanted = '', name = ''] = target.split('/');
  const kind = Object.keys(KINDS).find((one) => one.toLowerCase() === wanted.toLowerCase());
  const known = kind === undefined ? undefined : KINDS[kind];
  if (kind === undefined || known === undefined || name === '') {
    throw new CapstanError('FLAGS', 'name an app: capstan explain Application/NAME', {
      hint: HELP,
    });
  }
  const kubeconfig = flags.text('kubeconfig');
  const context = flags.text('context');
  const connection = await loadKubeconfig({
    environment: io.env,
    ...(kubeconfig === undefined ? {} : { file: resolve(io.cwd, kubeconfig) }),
    ...(context === undefined ? {} : { context }),
  });
  const client = connect(connection);
  try {
    const group = known[0].split('/')[0] ?? '';
    const namespace = flags.text('namespace') ?? known[1];
    const found = await client.get({ group, kind, namespace, name }, { signal: io.signal });
    if (found !== undefined) return found;
    throw new CapstanError('OBJECT_NOT_FOUND', `there is no ${kind} ${namespace}/${name}`, {
      hint: 'name its namespace with --namespace',
    });
  } finally {
    await client.close();
  }
}

function readObject(path: string): KubeObject {
  const value = parseYaml(readFileSync(path, 'utf8')) as unknown as KubeObject | null;
  if (typeof value !== 'object' || value === null || value.metadata === undefined) {
    throw new CapstanError('SPEC_INVALID', `${path} holds no object`, {
      hint: 'name a file with one object',
    });
  }
  return value;
}
