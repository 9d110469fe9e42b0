import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createKubeClient } from '@capstan/kube-client';
import { systemClock } from '@capstan/kube-controller';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { createGitHost } from '@capstan/lib-git';
import type { Clock } from '@capstan/lib-std';
import { type ControlPlane, startControlPlane } from '../control-plane.ts';
import { listen, type Serving, serve } from '../http/serve.ts';
import { applyManifests, FIELD_MANAGER } from './apply-manifests.ts';
import { DataFolder, type RunningInfo } from './data-folder.ts';
import { createOwnPod } from './own-pod.ts';
import { prepareSampleRepository, readTemplate } from './sample-repository.ts';
import type { StartOptions } from './start-options.ts';

export interface QuickStart {
  readonly info: RunningInfo;
  close(): Promise<void>;
}

export interface QuickStartPorts {
  /** The folder of the checkout: examples and the built page lie below it. */
  readonly root: string;
  readonly version: string;
  readonly log: (message: string, keys?: Readonly<Record<string, unknown>>) => void;
}

const ADDRESS = '127.0.0.1';
const REPOSITORY = 'quick-start.git';

/** A cluster, a Git server with the sample repository, the control plane and the page, in this process. */
export async function startQuickStart(
  options: StartOptions,
  ports: QuickStartPorts,
): Promise<QuickStart> {
  const data = DataFolder.open(options.dataFolder, options);
  const closing: (() => Promise<void>)[] = [];
  const close = async () => {
    data.removeInfo();
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const info = await startParts(options, ports, { data, closing });
    data.writeInfo(info);
    return { info, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startParts(
  options: StartOptions,
  ports: QuickStartPorts,
  at: { readonly data: DataFolder; readonly closing: (() => Promise<void>)[] },
): Promise<RunningInfo> {
  const { data, closing } = at;
  const clock = systemClock();
  const git = await startGit(options, { data, onPush: (url) => control?.notifyPush(url) });
  closing.push(git.close);
  const url = `${git.url}/${REPOSITORY}`;
  await prepareSample(url, { data, root: ports.root, clock });
  const own = createOwnPod(ports, clock);
  const sandbox = await startSandbox({
    dataDir: data.file('cluster'),
    outputOf: own.outputOf,
    port: options.port === 0 ? 0 : options.port + 2,
  });
  closing.push(() => sandbox.close());
  const control: ControlPlane = await startControlPlane({
    client: createKubeClient(sandbox.transport),
    clusterName: 'sandbox',
    cacheFolder: data.file('cache'),
    pageFolder: join(ports.root, 'apps', 'ui', 'dist'),
    gitUrl: url,
    // The process is the newcomer's own, on their own machine: a repository beside it is theirs as well.
    allowFileRemotes: true,
    version: ports.version,
    log: own.log,
    onEvent: own.onEvent,
    clock,
  });
  closing.push(() => control.close());
  await applySample(url, sandbox, ports.root);
  await createKubeClient(sandbox.transport).apply(own.deployment, {
    fieldManager: FIELD_MANAGER,
    force: true,
  });
  const page = await serve((request) => control.handle(request), {
    port: options.port,
    address: ADDRESS,
    name: 'the page',
  });
  closing.push(page.close);
  data.writeKept({ git: url });
  return {
    page: page.url,
    api: sandbox.url,
    git: url,
    kubeconfig: sandbox.kubeconfigPath,
    pid: process.pid,
  };
}

async function startGit(
  options: StartOptions,
  { data, onPush }: { readonly data: DataFolder; readonly onPush: (url: string) => void },
): Promise<Serving> {
  const folder = data.file('git');
  mkdirSync(folder, { recursive: true });
  let url = '';
  const host = createGitHost({
    find: (path) => (path === REPOSITORY ? { folder: join(folder, REPOSITORY) } : undefined),
    onPush: (path) => onPush(`${url}/${path}`),
  });
  const serving = await listen(host, {
    port: options.port === 0 ? 0 : options.port + 1,
    address: ADDRESS,
    name: 'the Git server',
  });
  url = serving.url;
  return serving;
}

async function prepareSample(
  url: string,
  {
    data,
    root,
    clock,
  }: { readonly data: DataFolder; readonly root: string; readonly clock: Clock },
): Promise<void> {
  await prepareSampleRepository({
    folder: join(data.file('git'), REPOSITORY),
    template: join(root, 'examples', 'quick-start'),
    url,
    previousUrl: data.readKept()?.git,
    clock,
  });
}

/** What stands at the beginning of everything: applied on every start, since the address may be a new one. */
async function applySample(url: string, sandbox: Sandbox, root: string): Promise<void> {
  const files = readTemplate(join(root, 'examples', 'quick-start-cluster'), url);
  const client = createKubeClient(sandbox.transport);
  for (const name of ['base.yaml', 'root-app.yaml', 'my-app.yaml']) {
    await applyManifests(client, files[name] ?? '', name);
  }
}
