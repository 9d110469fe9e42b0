/** For tests: what stands outside of a control plane, for generators that ask there. */
import type { Json, JsonObject } from '@capstan/kube-object';
import { generateApplications } from '../generate-applications.ts';
import type { Outside } from '../observation.ts';
import { createHttpPort } from '../scm/http-port.ts';
import { applicationSetLanguage } from '../template-functions.ts';
import { makeSet, surroundingsOf, TEMPLATE } from './generate.ts';
import { type StandIn, type StandInAnswer, startStandIn } from './stand-in.ts';

export const CLUSTERS = ['one', 'two'].map((name) => ({
  name,
  server: `https://${name}.example.com`,
  project: '',
  labels: {},
  annotations: {},
}));

interface Given {
  readonly generator: JsonObject;
  readonly text: string;
  readonly goTemplate?: boolean;
  readonly outside?: Partial<Outside>;
}

/** What a text in the template becomes for each set of parameters; the message when there are none. */
export async function texts({
  generator,
  text,
  goTemplate = true,
  outside = {},
}: Given): Promise<readonly string[] | string> {
  const set = makeSet({
    generators: [generator] as Json,
    goTemplate,
    template: { ...TEMPLATE, metadata: { name: 'a', annotations: { text } } },
  });
  const found = await generateApplications(set, {
    surroundings: {
      ...surroundingsOf({ clusters: CLUSTERS }),
      outside: { ...outsideWorld(), ...outside },
    },
    language: applicationSetLanguage(),
    now: () => 0,
  });
  if (found.kind === 'failed') return found.error.message;
  return found.applications.map(({ metadata }) => metadata.annotations?.['text'] ?? '');
}

export function outsideWorld(): Outside {
  const missing = async (): Promise<never> => {
    throw new Error('not given');
  };
  return {
    http: createHttpPort({ signal: new AbortController().signal }),
    pluginHttp: createHttpPort({ signal: new AbortController().signal }),
    scm: { enabled: true, allowedProviders: [] },
    aws: {
      region: 'eu-west-1',
      credentials: async () => ({ accessKeyId: 'AKID', secretAccessKey: 'secret' }),
    },
    now: () => Date.parse('2024-05-06T07:08:09Z'),
    secretValue: async ({ secretName, key }) => `${secretName}.${key}`,
    configMapValue: missing,
    controlConfigMap: missing,
    controlSecretValue: async ({ secretName, key }) => `${secretName}.${key}`,
    githubApp: missing,
    rootCertificates: async () => '',
    listResources: missing,
  };
}

export const tokenRef = { secretName: 'scm', key: 'token' };
export const ALL =
  '{{.organization}}/{{.repository}}#{{.repository_id}} {{.url}} {{.branch}} {{.short_sha}} {{.labels}}';

export const repository = (name: string, extra: JsonObject = {}): JsonObject => ({
  id: name.length,
  name,
  owner: { login: 'org' },
  default_branch: 'main',
  ssh_url: `git@git.example.com:org/${name}.git`,
  clone_url: `https://git.example.com/org/${name}.git`,
  topics: [],
  ...extra,
});

/** GitHub: two pages of repositories; `old` is archived, `empty` has no branch. */
export function github(path: string, url: string): StandInAnswer | undefined {
  const page2 = `${url}/api/v3/orgs/org/repos?per_page=100&page=2`;
  const answers: Readonly<Record<string, StandInAnswer>> = {
    '/api/v3/orgs/org/repos?per_page=100': {
      headers: { link: `<${page2}>; rel="next", <${page2}>; rel="last"` },
      json: [repository('api', { topics: ['go', 'team'] }), repository('old', { archived: true })],
    },
    '/api/v3/orgs/org/repos?per_page=100&page=2': {
      json: [repository('web'), repository('empty')],
    },
    '/api/v3/repos/org/api/branches/main': {
      json: { name: 'main', commit: { sha: 'a'.repeat(40) } },
    },
    '/api/v3/repos/org/old/branches/main': {
      json: { name: 'main', commit: { sha: 'b'.repeat(40) } },
    },
    '/api/v3/repos/org/web/branches/main': {
      json: { name: 'main', commit: { sha: 'c'.repeat(40) } },
    },
    '/api/v3/repos/org/web/branches?per_page=100': {
      json: [
        { name: 'main', commit: { sha: 'c'.repeat(40) } },
        { name: 'next', commit: { sha: 'd'.repeat(40) } },
      ],
    },
    '/api/v3/repos/org/web/contents/deploy/app?ref=next': { json: [] },
    '/api/v3/repos/org/api/pulls?per_page=100': {
      json: [
        pull(7, 'feature/Grün_1', ['preview']),
        pull(8, 'fix', []),
        pull(9, 'feature/other', ['preview', 'x']),
      ],
    },
  };
  return answers[path];
}

export const pull = (number: number, branch: string, labels: readonly string[]): JsonObject => ({
  number,
  title: `Change ${number}`,
  head: { ref: branch, sha: String(number).repeat(40) },
  base: { ref: 'main' },
  user: { login: 'dev' },
  labels: labels.map((name) => ({ name })),
});

export async function withStandIn<T>(
  answer: (path: string, url: string) => StandInAnswer | undefined,
  run: (standIn: StandIn) => Promise<T>,
): Promise<T> {
  await using standIn = await startStandIn(({ path }, url) => answer(path, url));
  return await run(standIn);
}
