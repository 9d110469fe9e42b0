/**
 * Runs testdata/*.txt. A scenario is a title, objects, a policy, then commands; below the line stands what was printed.
 *
 *   object <apiVersion> <Kind> [ns/]name [verdict] [wave=N] [hook=..] [delete=..] [options=..] [live-options=..] [crd=group/Kind]
 *   policy prune=true pruneLast=true namespace=web …
 *   plan | next | apply | fail NAME why | reach NAME | miss NAME why | options NAME
 *   end PRE- OR POSTDELETE | is NAME reached|waiting|missed why | ending | clean PHASE NAME=good|bad|open …
 *
 * UPDATE=1 rewrites what stands below the line; read the diff.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { DiffEntry, Verdict } from '@capstan/engine-diff';
import { type Json, type KubeObject, keyOf } from '@capstan/kube-object';
import {
  CLEAN_PROGRESS,
  describeStep,
  hooksToClean,
  type LiveHook,
  nextDeleteHooks,
  nextSteps,
  planDeleteHooks,
  planSync,
  printPlan,
  recordCleaned,
  recordObservation,
  recordResult,
  stepsOf,
} from './index.ts';
import { isHook } from './read-hints.ts';
import { POLICY, VOCABULARY } from './testing/policy.ts';
import type {
  DeletePhase,
  HookObject,
  StepObservation,
  SyncInput,
  SyncPlan,
  SyncPolicy,
  SyncProgress,
  SyncStep,
} from './types.ts';

const FOLDER = new URL('../testdata/', import.meta.url);

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.txt'))) {
  const text = readFileSync(new URL(file, FOLDER), 'utf8');
  const [script = '', expected = ''] = text.split('\n----\n');
  test(script.split('\n')[0]?.replace(/^# /, '') ?? file, () => {
    const actual = run(script);
    if (process.env['UPDATE'] === '1') {
      writeFileSync(new URL(file, FOLDER), `${script.trimEnd()}\n----\n${actual}`);
    } else assert.equal(actual, expected);
  });
}

test('a plan does not depend on the order of its input', () => {
  const { input, policy } = bigInput(200);
  const expected = print(planSync(input, policy));
  for (let seed = 1; seed <= 20; seed++) {
    const shuffled = {
      ...input,
      diff: { entries: shuffle(input.diff.entries, seed) },
      hooks: shuffle(input.hooks, seed),
    };
    assert.equal(print(planSync(shuffled, policy)), expected);
  }
});

test('10,000 objects are planned in well under a second', () => {
  const { input, policy } = bigInput(10_000);
  const start = performance.now();
  const plan = planSync(input, policy);
  assert.equal(stepsOf(plan).length + plan.skipped.length, 10_000 + input.hooks.length);
  assert.ok(performance.now() - start < 10_000);
});

function run(script: string): string {
  const entries: DiffEntry[] = [];
  const hooks: HookObject[] = [];
  let policy: SyncPolicy = POLICY;
  let plan: SyncPlan | undefined;
  let progress = CLEAN_PROGRESS;
  const ending = new Ending();
  const out: string[] = [];
  for (const line of script.split('\n')) {
    const [command, ...words] = line.trim().split(/\s+/);
    if (command === undefined || command === '' || command.startsWith('#')) continue;
    if (command === 'object') addObject(words, entries, hooks);
    else if (END_COMMANDS.includes(command)) {
      out.push(`> ${line.trim()}`, ...ending.perform(command, words, hooks));
    } else if (command === 'policy') policy = readPolicy(words, policy);
    else {
      plan ??= planSync({ diff: { entries }, hooks }, policy);
      const step = words.length === 0 ? undefined : findStep(plan, words[0] ?? '');
      out.push(`> ${line.trim()}`);
      const done = perform(command, { plan, progress, step, why: words.slice(1).join(' ') });
      progress = done.progress;
      out.push(...done.lines);
    }
  }
  return `${out.join('\n')}\n`;
}

const END_COMMANDS: readonly string[] = ['end', 'is', 'ending', 'clean'];

/** The end of a delivery: nothing is remembered but what is seen of its hooks. */
class Ending {
  #plan: SyncPlan = { phases: [], skipped: [] };
  readonly #seen = new Map<string, StepObservation>();

