import type { Script, Step } from '@capstan/kube-apiserver/testing';
import { prepare, TABLE } from './kinds.ts';

const map = (name: string, data: Record<string, string> = { a: 'b' }) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

function script(name: string, steps: (path: string, namespace: string) => Step[]): Script {
  const namespace = `p-${name}`;
  return {
    name: `protocol-${name}`,
    steps: [
      ...prepare(namespace),
      ...steps(`/api/v1/namespaces/${namespace}/configmaps`, namespace),
    ],
  };
}

/** What holds for all kinds: discovery, lists, versions, selectors, negotiation, limits, broken input. */
export function protocolScripts(): Script[] {
  return [
    {
      name: 'discovery',
      steps: [
        { method: 'GET', path: '/api' },
        { method: 'GET', path: '/apis/apps' },
        { method: 'GET', path: '/apis/autoscaling' },
        { method: 'GET', path: '/apis/apps/v1' },
        { method: 'GET', path: '/apis/batch/v1' },
        { method: 'GET', path: '/api/v1' },
        { method: 'GET', path: '/apis/rbac.authorization.k8s.io/v1' },
        { method: 'GET', path: '/apis/networking.k8s.io/v1' },
        { method: 'GET', path: '/apis/nope' },
        { method: 'GET', path: '/apis/apps/v9' },
        { method: 'GET', path: '/apis/apps/v1/nopes' },
        { method: 'GET', path: '/api/v1/nopes' },
        { method: 'GET', path: '/nope' },
        { method: 'GET', path: '/healthz' },
        { method: 'GET', path: '/readyz' },
        { method: 'GET', path: '/livez' },
      ],
    },
    script('lists', (path) => [
      ...['a', 'b', 'c', 'd', 'e'].map(
        (name): Step => ({
          method: 'POST',
          path,
          body: {
            ...map(name),
            metadata: {
              name,
              labels: { letter: name, even: name === 'b' || name === 'd' ? 'yes' : 'no' },
            },
          },
        }),
      ),
      {
        method: 'GET',
        path: `${path}?limit=2`,
        keep: { next: 'metadata.continue', rv: 'metadata.resourceVersion' },
      },
      { method: 'DELETE', path: `${path}/d` },
      {
        method: 'GET',
        path: `${path}?limit=2&continue={{next}}`,
        keep: { after: 'metadata.continue' },
      },
      { method: 'GET', path: `${path}?limit=2&continue={{after}}` },
      // The text speaks of how the token is encoded.
      { method: 'GET', path: `${path}?limit=2&continue=nonsense`, ignore: ['message'] },
      { method: 'GET', path: `${path}?limit=2&continue={{next}}&resourceVersion={{rv}}` },
      { method: 'GET', path: `${path}?resourceVersion={{rv}}&resourceVersionMatch=Exact` },
      { method: 'GET', path: `${path}?resourceVersion={{rv}}&resourceVersionMatch=NotOlderThan` },
      { method: 'GET', path: `${path}?resourceVersionMatch=Exact` },
      { method: 'GET', path: `${path}?resourceVersion=0&resourceVersionMatch=Exact` },
      { method: 'GET', path: `${path}?resourceVersion=1&resourceVersionMatch=Nonsense` },
      { method: 'GET', path: `${path}?resourceVersion=abc` },
      { method: 'GET', path: `${path}?limit=abc` },
      { method: 'GET', path: `${path}?labelSelector=letter in (a,b)` },
      { method: 'GET', path: `${path}?labelSelector=letter notin (a,b)` },
      { method: 'GET', path: `${path}?labelSelector=even=yes` },
      { method: 'GET', path: `${path}?labelSelector=even!=yes,letter` },
      { method: 'GET', path: `${path}?labelSelector=!even` },
      { method: 'GET', path: `${path}?labelSelector=a b c` },
      { method: 'GET', path: `${path}?labelSelector=letter in (` },
      { method: 'GET', path: `${path}?labelSelector=even=-bad-` },
      { method: 'GET', path: `${path}?fieldSelector=metadata.name=a` },
      { method: 'GET', path: `${path}?fieldSelector=metadata.name!=a` },
      { method: 'GET', path: `${path}?fieldSelector=data.a=b` },
      { method: 'GET', path: `${path}?fieldSelector=nonsense` },
      { method: 'GET', path: `${path}?limit=1`, accept: TABLE },
      {
        method: 'GET',
        path,
        accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
      },
      { method: 'DELETE', path: `${path}?labelSelector=even=no` },
      { method: 'GET', path },
    ]),
    script('watch', (path) => [
      { method: 'POST', path, body: map('a'), keep: { first: 'metadata.resourceVersion' } },
      {
        method: 'PATCH',
        path: `${path}/a`,
        type: 'application/merge-patch+json',
        body: { data: { a: 'c' } },
      },
      { method: 'POST', path, body: map('b') },
      { method: 'DELETE', path: `${path}/b` },
      { method: 'GET', path: `${path}?watch=1&resourceVersion={{first}}&timeoutSeconds=1` },
      { method: 'GET', path: `${path}?watch=1&resourceVersion=0&timeoutSeconds=1` },
      { method: 'GET', path: `${path}?watch=1&fieldSelector=metadata.name=a&timeoutSeconds=1` },
      {
        method: 'GET',
        path: `${path}?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1`,
      },
      { method: 'GET', path: `${path}?watch=1&sendInitialEvents=true&timeoutSeconds=1` },
      { method: 'GET', path: `${path}?watch=1&timeoutSeconds=1`, accept: TABLE },
      {
        method: 'GET',
        path: `${path}?watch=1&resourceVersion=1&timeoutSeconds=1`,
        ignore: ['message'],
      },
    ]),
    script('negotiation', (path) => [
      { method: 'GET', path, accept: 'application/xml' },
      { method: 'GET', path, accept: '*/*' },
      { method: 'GET', path, accept: 'application/json;as=Nonsense;v=v1;g=meta.k8s.io' },
      { method: 'POST', path, body: map('a'), type: 'text/plain' },
      { method: 'POST', path, body: map('a'), type: 'application/xml' },
      {
        method: 'POST',
        path,
        body: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  a: b\n',
        type: 'application/yaml',
      },
      { method: 'PATCH', path: `${path}/yaml`, body: {}, type: 'application/json' },
      { method: 'PATCH', path: `${path}/yaml`, body: {}, type: 'text/plain' },
    ]),
    script('broken', (path) => [
      { method: 'POST', path, body: '{' },
      { method: 'POST', path, body: '[]' },
      { method: 'POST', path, body: '"text"' },
      { method: 'POST', path, body: '', type: 'application/json' },
      {
        method: 'POST',
        path,
        body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":1}}',
      },
      {
        method: 'POST',
        path,
        body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":["a"]}',
      },
      { method: 'POST', path, body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":"x"}' },
      // The real server reads it as a Secret first.
      { method: 'POST', path, body: { ...map('x'), kind: 'Secret' }, ignore: ['message'] },
      { method: 'POST', path, body: { ...map('x'), apiVersion: 'v2' } },
      { method: 'POST', path, body: { ...map('x'), apiVersion: 'apps/v1' } },
      { method: 'POST', path, body: { ...map('x'), metadata: { name: 'x', namespace: 'other' } } },
      { method: 'POST', path, body: { ...map('x'), metadata: {} } },
      {
        method: 'POST',
        path,
        body: { ...map('x'), metadata: { name: 'x', resourceVersion: '7' } },
      },
      { method: 'POST', path, body: { ...map('x'), metadata: { generateName: 'gen-' } } },
      { method: 'POST', path: `${path}?dryRun=Some`, body: map('x') },
      { method: 'POST', path: `${path}?fieldValidation=Some`, body: map('x') },
      { method: 'POST', path: `${path}?fieldManager=${'x'.repeat(130)}`, body: map('x') },
      {
        method: 'POST',
        path: `${path}?fieldValidation=Strict`,
        body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":"1","a":"2"}}',
      },
      {
        method: 'POST',
        path: `${path}?fieldValidation=Warn`,
        body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"twice"},"data":{"a":"1","a":"2"}}',
      },
      {
        method: 'POST',
        path,
        body: {
          ...map('x'),
          metadata: { name: 'x', labels: { ok: 'bad value!' } },
        },
      },
      {
        method: 'POST',
        path,
        body: { ...map('x'), metadata: { name: 'x', annotations: { 'bad key!': 'v' } } },
      },
      {
        method: 'POST',
        path,
        body: { ...map('x'), metadata: { name: 'x', finalizers: ['nodomain'] } },
      },
      {
        method: 'POST',
        path,
        body: {
          ...map('x'),
          metadata: { name: 'x', ownerReferences: [{ apiVersion: 'v1', kind: 'Pod' }] },
        },
      },
      { method: 'POST', path, body: map('x', { 'bad key!': 'v' }) },
      { method: 'POST', path: '/api/v1/namespaces/absent/configmaps', body: map('x') },
      { method: 'POST', path, body: map('real') },
      { method: 'PUT', path: `${path}/real`, body: map('other') },
      { method: 'PUT', path: `${path}/real`, body: { ...map('real'), metadata: {} } },
      {
        method: 'PUT',
        path: `${path}/real`,
        body: { ...map('real'), metadata: { name: 'real', uid: 'other' } },
      },
      { method: 'PUT', path: `${path}/absent`, body: map('absent') },
      { method: 'PATCH', path: `${path}/real`, type: 'application/merge-patch+json', body: '{' },
      { method: 'PATCH', path: `${path}/real`, type: 'application/merge-patch+json', body: '[]' },
      { method: 'PATCH', path: `${path}/real`, type: 'application/json-patch+json', body: '{}' },
      {
        method: 'PATCH',
        path: `${path}/real`,
        type: 'application/json-patch+json',
        body: [{ op: 'remove', path: '/data/none' }],
      },
      {
        method: 'PATCH',
        path: `${path}/real`,
        type: 'application/json-patch+json',
        body: [{ op: 'nonsense', path: '/data' }],
      },
      {
        method: 'PATCH',
        path: `${path}/real`,
        type: 'application/json-patch+json',
        body: [{ op: 'replace', path: '/metadata/name', value: 'x' }],
      },
      {
        method: 'PATCH',
        path: `${path}/real`,
        type: 'application/merge-patch+json',
        body: { data: { a: 5 } },
        // Shows the whole object in the order of Go's fields.
        ignore: ['message', 'details'],
      },
      {
        method: 'PATCH',
        path: `${path}/real`,
        type: 'application/merge-patch+json',
        body: { metadata: { resourceVersion: '1' } },
      },
      {
        method: 'PATCH',
        path: `${path}/real`,
        type: 'application/apply-patch+yaml',
        body: map('real'),
      },
      {
        method: 'PATCH',
        path: `${path}/real?fieldManager=m`,
        type: 'application/apply-patch+yaml',
        body: 'a: [',
      },
      {
        method: 'PATCH',
        path: `${path}/real?fieldManager=m`,
        type: 'application/apply-patch+yaml',
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'other' } },
      },
      {
        method: 'PATCH',
        path: `${path}/real?fieldManager=m`,
        type: 'application/apply-patch+yaml',
        body: {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'real', managedFields: [] },
        },
      },
      {
        method: 'PATCH',
        path: `${path}/real?force=true`,
        type: 'application/merge-patch+json',
        body: {},
      },
      { method: 'PATCH', path: `${path}/absent`, type: 'application/merge-patch+json', body: {} },
      { method: 'DELETE', path: `${path}/real?propagationPolicy=Nonsense` },
      { method: 'POST', path: `${path}/real`, body: {} },
      { method: 'PUT', path, body: map('x') },
      { method: 'PATCH', path, body: {}, type: 'application/merge-patch+json' },
    ]),
    // Too large to be recorded.
    {
      name: 'live-limits',
      steps: [
        ...prepare('live-limits'),
        ...((path: string): Step[] => [
          {
            method: 'POST',
            path,
            body: `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"big"},"data":{"a":"${'x'.repeat(3_200_000)}"}}`,
          },
          {
            method: 'POST',
            path,
            body: map('long', { a: 'x'.repeat(1_100_000) }),
            ignore: ['message', 'details'],
          },
          // Deeper than any object: refused by both, in words of their own.
          {
            method: 'POST',
            path,
            body: `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"deep"},"data":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`,
            ignore: ['message'],
          },
        ])('/api/v1/namespaces/live-limits/configmaps'),
      ],
    },
    script('apply', (path) => [
      {
        method: 'PATCH',
        path: `${path}/s?fieldManager=one`,
        type: 'application/apply-patch+yaml',
        body: map('s', { a: '1', b: '1' }),
      },
      {
        method: 'PATCH',
        path: `${path}/s?fieldManager=two`,
        type: 'application/apply-patch+yaml',
        body: map('s', { a: '2' }),
      },
      {
        method: 'PATCH',
        path: `${path}/s?fieldManager=two&force=true`,
        type: 'application/apply-patch+yaml',
        body: map('s', { a: '2' }),
      },
      {
        method: 'PATCH',
        path: `${path}/s?fieldManager=one`,
        type: 'application/apply-patch+yaml',
        body: map('s', { b: '1' }),
      },
      {
        method: 'PATCH',
        path: `${path}/s?fieldManager=one`,
        type: 'application/apply-patch+yaml',
        body: map('s', {}),
      },
      {
        method: 'PATCH',
        path: `${path}/s?fieldManager=three`,
        type: 'application/merge-patch+json',
        body: { data: { a: '3', c: '3' } },
      },
      {
        method: 'PATCH',
        path: `${path}/s?fieldManager=two`,
        type: 'application/apply-patch+yaml',
        body: map('s', { a: '2', c: '4' }),
      },
      { method: 'GET', path: `${path}/s` },
    ]),
    script('lifecycle', (path) => [
      {
        method: 'POST',
        path,
        body: { ...map('f'), metadata: { name: 'f', finalizers: ['example.com/hold'] } },
      },
      { method: 'DELETE', path: `${path}/f` },
      { method: 'DELETE', path: `${path}/f` },
      {
        method: 'PATCH',
        path: `${path}/f`,
        type: 'application/merge-patch+json',
        body: { metadata: { finalizers: ['example.com/hold', 'example.com/more'] } },
      },
      {
        method: 'PATCH',
        path: `${path}/f`,
        type: 'application/merge-patch+json',
        body: { data: { x: 'y' } },
      },
      {
        method: 'PATCH',
        path: `${path}/f`,
        type: 'application/merge-patch+json',
        body: { metadata: { finalizers: null } },
      },
      { method: 'GET', path: `${path}/f` },
      { method: 'POST', path, body: map('o') },
      { method: 'DELETE', path: `${path}/o`, body: { propagationPolicy: 'Orphan' } },
      { method: 'POST', path, body: map('fg') },
      { method: 'DELETE', path: `${path}/fg`, body: { propagationPolicy: 'Foreground' } },
      { method: 'POST', path, body: map('rv') },
      { method: 'DELETE', path: `${path}/rv`, body: { preconditions: { resourceVersion: '1' } } },
      { method: 'DELETE', path: '/api/v1/namespaces/p-lifecycle' },
      { method: 'POST', path, body: map('late') },
      { method: 'GET', path: '/api/v1/namespaces/p-lifecycle' },
    ]),
  ];
}
