import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CapstanError, messageOf } from '@capstan/lib-std';
import type { RunningInfo } from './quick-start/data-folder.ts';
import { startQuickStart } from './quick-start/quick-start.ts';
import { parseStartOptions, START_HELP } from './quick-start/start-options.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

async function main(args: readonly string[]): Promise<void> {
  const options = parseStartOptions(args);
  if (options.help) {
    process.stdout.write(START_HELP);
    return;
  }
  const stopped = whenStopped();
  const started = performance.now();
  const quickStart = await startQuickStart(options, { root, version: readVersion(), log });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(greeting(quickStart.info, seconds));
  await stopped;
  process.stdout.write('\nStopping …\n');
  await quickStart.close();
}

/** The first signal ends the process cleanly; a second one at once. */
function whenStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.once(name, () => {
        resolve();
        process.once(name, () => process.kill(process.pid, 'SIGKILL'));
      });
    }
  });
}

function readVersion(): string {
  const text = readFileSync(join(root, 'package.json'), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}

function log(message: string, keys: Readonly<Record<string, unknown>> = {}): void {
  const rest = Object.entries(keys).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
  process.stderr.write(`capstan: ${message}${rest.join('')}\n`);
}

function greeting(info: RunningInfo, seconds: string): string {
  return `
Capstan is up after ${seconds} s.

  page        ${info.page}
  git         ${info.git}
  kubernetes  ${info.api}
  kubeconfig  ${info.kubeconfig}

Three things to try:

  1. Change something in Git and watch it roll out:
       git clone ${info.git} && cd quick-start
       sed -i.old 's/count: 3/count: 5/' applications/webapp/overlays/production/kustomization.yaml
       git commit -am "Scale the web app to five" && git push
  2. Break something in the cluster and watch it heal:
       kubectl --kubeconfig ${info.kubeconfig} -n production delete deployment webapp
  3. Look at ${info.page}: every app, down to its Pods.

Ctrl-C stops it; the next start goes on from here (--reset begins anew).
`;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`capstan: ${messageOf(error)}\n`);
  if (error instanceof CapstanError && error.hint !== undefined) {
    process.stderr.write(`  ${error.hint}\n`);
  }
  process.exitCode = 1;
}
