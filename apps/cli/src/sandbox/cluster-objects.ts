import type { KubeClient } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';

/** Resources that tell of a moment, or that the sandbox makes itself. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'events',
  'endpointslices',
  'endpoints',
  'leases',
  'componentstatuses',
  'apiservices',
  'flowschemas',
  'prioritylevelconfigurations',
]);

/** Every object of a cluster that the client may list, definitions of custom resources first. */
export async function* clusterObjects(
  client: KubeClient,
  signal: AbortSignal,
): AsyncGenerator<KubeObject> {
  const kinds = await client.discovery.kinds({ signal });
  const listable = kinds.filter(
    (kind) => kind.verbs.includes('list') && !LEFT_OUT.has(kind.resource),
  );
  const isDefinition = (name: string): boolean => name === 'customresourcedefinitions';
  const ordered = [
    ...listable.filter((kind) => isDefinition(kind.resource)),
    ...listable.filter((kind) => !isDefinition(kind.resource)),
  ];
  const seen = new Set<string>();
  for (const kind of ordered) {
    const name = `${kind.group}/${kind.resource}`;
    if (seen.has(name)) continue;
    seen.add(name);
    for await (const page of client.listPages(kind, { signal })) yield* page.items;
  }
}
