import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect, type KubeClient, loadKubeconfig } from '@capstan/kube-client';
import type { RunningInfo } from './data-folder.ts';

const START = fileURLToPath(new URL('../start.ts', import.meta.url));
let folder: string;
let count = 0;
const running = new Set<ChildProcess>();

interface Started {
  readonly info: RunningInfo;
  readonly output: () => string;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'start-'));
});
after(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function spawnStart(args: readonly string[]): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', START, ...args]);
  running.add(child);
  let text = '';
  child.stdout.on('data', (chunk) => (text += String(chunk)));
  child.stderr.on('data', (chunk) => (text += String(chunk)));
  child.on('exit', () => running.delete(child));
  return { child, output: () => text };
}

async function start(data: string, ...args: string[]): Promise<Started> {
  const { child, output } = spawnStart(['--data', data, '--port', '0', ...args]);
  const file = join(data, 'capstan.json');
  for (let i = 0; i < 2400 && !existsSync(file); i++) {
    if (child.exitCode !== null) throw new Error(output());
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  const info = JSON.parse(readFileSync(file, 'utf8')) as RunningInfo;
  return {
    info,
    output,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      if (child.exitCode === null) await once(child, 'exit');
      return child.exitCode;
    },
  };
}

async function clientOf({ kubeconfig }: RunningInfo): Promise<KubeClient> {
  return connect(await loadKubeconfig({ file: kubeconfig }));
}

/** A start that is expected to fail: its exit code and what it said. */
async function fail(...args: string[]): Promise<string> {
  const { child, output } = spawnStart(args);
  await once(child, 'close');
  return `${child.exitCode}: ${output()}`;
}

function freshFolder(): string {
  return join(folder, `data-${count++}`);
}

test('it says where everything is, on screen and in a file, and stops cleanly', async () => {
  const data = freshFolder();
  const { info, output, stop } = await start(data);
  assert.equal((await fetch(`${info.page}/api/apps`)).status, 200);
  const client = await clientOf(info);
  assert.match((await client.discovery.version()).gitVersion, /^v1\./);
  await client.close();
  const refs = execFileSync('git', ['ls-remote', info.git], { encoding: 'utf8' });
  assert.match(refs, /refs\/heads\/main/);
  for (const address of [info.page, info.git, info.api, info.kubeconfig]) {
    assert.ok(output().includes(address), output());
  }
  assert.equal(await stop(), 0);
  assert.equal(existsSync(join(data, 'capstan.json')), false);
});

test('in its cluster a Deployment stands for it, whose Pod logs what it logs, for flux logs to read', async () => {
  const { info, stop } = await start(freshFolder());
  const client = await clientOf(info);
  const labelSelector = 'app.kubernetes.io/part-of=flux';
  const namespace = 'flux-system';
  const deployments = await client.list(
    { apiVersion: 'apps/v1', kind: 'Deployment' },
    { namespace, labelSelector },
  );
  assert.equal(deployments.items.length, 1);
  const read = async (): Promise<string> => {
    const pods = await client.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace, labelSelector });
    const name = pods.items[0]?.metadata.name ?? '';
    const chunks = await Array.fromAsync(client.logs({ namespace, name })).catch(() => []);
    return Buffer.concat(chunks).toString();
  };
  const told = '"Kustomization":{"name":"my-app"';
  let text = '';
  for (let i = 0; i < 600 && !text.includes(told); i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    text = await read();
  }
  const line = text.split('\n').find((one) => one.includes(told)) ?? '{}';
  const { controllerKind, level, namespace: of } = JSON.parse(line) as Record<string, unknown>;
  assert.deepEqual([controllerKind, level, of], ['Kustomization', 'info', 'flux-system']);
  await client.close();
  assert.equal(await stop(), 0);
});

test('a second start goes on with the repository, whose files follow the new address; reset begins anew', async () => {
  const data = freshFolder();
  const first = await start(data);
  const clone = join(folder, 'clone');
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', clone, ...args], { encoding: 'utf8' });
  execFileSync('git', ['clone', '-q', first.info.git, clone]);
  writeFileSync(join(clone, 'mine.txt'), 'kept');
  git('add', '.');
  git('-c', 'user.name=a', '-c', 'user.email=b', 'commit', '-q', '-m', 'Mine');
  git('push', '-q', 'origin', 'HEAD:main');
  const mine = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'mine', namespace: 'default' },
  };
  const before = await clientOf(first.info);
  await before.create(mine);
  await before.close();
  await first.stop('SIGINT');
  const second = await start(data);
  execFileSync('git', ['-C', clone, 'pull', '-q', second.info.git, 'main']);
  assert.equal(readFileSync(join(clone, 'mine.txt'), 'utf8'), 'kept');
  const manifest = readFileSync(join(clone, 'clusters/sandbox/webapp-production.yaml'), 'utf8');
  assert.ok(manifest.includes(`repoURL: ${second.info.git}\n`), manifest);
  const after = await clientOf(second.info);
  await after.get({ ...mine, namespace: 'default', name: 'mine' });
  await after.close();
  await second.stop();
  const third = await start(data, '--reset');
  const again = join(folder, 'again');
  execFileSync('git', ['clone', '-q', third.info.git, again]);
  assert.equal(existsSync(join(again, 'mine.txt')), false);
  await third.stop();
});

test('an Application may come from a repository that is a folder of this machine', async () => {
  const repository = join(folder, 'beside');
  const git = (...args: string[]) => execFileSync('git', ['-C', repository, ...args]);
  mkdirSync(repository);
  git('init', '-q', '-b', 'main');
  const manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'beside' } };
  writeFileSync(join(repository, 'config.yaml'), JSON.stringify(manifest));
  git('add', '.');
  git('-c', 'user.name=a', '-c', 'user.email=b', 'commit', '-q', '-m', 'First');
  const { info, stop } = await start(freshFolder());
  const client = await clientOf(info);
  await client.create({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'beside', namespace: 'argocd' },
    spec: {
      project: 'default',
      source: { repoURL: `file://${repository}`, path: '.', targetRevision: 'main' },
      destination: { server: 'https://kubernetes.default.svc', namespace: 'default' },
      syncPolicy: { automated: {} },
    },
  });
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'beside' };
  for (let i = 0; i < 2400 && (await client.find(ref)) === undefined; i++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.equal((await client.get(ref)).metadata.name, 'beside');
  await client.close();
  await stop();
});

test('what keeps it from starting is one sentence with what to do', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  assert.equal(
    await fail('--data', freshFolder(), '--port', String(port - 1)),
    `1: capstan: port ${port} for the Git server is taken\n  stop the other program, or choose another port: --port N (0 takes free ones)\n`,
  );
  taken.close();
  const data = freshFolder();
  const { info, stop } = await start(data);
  assert.equal(
    await fail('--data', data),
    `1: capstan: Capstan runs already on ${data} (process ${info.pid})\n  its page is ${info.page}; stop it first, or give another folder by --data DIR\n`,
  );
  await stop();
  const foreign = freshFolder();
  mkdirSync(foreign);
  writeFileSync(join(foreign, 'precious'), '');
  assert.match(
    await fail('--data', foreign, '--reset'),
    /was not made by Capstan: it is not deleted/,
  );
  assert.ok(existsSync(join(foreign, 'precious')));
  assert.match(await fail('--port', 'x'), /--port x is no port/);
  assert.match(await fail('--nope'), /npm start -- --help lists the options/);
});
