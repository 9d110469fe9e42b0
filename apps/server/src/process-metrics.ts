import type { Cluster } from '@capstan/engine-delivery';
import type { Registry } from '@capstan/kube-controller';

/** What the process and its caches weigh; read when somebody asks. */
export function registerProcessMetrics(
  registry: Registry,
  clusters: () => readonly Cluster[],
): void {
  registry.gaugeFrom('process_resident_memory_bytes', 'Resident memory size in bytes.', () => [
    [{}, process.memoryUsage.rss()],
  ]);
  registry.gaugeFrom('capstan_live_objects', 'Objects held by the watch cache.', () =>
    clusters().map(({ name, live }) => [{ cluster: name }, live.size().objects]),
  );
  registry.gaugeFrom('capstan_live_bytes', 'Text held by the watch cache, in characters.', () =>
    clusters().map(({ name, live }) => [{ cluster: name }, live.size().storedChars]),
  );
  registry.gaugeFrom(
    'capstan_live_kinds',
    'Kinds followed by a watch, by the state of the watch.',
    () => clusters().flatMap(kindsOf),
  );
}

function kindsOf({ name, live }: Cluster) {
  const counts = new Map<string, number>();
  for (const { state } of live.watched()) counts.set(state.kind, (counts.get(state.kind) ?? 0) + 1);
  return [...counts].map(([state, count]) => [{ cluster: name, state }, count] as const);
}
