/** Random substitutions and builds, ours beside those of Flux's own packages. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { renderManifests, substituteText } from '@capstan/engine-render';
import { parseKustomization } from '@capstan/flux-api';
import { toDelivery } from '@capstan/flux-controllers';
import { KUSTOMIZE_VERSION } from '@capstan/kube-kustomize';
import type { JsonObject } from '@capstan/kube-object';
import { memoryTree } from '@capstan/lib-files';
import { formatDiagnostic, messageOf } from '@capstan/lib-std';
import { nodeToValue, parseDocuments } from '@capstan/lib-yaml';
import { Choice } from '../tools/choice.ts';
import { ownProgram } from '../tools/own-program.ts';
import { type BuildCase, randomBuild } from './random-kustomization.ts';
import { randomText, type TextCase } from './random-text.ts';

/** What came of a question on one side; '' where there is no error. */
interface Outcome {
  readonly out: string;
  readonly error: string;
}

export interface Comparison {
  readonly seed: number;
  readonly question: TextCase | BuildCase;
  readonly theirs: Outcome;
  readonly ours: Outcome;
  /** Both give the same, or both refuse. */
  readonly agrees: boolean;
}

/** The oracle's program; undefined without Go. */
export function oracleProgram(): string | undefined {
  return ownProgram(join(import.meta.dirname, 'oracle'), 'flux-build-oracle');
}

/**
 * Substitutions have to fail in the same words too. Questions that the original does not survive are left out, and those of which
 * it leaves half a character (docs/differences).
 */
export function compareTexts(program: string, seeds: readonly number[]): readonly Comparison[] {
  const cases = seeds.map((seed) => randomText(new Choice(seed)));
  const answers = ask(
    program,
    cases.map(({ text, variables, strict }) => ({
      Text: text,
      Variables: variables,
      Strict: strict,
    })),
  );
  return seeds.flatMap((seed, index) => {
    const question = cases[index] as TextCase;
    const { panic, out, error } = answers[index] as Answer;
    if (panic || out.includes('\ufffd')) return [];
    const ours = attempt(() => substituteText(question.text, question));
    const theirs = { out, error };
    const agrees = out === ours.out && error === ours.error;
    return [{ seed, question, theirs, ours, agrees }];
  });
}

/** Builds that fail may tell so in other words: those of kustomize are compared by its own suite. */
export function compareBuilds(program: string, seeds: readonly number[]): readonly Comparison[] {
  const root = mkdtempSync(join(tmpdir(), 'capstan-flux-build-'));
  try {
    const cases = seeds.map((seed) => randomBuild(new Choice(seed)));
    const questions = cases.map(({ files, spec }, index) => {
      const folder = join(root, String(index));
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
      return { Root: folder, Path: 'app', Object: kustomization(spec), Strict: true };
    });
    const answers = ask(program, questions);
    return seeds.map((seed, index) => {
      const question = cases[index] as BuildCase;
      const answer = answers[index] as Answer;
      const theirs = {
        out: answer.error === '' ? canonical(objectsOf(answer.out)) : '',
        error: answer.error,
      };
      const ours = attempt(() => canonical(build(question)));
      const agrees = theirs.out === ours.out && (theirs.error === '') === (ours.error === '');
      return { seed, question, theirs, ours, agrees };
    });
  } finally {
    rmSync(root, { recursive: true });
  }
}

interface Answer extends Outcome {
  readonly panic?: boolean;
}

function ask(program: string, questions: readonly object[]): readonly Answer[] {
  const input = questions.map((question) => `${JSON.stringify(question)}\n`).join('');
  const { stdout, stderr } = spawnSync(program, { input, encoding: 'utf8', maxBuffer: 1 << 30 });
  const answers = stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Answer);
  if (answers.length !== questions.length) throw new Error(`the oracle ended early: ${stderr}`);
  return answers;
}

function attempt(run: () => string): Outcome {
  try {
    return { out: run(), error: '' };
  } catch (error) {
    return { out: '', error: messageOf(error) };
  }
}

function kustomization(spec: JsonObject) {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'k', namespace: 'flux-system' },
    spec,
  };
}

/** The objects that a Kustomization of ours would apply. */
function build({ files, spec }: BuildCase): readonly unknown[] {
  const parsed = parseKustomization(kustomization(spec));
  if (parsed.kind !== 'ok') throw new Error(`${parsed.field} ${parsed.message}`);
  const { postBuild } = parsed.value.spec;
  const delivery = toDelivery(parsed.value, {
    source: {
      kind: 'git',
      url: 'https://example.com/r',
      revision: { kind: 'branch', branch: 'main' },
    },
    variables: postBuild && (postBuild.substitute ?? {}),
  });
  const tree = memoryTree(files);
  const render = delivery.sources[0]?.render;
  if (render === undefined) throw new Error('no source');
  const snapshot = {
    source: 'r',
    revision: REVISION,
    digest: tree.stat('')?.id ?? '',
    files: tree,
  };
  const { objects, diagnostics } = renderManifests(snapshot, { ...render, path: 'app' });
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(errors.map(formatDiagnostic).join('; '));
  return objects.map(({ object }) => object);
}

const REVISION = { id: 'a'.repeat(40), name: 'main' };

/** In `managedByLabel`: a program that only links kustomize has no version, and gives a label that no server takes. */
const NO_VERSION = /\bkustomize-\(devel\)/g;

function objectsOf(yaml: string): readonly unknown[] {
  return parseDocuments(yaml.replace(NO_VERSION, `kustomize-${KUSTOMIZE_VERSION}`))
    .map((document) => nodeToValue(document))
    .filter((value) => value !== null);
}

/** The order of objects is that of their application, and not compared. */
function canonical(objects: readonly unknown[]): string {
  return objects
    .map((object) => JSON.stringify(object, sortedKeys))
    .sort()
    .join('\n');
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
