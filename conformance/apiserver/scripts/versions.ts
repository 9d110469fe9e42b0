import type { Script } from '@capstan/kube-apiserver/testing';

/** Custom resources whose versions know and default different fields, written and read through each. */
export function versionsScript(): Script {
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const own = `${definitions}/turns.example.com`;
  const [first, second] = ['/apis/example.com/v1/turns', '/apis/example.com/v1beta1/turns'];
  const turn = (version: string, name: string, spec?: object) => ({
    apiVersion: `example.com/${version}`,
    kind: 'Turn',
    metadata: { name },
    ...(spec === undefined ? {} : { spec }),
  });
  const merge = { method: 'PATCH', type: 'application/merge-patch+json' };
  const apply = { method: 'PATCH', type: 'application/apply-patch+yaml' };
  const definition = (stored: string, more: object = {}) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'turns.example.com' },
    spec: {
      group: 'example.com',
      names: { kind: 'Turn', plural: 'turns' },
      scope: 'Cluster',
      versions: [
        versionOf('v1', stored, {
          spec: { default: {}, ...fields({ both: {}, one: { default: 'from v1' }, ...more }) },
          status: fields({ first: { default: 'status of v1' } }),
        }),
        versionOf('v1beta1', stored, {
          spec: fields({ both: {}, two: { default: 'from v1beta1' } }),
          status: fields({ second: { default: 'status of v1beta1' } }),
        }),
      ],
    },
  });
  const redefine = (stored: string) => ({
    ...merge,
    path: own,
    body: { spec: { versions: definition(stored, { later: { default: 'later' } }).spec.versions } },
    settleMs: 2500,
    ignore: ['status', 'metadata.managedFields'],
  });
  const reads = ['a', 'b', 'empty'].flatMap((name) =>
    [first, second].map((path) => ({ method: 'GET', path: `${path}/${name}` })),
  );
  return {
    name: 'versions',
    steps: [
      {
        method: 'POST',
        path: definitions,
        body: definition('v1'),
        settleMs: 2500,
        ignore: ['status', 'metadata.managedFields'],
      },
      { method: 'POST', path: `${second}?dryRun=All`, body: turn('v1beta1', 'a', { both: 'x' }) },
      { method: 'POST', path: second, body: turn('v1beta1', 'a', { both: 'x' }) },
      { method: 'POST', path: first, body: turn('v1', 'b', { both: 'x' }) },
      { method: 'POST', path: second, body: turn('v1beta1', 'empty') },
      ...reads,
      { ...merge, path: `${second}/b`, body: { spec: { two: 'mine' } } },
      { ...merge, path: `${second}/a/status`, body: { status: { second: 'mine' } } },
      { ...apply, path: `${second}/b?fieldManager=m`, body: turn('v1beta1', 'b', { two: 'mine' }) },
      { ...apply, path: `${first}/b?fieldManager=m`, body: turn('v1', 'b', { one: 'mine' }) },
      ...reads,
      redefine('v1'),
      ...reads,
      { ...merge, path: `${first}/a`, body: { spec: { both: 'x' } } },
      redefine('v1beta1'),
      ...reads,
      { ...merge, path: `${first}/a`, body: { spec: { both: 'y' } } },
      ...reads,
      { method: 'GET', path: second },
    ],
  };
}

function fields(properties: Readonly<Record<string, object>>) {
  const typed = Object.entries(properties).map(([name, more]) => [
    name,
    { type: 'string', ...more },
  ]);
  return { type: 'object', properties: Object.fromEntries(typed) as Record<string, object> };
}

function versionOf(name: string, stored: string, properties: object) {
  return {
    name,
    served: true,
    storage: name === stored,
    subresources: { status: {} },
    schema: { openAPIV3Schema: { type: 'object', properties } },
  };
}
