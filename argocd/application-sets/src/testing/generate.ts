import type { ApplicationSet, AppProject } from '@capstan/argocd-api';
import type { Json, JsonObject } from '@capstan/kube-object';
import { type MemoryFiles, memoryTree } from '@capstan/lib-files';
import { type Generation, generateApplications } from '../generate-applications.ts';
import type { RegisteredCluster, Surroundings } from '../observation.ts';
import { parseSet } from '../set-state.ts';
import { applicationSetLanguage } from '../template-functions.ts';

export const DEFAULT_PROJECT: AppProject = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AppProject',
  metadata: { name: 'default', namespace: 'argocd' },
  spec: { sourceRepos: ['*'] },
};

export const TEMPLATE: JsonObject = {
  metadata: { name: '{{name}}' },
  spec: {
    project: 'default',
    source: { repoURL: 'https://git.example.com/a.git', path: '.', targetRevision: 'main' },
    destination: { server: 'https://kubernetes.default.svc', namespace: 'a' },
  },
};

export function makeSet(spec: JsonObject, metadata: JsonObject = {}): ApplicationSet {
  return parseSet({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name: 'set', namespace: 'argocd', uid: 'u-set', ...metadata },
    spec: { template: TEMPLATE, generators: [], ...spec },
  });
}

export interface World {
  readonly clusters?: readonly RegisteredCluster[];
  readonly projects?: readonly AppProject[];
  readonly files?: MemoryFiles;
  readonly spansFolders?: boolean;
}

export function surroundingsOf({
  clusters = [],
  projects,
  files = {},
  spansFolders = false,
}: World): Surroundings {
  const known = projects ?? [DEFAULT_PROJECT];
  const tree = memoryTree(files);
  return {
    clusters,
    project: (name) => known.find(({ metadata }) => metadata.name === name),
    spansFolders,
    readRepository: async () => tree,
  };
}

export function generate(set: ApplicationSet, world: World = {}): Promise<Generation> {
  let nowMs = 1_700_000_000_000;
  return generateApplications(set, {
    surroundings: surroundingsOf(world),
    language: applicationSetLanguage(),
    now: () => (nowMs += 0.001),
  });
}

/** The given text rendered for each set of parameters, as the description of an application would have it. */
export async function generateTexts(
  text: string,
  {
    world = {},
    ...spec
  }: { readonly world?: World; readonly [field: string]: Json | World | undefined },
): Promise<readonly string[] | string> {
  const template = { ...TEMPLATE, metadata: { name: 'a', annotations: { text } } };
  const { goTemplate, goTemplateOptions, generators } = spec;
  const set = makeSet({
    generators: generators as Json,
    template,
    ...(goTemplate === undefined ? {} : { goTemplate: goTemplate as Json }),
    ...(goTemplateOptions === undefined ? {} : { goTemplateOptions: goTemplateOptions as Json }),
  });
  const result = await generate(set, world);
  if (result.kind === 'failed') return result.error.message;
  return result.applications.map(({ metadata }) => metadata.annotations?.['text'] ?? '');
}
