import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ArtifactGenerator } from '@capstan/flux-api';
import { memoryTree } from '@capstan/lib-files';
import { artifactRequests } from './path-pattern.ts';
import { validateGenerator } from './validate-generator.ts';

const TREE = memoryTree({
  'apps/Web/envs/prod/a.yaml': '',
  'apps/Web/envs/dev/a.yaml': '',
  'apps/db/envs/prod/a.yaml': '',
  'apps/db/README.md': '',
});

const generator = (spec: Partial<ArtifactGenerator['spec']>): ArtifactGenerator => ({
  apiVersion: 'source.extensions.fluxcd.io/v1beta1',
  kind: 'ArtifactGenerator',
  metadata: { name: 'g', namespace: 'apps' },
  spec: {
    sources: [{ alias: 'git', kind: 'GitRepository', name: 'repo' }],
    artifacts: [],
    ...spec,
  },
  status: {},
});

/** Names, sources of copies, and labels; or the complaint. */
function expand(pathPattern: string, name: string, from = '@git/apps/{app}/envs/{env}/**'): string {
  const artifacts = [{ name, copy: [{ from, to: '@artifact/' }] }];
  try {
    return artifactRequests(generator({ pathPattern, artifacts }), new Map([['git', TREE]]))
      .map(
        ({ output, labels }) => `${output.name} ${output.copy[0]?.from} ${JSON.stringify(labels)}`,
      )
      .join('\n');
  } catch (error) {
    return (error as Error).message.replace(/^pathPattern "[^"]*": /, '');
  }
}

test('each folder that matches gives its artifacts, named in lower case', () => {
  assert.equal(
    expand('@git/apps/{app}/envs/{env}', '{app}-{env}'),
    [
      'web-dev @git/apps/Web/envs/dev/** {"app":"web","env":"dev"}',
      'web-prod @git/apps/Web/envs/prod/** {"app":"web","env":"prod"}',
      'db-prod @git/apps/db/envs/prod/** {"app":"db","env":"prod"}',
    ].join('\n'),
  );
  assert.equal(expand('@git/none/{app}', '{app}'), '');
});

test('what cannot be expanded is said', () => {
  const table: readonly (readonly [string, string, string, string?])[] = [
    ['apps/{app}', '{app}', 'invalid pathPattern format: apps/{app}'],
    ['@oci/apps/{app}', '{app}', 'source alias oci not found in local sources'],
    ['@git/apps/{app', '{app}', 'invalid capture starting at offset 5: missing closing brace'],
    ['@git/apps/app}', 'x', 'invalid capture ending at offset 8: missing opening brace'],
    ['@git/apps/{}', 'x', 'empty capture variable'],
    ['@git/{a}/{a}', 'x', 'duplicate capture variable "a"'],
    [
      '@git/apps/{1}',
      'x',
      'capture variable "1" must be a valid capture name matching [A-Za-z_][A-Za-z0-9_]*',
    ],
    [
      '@git/apps/{app}',
      'x',
      'directories "apps/Web" and "apps/db" both resolve to artifact name "x"',
      '@git/apps',
    ],
    [
      '@git/apps/{app}',
      '{env}',
      'failed to render artifact {env} for match apps/Web: invalid template "{env}": capture variable "env" is not defined by pathPattern',
    ],
  ];
  for (const [pattern, name, want, from] of table) {
    assert.equal(expand(pattern, name, from), want, pattern);
  }
});

test('a specification that can never be followed is told at once', () => {
  const source = { alias: 'git', kind: 'GitRepository', name: 'repo' };
  const copy = [{ from: '@git/**', to: '@artifact/' }];
  const table: readonly (readonly [Partial<ArtifactGenerator['spec']>, string | undefined])[] = [
    [{ artifacts: [{ name: 'a', copy }] }, undefined],
    [{ sources: [source, source] }, "ValidationFailed duplicate source alias 'git' found"],
    [
      {
        artifacts: [
          { name: 'a', copy },
          { name: 'a', copy },
        ],
      },
      "ValidationFailed duplicate artifact name 'a' found",
    ],
    [
      { artifacts: [{ name: 'a', revision: '@oci', copy }] },
      "ValidationFailed artifact a revision source alias 'oci' not found",
    ],
    [
      { sources: [{ ...source, namespace: 'other' }] },
      'AccessDenied cross-namespace reference to source GitRepository/other/repo is not allowed',
    ],
  ];
  for (const [spec, want] of table) {
    const found = validateGenerator(generator(spec), { noCrossNamespaceRefs: true });
    assert.equal(found === undefined ? undefined : `${found.reason} ${found.message}`, want);
  }
});
