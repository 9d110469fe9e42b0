/**
 * The judge: Kubernetes' own Go libraries (oracle/), built once into the cache of official programs and asked by JSON lines.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Json, JsonObject } from '@capstan/kube-object';
import { binaryDirectory } from '../tools/official.ts';

export interface SessionStep {
  readonly op: 'apply' | 'update';
  readonly manager: string;
  readonly force?: boolean;
  readonly subresource?: string;
  readonly object: JsonObject;
  readonly time: string;
}

export type Question =
  | {
      readonly op: 'session' | 'bench';
      readonly group: string;
      readonly version: string;
      readonly kind: string;
      readonly models?: Readonly<Record<string, JsonObject>>;
      readonly steps: readonly SessionStep[];
    }
  | { readonly op: TextOperation; readonly original: string }
  | {
      readonly op: PatchOperation;
      readonly group?: string;
      readonly version?: string;
      readonly kind?: string;
      readonly original?: Json;
      readonly modified?: Json;
      readonly current?: Json;
      readonly patch?: Json;
    };

export type TextOperation = 'quantity' | 'labelselector' | 'fieldselector' | 'duration' | 'names';

export type PatchOperation =
  | 'strategic'
  | 'twoway'
  | 'threeway'
  | 'jsonmerge'
  | 'createjsonmerge'
  | 'threewayjson'
  | 'jsonpatch';

export interface StepAnswer {
  readonly object?: JsonObject;
  readonly error?: string;
  readonly causes?: readonly string[];
}

export interface Answer {
  readonly steps?: readonly StepAnswer[];
  readonly result?: Json;
  readonly error?: string;
  /** The official library fell over. */
  readonly panic?: string;
}

const source = join(import.meta.dirname, 'oracle');

/** The oracle's path, built first if its sources have changed; throws if Go is not there. */
export function buildOracle(): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(source).sort()) hash.update(readFileSync(join(source, file)));
  const path = join(binaryDirectory(), `merge-oracle-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(path)) return path;
  mkdirSync(binaryDirectory(), { recursive: true });
  console.error('building the oracle of conformance/merge …');
  const scratch = `${path}.${process.pid}`;
  const { status, error } = spawnSync(
    'go',
    ['build', '-trimpath', '-ldflags=-s -w', '-o', scratch, '.'],
    {
      cwd: source,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, CGO_ENABLED: '0' },
    },
  );
  if (status !== 0)
    throw new Error(`cannot build the oracle: ${error?.message ?? `go ended with ${status}`}`);
  renameSync(scratch, path);
  return path;
}

export function whyNoOracle(): string | false {
  return spawnSync('go', ['version']).status === 0 ? false : 'no Go 1.26 (https://go.dev/dl)';
}

export interface Oracle extends AsyncDisposable {
  ask(question: Question): Promise<Answer>;
}

/** Starts the oracle; it ends with the scope. Questions may be asked without waiting for the answer to the one before. */
export function startOracle(): Oracle {
  const child = spawn(buildOracle(), { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting: ((answer: Answer) => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    waiting.shift()?.(JSON.parse(line) as Answer);
  });
  child.on('exit', () => {
    for (const resolve of waiting.splice(0)) resolve({ error: 'the oracle has ended' });
  });
  return {
    ask: (question) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        child.stdin.write(`${JSON.stringify(question)}\n`);
      }),
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await new Promise((resolve) => child.once('exit', resolve));
    },
  };
}