  perform(
    command: string,
    [first = '', ...rest]: readonly string[],
    hooks: readonly HookObject[],
  ): readonly string[] {
    switch (command) {
      case 'end':
        this.#plan = planDeleteHooks(
          hooks.map(({ desired }) => desired.object),
          phaseOf(first),
          POLICY,
        );
        return [print(this.#plan)];
      case 'is':
        this.#seen.set(first, observationOf(rest));
        return [];
      case 'ending':
        return [this.#printNext()];
      default:
        return [printCleaning(phaseOf(first), rest, hooks)];
    }
  }

  #printNext(): string {
    const next = nextDeleteHooks(this.#plan, ({ key }) => this.#seen.get(key.name));
    if (next.kind === 'done') return '  done';
    if (next.kind === 'run') return `  run ${next.steps.map(describeStep).join(', ')}`;
    return `  ${next.kind}: ${next.message}`;
  }
}

function phaseOf(text: string): DeletePhase {
  return text === 'PreDelete' ? 'PreDelete' : 'PostDelete';
}

function observationOf([kind = '', ...why]: readonly string[]): StepObservation {
  const message = why.join(' ');
  if (kind === 'missed') return { kind, message };
  return { kind: kind === 'waiting' ? 'waiting' : 'reached', message };
}

function printCleaning(
  phase: DeletePhase,
  words: readonly string[],
  hooks: readonly HookObject[],
): string {
  const verdicts = new Map(words.map((word) => [word.split('=')[0], word.split('=')[1]]));
  const live = hooks.map(({ desired: { object } }): LiveHook => {
    const told = verdicts.get(object.metadata.name ?? '');
    return { object, verdict: told === 'bad' || told === 'open' ? told : 'good' };
  });
  const cleaned = hooksToClean(live, phase, VOCABULARY).map(({ metadata }) => metadata.name);
  return `  deletes ${cleaned.length === 0 ? 'nothing' : cleaned.join(', ')}`;
}

interface Command {
  readonly plan: SyncPlan;
  readonly progress: SyncProgress;
  readonly step: SyncStep | undefined;
  readonly why: string;
}

function perform(
  command: string,
  { plan, progress, step, why }: Command,
): { progress: SyncProgress; lines: string[] } {
  if (command === 'plan') return { progress, lines: [print(plan)] };
  if (command === 'next') return { progress, lines: [printNext(plan, progress)] };
  if (command === 'apply') {
    const next = nextSteps(plan, progress);
    if (next.kind === 'clean') {
      return {
        progress: next.steps.reduce(recordCleaned, progress),
        lines: [printNext(plan, progress)],
      };
    }
    assert.equal(next.kind, 'run', printNext(plan, progress));
    const steps = next.kind === 'run' ? next.steps : [];
    const after = steps.reduce(
      (current, one) =>
        recordResult(
          current,
          one,
          resultOf(
            one,
            one.refused ? 'prune skipped' : one.verb === 'prune' ? 'pruned' : 'configured',
            '',
          ),
        ),
      progress,
    );
    return { progress: after, lines: steps.map((one) => `  did ${describeStep(one)}`) };
  }
  assert.ok(step, `no step is named so for ${command}`);
  if (command === 'options') {
    const { replace, force, validate } = step.options;
    const told = Object.entries({ replace, force, validate }).filter(([, is]) => is);
    return { progress, lines: [`  ${told.map(([name]) => name).join(' ') || 'none'}`] };
  }
  if (command === 'fail')
    return { progress: recordResult(progress, step, resultOf(step, 'failed', why)), lines: [] };
  const kind = command === 'reach' ? 'reached' : command === 'miss' ? 'missed' : 'waiting';
  return { progress: recordObservation(progress, step, { kind, message: why }), lines: [] };
}

function resultOf(
  step: SyncStep,
  outcome: 'configured' | 'pruned' | 'prune skipped' | 'failed',
  message: string,
) {
  const live = outcome === 'configured' && step.object !== undefined ? { live: step.object } : {};
  return { stepId: step.id, key: step.key, outcome, message, ...live };
}

function print(plan: SyncPlan): string {
  const text = printPlan(plan);
  return text === '' ? '' : text.replace(/^/gm, '  ');
}

function printNext(plan: SyncPlan, progress: SyncProgress): string {
  const next = nextSteps(plan, progress);
  switch (next.kind) {
    case 'run':
    case 'clean':
      return `  ${next.kind} ${next.steps.map(describeStep).join(', ')}`;
    case 'wait':
      return `  wait (${next.why}): ${next.message}`;
    case 'finished':
      return `  finished ${next.outcome.kind}: ${next.outcome.message}`;
  }
}

function findStep(plan: SyncPlan, name: string): SyncStep {
  const step = stepsOf(plan).find(({ key }) => key.name === name);
  assert.ok(step, `no step for ${name}`);
  return step;
}

function addObject(words: readonly string[], entries: DiffEntry[], hooks: HookObject[]): void {
  const [apiVersion = '', kind = '', path = '', ...rest] = words;
  const [namespace, name] = path.includes('/') ? path.split('/') : [undefined, path];
  const flags = Object.fromEntries(
    rest
      .filter((word) => word.includes('='))
      .map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  );
  const verdict = VERDICTS.find((one) => rest.includes(one)) ?? 'missing';
  const annotations: { [name: string]: string } = {};
  for (const [flag, annotation] of Object.entries(FLAGS)) {
    const value = flags[flag];
    if (value !== undefined) annotations[annotation] = value;
  }
  const [group, crdKind] = (flags['crd'] ?? '').split('/');
  const spec: Json =
    flags['crd'] === undefined ? {} : { group: group ?? '', names: { kind: crdKind ?? '' } };
  const object: KubeObject = {
    apiVersion,
    kind,
    metadata: { name: name ?? '', ...(namespace === undefined ? {} : { namespace }), annotations },
    spec,
  };
  if (isHook(object, VOCABULARY)) hooks.push({ desired: { object } });
  else {
    const told = flags['live-options'];
    const { metadata } = object;
    const changed = { ...annotations, ...(told === undefined ? {} : { [FLAGS.options]: told }) };
    const live = { ...object, metadata: { ...metadata, annotations: changed } };
    entries.push(entryOf(object, verdict, live));
  }
}

const VERDICTS: readonly Verdict[] = ['missing', 'different', 'same', 'extra'];
const FLAGS = {
  wave: 'sync.example/wave',
  hook: 'sync.example/hook',
  delete: 'sync.example/hook-delete',
  options: 'sync.example/options',
} as const;

function entryOf(object: KubeObject, verdict: Verdict, live = object): DiffEntry {
  return {
    key: keyOf(object),
    verdict,
    differences: [],
    ...(verdict === 'extra' ? {} : { desired: { object } }),
    ...(verdict === 'missing' ? {} : { live }),
  };
}

function readPolicy(words: readonly string[], policy: SyncPolicy): SyncPolicy {
  let result = policy;
  for (const word of words) {
    const [name = '', value = ''] = word.split('=');
    if (name === 'namespace') result = { ...result, createNamespace: { name: value } };
    else if (name === 'select')
      result = {
        ...result,
        selected: [
          {
            group: '',
            kind: value.split('/')[0] ?? '',
            namespace: '',
            name: value.split('/')[1] ?? '',
          },
        ],
      };
    else
      result = { ...result, [name]: value === 'true' ? true : value === 'false' ? false : value };
  }
  return result;
}

function bigInput(count: number): { input: SyncInput; policy: SyncPolicy } {
  const entries: DiffEntry[] = [];
  const kinds = ['Deployment', 'Service', 'ConfigMap', 'Thing'];
  for (let i = 0; i < count; i++) {
    const object: KubeObject = {
      apiVersion: 'example/v1',
      kind: kinds[i % 4] ?? '',
      metadata: {
        name: `o${i}`,
        namespace: `n${i % 7}`,
        annotations: { 'sync.example/wave': String(i % 5) },
      },
    };
    entries.push(entryOf(object, i % 11 === 0 ? 'extra' : 'different'));
  }
  const hooks = ['PreSync', 'PostSync'].map((phase) => ({
    desired: {
      object: {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: phase, annotations: { 'sync.example/hook': phase } },
      },
    },
  }));
  return { input: { diff: { entries }, hooks }, policy: { ...POLICY, prune: true } };
}

function shuffle<T>(items: readonly T[], seed: number): T[] {
  const result = [...items];
  let state = seed;
  for (let i = result.length - 1; i > 0; i--) {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    const j = state % (i + 1);
    const [a, b] = [result[i], result[j]];
    if (a !== undefined && b !== undefined) {
      result[i] = b;
      result[j] = a;
    }
  }
  return result;
}
