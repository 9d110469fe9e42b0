/** For tests: an Application, and what it is lowered with. */
import assert from 'node:assert/strict';
import { type Application, type ApplicationStatus, parseApplication } from '@capstan/argocd-api';
import type { Json, KubeObject } from '@capstan/kube-object';
import { IN_CLUSTER } from '../clusters.ts';
import { DEFAULT_PROJECT_SPEC } from '../project-guard.ts';
import { readSettings } from '../settings.ts';
import type { LoweringContext } from '../to-delivery.ts';

export type Fields = { readonly [key: string]: Json };

export const SOURCE = { repoURL: 'https://git.example.com/a.git', path: 'app' };
export const CONTEXT: LoweringContext = {
  controlNamespace: 'argocd',
  project: {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'default' },
    spec: DEFAULT_PROJECT_SPEC,
  },
  credentials: [],
  clusters: [IN_CLUSTER],
  settings: readSettings({}),
  nowMs: Date.parse('2024-05-06T12:00:00Z'),
};

export function application(part: {
  readonly spec?: Fields;
  readonly metadata?: Fields;
  readonly operation?: Fields;
  readonly status?: ApplicationStatus;
}): Application {
  const object: KubeObject = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'web', namespace: 'argocd', ...part.metadata },
    spec: {
      project: 'default',
      destination: { server: IN_CLUSTER.server, namespace: 'prod' },
      ...(part.spec?.['sources'] ? {} : { source: SOURCE }),
      ...part.spec,
    },
    ...(part.operation === undefined ? {} : { operation: part.operation }),
    ...(part.status === undefined ? {} : { status: part.status }),
  };
  const parsed = parseApplication(object);
  assert.equal(parsed.kind, 'ok');
  return parsed.kind === 'ok' ? parsed.value : assert.fail();
}
