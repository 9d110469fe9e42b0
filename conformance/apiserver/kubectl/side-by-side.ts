// Runs the actions with the real kubectl against a real control plane and against the sandbox, and prints where the texts differ.
//   node conformance/apiserver/kubectl/side-by-side.ts [KUBECONFIG of a control plane] [--only PATTERN]
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startSandbox } from '@capstan/kube-sandbox';
import { kubeboxPath, startCluster } from '../../cluster/cluster.ts';
import { ACTIONS, type Action, FILES } from './actions.ts';
import { maskText } from './mask.ts';

export interface Printed {
  readonly code: number;
  readonly text: string;
}

const NAMESPACE = 'kc';
const UNTIL_MS = 20_000;

export class Terminal {
  readonly #kubeconfig: string;
  readonly #directory: string;
  node = '';

  constructor(kubeconfig: string) {
    this.#kubeconfig = kubeconfig;
    this.#directory = mkdtempSync(join(tmpdir(), 'kubectl-'));
    mkdirSync(join(this.#directory, 'files'));
    for (const [name, text] of Object.entries(FILES)) {
      writeFileSync(join(this.#directory, 'files', name), text);
    }
  }

  async prepare(): Promise<void> {
    const { text } = await this.#run('get nodes -o jsonpath={.items[0].metadata.name}');
    this.node = text.trim();
    await this.#run(`create namespace ${NAMESPACE}`);
    await this.#waitFor('get serviceaccount default -o name');
    await this.#waitFor('get configmap kube-root-ca.crt -o name');
  }

  async perform(action: Action): Promise<Printed> {
    if (action.until !== undefined) await this.#waitFor(action.until);
    const { code, text } = await this.#run(action.args, action);
    if (action.onlyCode === true) return { code, text: text === '' ? 'nothing' : 'something' };
    const lines = maskText(text, { node: this.node, directory: this.#directory })
      .split('\n')
      .filter((line) => action.leaveOut?.test(line) !== true);
    if (action.sorted === true) lines.sort();
    return { code, text: lines.join('\n') };
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #waitFor(args: string): Promise<void> {
    const end = Date.now() + UNTIL_MS;
    while (Date.now() < end) {
      const { code, text } = await this.#run(args);
      if (code === 0 && text.trim() !== '') return;
      await pause(200);
    }
  }

  /** Both output streams, as a person sees them. */
  #run(args: string, { input, editor }: Partial<Action> = {}): Promise<Printed> {
    const files = join(this.#directory, 'files');
    const words = (args.match(/(?:'[^']*'|[^\s'])+/g) ?? []).map((word) =>
      word
        .replaceAll("'", '')
        .replace('FILE:', `${files}/`)
        .replace(/^DIR$/, files)
        .replace(/^NODE$/, this.node),
    );
    const child = spawn(
      kubeboxPath(),
      ['kubectl', `--kubeconfig=${this.#kubeconfig}`, `--namespace=${NAMESPACE}`, ...words],
      {
        env: {
          ...process.env,
          KUBECACHEDIR: join(this.#directory, 'cache'),
          KUBE_EDITOR: editor ?? 'true',
        },
      },
    );
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => {
      out += String(chunk);
    });
    child.stderr.on('data', (chunk) => {
      err += String(chunk);
    });
    child.stdin.end(input ?? '');
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code: code ?? -1, text: err + out }));
    });
  }
}

/** The first lines that differ. */
export function textDifference(real: string, ours: string): string[] {
  const left = real.split('\n');
  const right = ours.split('\n');
  const lines: string[] = [];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    if (left[i] === right[i]) continue;
    lines.push(`  - ${left[i] ?? '(nothing)'}`, `  + ${right[i] ?? '(nothing)'}`);
    if (lines.length >= 16) break;
  }
  return lines;
}

export async function compareActions(
  real: Terminal,
  ours: Terminal,
  actions: readonly Action[],
): Promise<string[]> {
  await Promise.all([real.prepare(), ours.prepare()]);
  const found: string[] = [];
  for (const action of actions) {
    const [expected, actual] = await Promise.all([real.perform(action), ours.perform(action)]);
    const lines = textDifference(
      `exit ${expected.code}\n${expected.text}`,
      `exit ${actual.code}\n${actual.text}`,
    );
    if (lines.length > 0) found.push(`kubectl ${action.args}\n${lines.join('\n')}`);
  }
  return found;
}

if (import.meta.main) {
  const [given] = process.argv.slice(2);
  const cluster = given === undefined ? undefined : given;
  const started = cluster === undefined ? await startCluster() : undefined;
  const sandbox = await startSandbox();
  const real = new Terminal(cluster ?? started?.kubeconfig ?? '');
  const ours = new Terminal(sandbox.kubeconfigPath);
  const found = await compareActions(real, ours, ACTIONS);
  for (const text of found) console.log(text);
  console.log(`${ACTIONS.length - found.length} of ${ACTIONS.length} the same`);
  real.close();
  ours.close();
  await sandbox.close();
  await started?.stop();
}
