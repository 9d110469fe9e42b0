/**
 * Runs testdata/*.txt on a cluster in this process. A scenario is a title, then commands, each with the lines that stand
 * indented below it; below the line stands what was printed. UPDATE=1 rewrites that; read the diff.
 *
 *   delivery              YAML that is laid over the delivery (see testing/scenario-world.ts)
 *   git                   YAML documents: what the repository holds from then on
 *   as MANAGER [apply]    YAML documents that somebody else writes to the cluster (by update, or by server-side apply)
 *   delete KIND NAME      somebody deletes an object
 *   ask NAME              YAML: a person asks for a sync with this policy
 *   wait 5s               the clock moves
 *   plan                  prints the plan of a sync of this moment
 *   look                  one look at the delivery: prints how it stands, and what the operation has done
 *   settle                looks until nothing is left to do at once; `run` does so and says nothing
 *   show KIND NAME PATH   prints a field of a live object
 *   count KIND            prints how many there are; `gone KIND` waits until there are none
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { printPlan } from '@capstan/engine-sync';
import { type Json, type KubeObject, keyOf } from '@capstan/kube-object';
import { parseYaml } from '@capstan/lib-yaml';
import { previewSync } from './preview-sync.ts';
import { runDelivery } from './run-delivery.ts';
import {
  createScenarioWorld,
  overlay,
  SCENARIO_URL,
  type ScenarioCluster,
  type ScenarioWorld,
  scenarioDelivery,
  startScenarioCluster,
} from './testing/scenario-world.ts';
import type { Delivery, DeliveryStatus, OperationRequest } from './types.ts';

const FOLDER = new URL('../testdata/', import.meta.url);
let cluster: ScenarioCluster;
before(async () => {
  cluster = await startScenarioCluster();
});
after(async () => cluster[Symbol.asyncDispose]());

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.txt'))) {
  const text = readFileSync(new URL(file, FOLDER), 'utf8');
  const [script = '', expected = ''] = text.split('\n----\n');
  test(script.split('\n')[0]?.replace(/^# /, '') ?? file, async () => {
    const actual = await runScenario(script, `in-${file.replace('.txt', '')}`);
    if (process.env['UPDATE'] === '1') {
      writeFileSync(new URL(file, FOLDER), `${script.trimEnd()}\n----\n${actual}`);
    } else assert.equal(actual, expected);
  });
}

async function runScenario(script: string, name: string): Promise<string> {
  await using world = await createScenarioWorld(cluster, { namespace: name });
  const scenario = new Scenario(world, name);
  const out: string[] = [];
  for (const { line, block } of commandsOf(script)) {
    const words = line.replaceAll('$NS', name).split(/\s+/);
    const lines = await scenario.perform(words, block);
    if (lines.length > 0) out.push(`> ${line}`, ...lines.map((one) => `  ${one}`));
  }
  return `${out.join('\n')}\n`;
}

function commandsOf(script: string): { readonly line: string; readonly block: string }[] {
  const commands: { line: string; block: string }[] = [];
  for (const line of script.split('\n')) {
    if (line.startsWith('#') || line.trim() === '') continue;
    const last = commands.at(-1);
    if (line.startsWith('  ') && last !== undefined) last.block += `${line.slice(2)}\n`;
    else commands.push({ line: line.trim(), block: '' });
  }
  return commands;
}

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
}

class Scenario {
  readonly #world: ScenarioWorld;
  readonly #namespace: string;
  readonly #signal = new AbortController().signal;
  #delivery: Delivery;
  #status: DeliveryStatus | undefined;
  #request: OperationRequest | undefined;

  constructor(world: ScenarioWorld, namespace: string) {
    this.#world = world;
    this.#namespace = namespace;
    this.#delivery = scenarioDelivery(namespace);
  }

  async perform(
    [command = '', ...words]: readonly string[],
    block: string,
  ): Promise<readonly string[]> {
    const { sources } = this.#world;
    switch (command) {
      case 'delivery':
        this.#delivery = overlay(this.#delivery, this.#read(block));
        return [];
      case 'git':
        sources.push(SCENARIO_URL, { 'all.yaml': block.replaceAll('$NS', this.#namespace) });
        return [];
      case 'as':
        return this.#write(words, block);
      case 'delete':
        await this.#world.client.delete(this.#ref(words));
        return [];
      case 'ask':
        this.#request = this.#requestOf(words[0] ?? '', block);
        return [];
      case 'wait':
        this.#world.wait(Number.parseFloat(words[0] ?? '') * 1000);
        return [];
      case 'plan':
        return this.#plan();
      case 'look':
        return this.#look();
      case 'settle':
        return this.#settle();
      case 'run':
        await this.#settle();
        return [];
      case 'show':
        return this.#show(words);
      case 'gone':
        return this.#gone(words);
      case 'count':
        return this.#count(words);
      default:
        throw new Error(`${command} is no command`);
    }
  }

  #read(block: string): Json {
    return parseYaml(block.replaceAll('$NS', this.#namespace)) as Json;
  }

  async #write([manager = '', how]: readonly string[], block: string): Promise<readonly string[]> {
    const { client } = this.#world;
    for (const document of block.split(/^---$/m)) {
      const read = this.#read(document) as KubeObject;
      const metadata = { namespace: this.#namespace, ...read.metadata };
      const object = { ...read, metadata };
      const { apiVersion, kind } = object;
      const { name = '', namespace } = metadata;
      const found = await client.find({ apiVersion, kind, name, namespace });
      const options = { fieldManager: manager };
      const { metadata: _identity, ...patch } = object;
      const ref = { apiVersion, kind, name, namespace };
      if (how === 'apply') await this.#seen(client.apply(object, { ...options, force: true }));
      else if (found === undefined) await this.#seen(client.create(object, options));
      else await this.#seen(client.patch(ref, patch, { type: 'merge', ...options }));
    }
    return [];
  }

  /** Until the watch has told of it, where the kind is watched. */
  async #seen(written: Promise<KubeObject>): Promise<void> {
    const object = await written;
    const { live } = this.#world.ports.cluster;
    for (let attempt = 0; attempt < 250; attempt++) {
      const held = live.get(keyOf(object));
      if (held === undefined || held.resourceVersion === object.metadata.resourceVersion) return;
      await pause();
    }
  }

  #requestOf(name: string, block: string): OperationRequest {
    const told = block === '' ? {} : (this.#read(block) as object);
    const retry = { limit: 0, backoff: { baseMs: 5000, factor: 2, maxMs: 180_000, jitter: 0 } };
    return {
      id: name,
      initiatedBy: { kind: 'person', name },
      policy: {},
      retry,
      healAttempt: 0,
      ...told,
    };
  }

  async #plan(): Promise<readonly string[]> {
    const { plan, problems } = await previewSync(this.#delivery, this.#world.ports, {
      inventory: this.#status?.inventory ?? [],
      policy: this.#request?.policy ?? {},
      signal: this.#signal,
    });
    const lines = plan === undefined ? ['no plan'] : printPlan(plan).split('\n');
    return [...problems.map(({ message }) => `problem: ${message}`), ...lines];
  }

  async #look(): Promise<readonly string[]> {
    const before = this.#status?.operation;
    this.#status = await runDelivery(
      {
        delivery: this.#delivery,
        previous: this.#status,
        request: this.#request,
        refresh: false,
        onProgress: async () => undefined,
      },
      this.#world.ports,
      { signal: this.#signal },
    );
    const { sync, health, operation, problems } = this.#status;
    // How far a workload has come depends on the machine.
    const isGood = health.status === 'Healthy' || health.status === 'Progressing';
    const lines = [isGood ? sync : `${sync}, ${health.status}`];
    for (const { message } of problems) lines.push(`problem: ${this.#mask(message)}`);
    if (operation === undefined || operation === before) return lines;
    lines.push(this.#mask(`operation ${operation.phase}: ${operation.message}`));
    for (const { key, hook, status, state, message } of operation.results) {
      const what = `${hook ? 'hook ' : ''}${key.kind} ${key.name}`;
      const done = hook || status === 'SyncFailed' ? `${status}, ${state}` : status;
      lines.push(this.#mask(`- ${what}: ${done}: ${message}`));
    }
    return lines;
  }

  /** What remains may wait for the cluster, which works in its own time. */
  async #settle(): Promise<readonly string[]> {
    const until = Date.now() + 10_000;
    for (;;) {
      const lines = await this.#look();
      const { operation, sync, recheckAtMs = Number.POSITIVE_INFINITY } = this.#status ?? {};
      const isDue = recheckAtMs <= this.#world.ports.clock.now();
      const waits = operation?.phase === 'Running' && operation.nextAttemptAtMs === undefined;
      if (!isDue && !waits)
        return lines.slice(0, 1 + lines.findIndex((one) => one.startsWith('op')));
      if (Date.now() > until) assert.fail(`it does not settle: ${sync} ${lines.join('\n')}`);
      await pause();
    }
  }

  async #show([kind = '', name = '', path = '']: readonly string[]): Promise<readonly string[]> {
    let value: Json | undefined = await this.#world.client.find(this.#ref([kind, name]));
    if (value === undefined) return ['absent'];
    for (const part of path.split('.').filter((one) => one !== '')) {
      value = (value as { readonly [name: string]: Json } | undefined)?.[part.replaceAll('|', '.')];
    }
    return [this.#mask(value === undefined ? 'absent' : JSON.stringify(value))];
  }

  async #gone(words: readonly string[]): Promise<readonly string[]> {
    for (let attempt = 0; attempt < 500; attempt++) {
      if ((await this.#count(words))[0] === '0') return ['gone'];
      await pause();
    }
    assert.fail(`${words.join(' ')} is still there`);
  }

  async #count([kind = '']: readonly string[]): Promise<readonly string[]> {
    const { apiVersion, namespace } = this.#ref([kind, '']);
    const { items } = await this.#world.client.list({ apiVersion, kind }, { namespace });
    return [`${items.length}`];
  }

  #ref([kind = '', name = '']: readonly string[]) {
    const apiVersion =
      { Deployment: 'apps/v1', ReplicaSet: 'apps/v1', Job: 'batch/v1' }[kind] ?? 'v1';
    const namespace = kind === 'Namespace' ? '' : this.#namespace;
    return { apiVersion, kind, namespace, name };
  }

  /** What differs from run to run. */
  #mask(text: string): string {
    return text
      .replaceAll(this.#namespace, 'NS')
      .replace(/Waiting for rollout to finish: .*/, 'Waiting for rollout')
      .replace(/at \d{4}-[\d-]+T[\d:]+Z/g, 'at TIME')
      .replace(/\b0{20,}[0-9a-f]+\b/g, 'COMMIT');
  }
}
