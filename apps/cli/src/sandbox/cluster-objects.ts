import type { KubeClient } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';

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

/** Every object of a cluster that the client may list; the resources that it may not are told. */
export async function* clusterObjects(
  client: KubeClient,
  options: { readonly signal: AbortSignal; readonly onForbidden: (resource: string) => void },
): AsyncGenerator<KubeObject> {
  const { signal } = options;
  const kinds = await client.discovery.kinds({ signal });
  const seen = new Set<string>();
  for (const kind of kinds) {
    const name = kind.group === '' ? kind.resource : `${kind.resource}.${kind.group}`;
    if (seen.has(name) || !kind.verbs.includes('list') || LEFT_OUT.has(kind.resource)) continue;
    seen.add(name);
    try {
      for await (const page of client.listPages(kind, { signal })) yield* page.items;
    } catch (error) {
      if (!(error instanceof CapstanError && error.code === 'FORBIDDEN')) throw error;
      options.onForbidden(name);
    }
  }
}
