import type { Script } from '@capstan/kube-apiserver/testing';

/** How a CustomResourceDefinition goes while one of its objects is held. */
export function definitionEndScript(): Script {
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const own = `${definitions}/ends.example.com`;
  const path = '/apis/example.com/v1/ends';
  const end = (name: string, finalizers: readonly string[] = []) => ({
    apiVersion: 'example.com/v1',
    kind: 'End',
    metadata: { name, finalizers },
  });
  const schema = { openAPIV3Schema: { type: 'object' } };
  return {
    name: 'definition-end',
    steps: [
      {
        method: 'POST',
        path: definitions,
        body: {
          apiVersion: 'apiextensions.k8s.io/v1',
          kind: 'CustomResourceDefinition',
          metadata: { name: 'ends.example.com' },
          spec: {
            group: 'example.com',
            names: { kind: 'End', plural: 'ends' },
            scope: 'Cluster',
            versions: [{ name: 'v1', served: true, storage: true, schema }],
          },
        },
        settleMs: 2500,
        // The names are accepted within the write here.
        ignore: ['status', 'metadata.managedFields'],
      },
      { method: 'POST', path, body: end('held', ['example.com/hold']) },
      { method: 'POST', path, body: end('free') },
      { method: 'DELETE', path: own, settleMs: 2500, ignore: ['metadata.managedFields'] },
      { method: 'POST', path, body: end('late') },
      { method: 'GET', path: `${path}/free` },
      { method: 'GET', path: `${path}/held` },
      {
        method: 'PATCH',
        path: `${path}/held`,
        type: 'application/merge-patch+json',
        body: { metadata: { finalizers: null } },
        settleMs: 8000,
      },
      { method: 'GET', path: own },
      { method: 'GET', path },
    ],
  };
}
