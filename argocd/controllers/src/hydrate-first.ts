/** Hydration as a reconcile sees it: what has to be committed before an application is looked at. */
import { ANNOTATION, type Application, type SourceHydratorStatus } from '@capstan/argocd-api';
import type { SourceSpec } from '@capstan/engine-source';
import { CapstanError } from '@capstan/lib-std';
import type { ApplicationControllerPorts } from './application-controller.ts';
import { clusterOf } from './delivery-ports.ts';
import { type HydratedApplication, hydrate, hydrationKey } from './hydrate.ts';
import { type ContextBench, contextOf } from './lowering-context.ts';
import { type LoweringContext, toDelivery, toDeliverySources } from './to-delivery.ts';

export interface HydrationBench extends ContextBench {
  readonly ports: Pick<
    ApplicationControllerPorts,
    'clusters' | 'clock' | 'render' | 'sources' | 'writer'
  >;
  /** Between two looks at a remote. */
  readonly pollIntervalMs: () => number;
  /** What is being committed, by branch. */
  readonly hydrations: Map<string, Promise<void>>;
}

/** Brings the rendered state to its branch, before that is looked at; together with all that go to the same branch. */
export async function hydrateFirst(
  app: Application,
  bench: HydrationBench,
  signal: AbortSignal,
): Promise<SourceHydratorStatus | undefined> {
  const { control, ports, hydrations } = bench;
  const { sourceHydrator: hydrator } = app.spec;
  if (hydrator === undefined || ports.writer === undefined) return undefined;
  if (!control.settings().hydrator.enabled) return undefined;
  if (!mayHydrate(app, bench)) return undefined;
  const { annotations } = app.metadata;
  const isAsked = annotations?.[ANNOTATION.hydrate] !== undefined;
  const isRefreshed = isAsked || annotations?.[ANNOTATION.refresh] !== undefined;
  const { render, sources, writer, clock } = ports;
  const key = hydrationKey(hydrator);
  const run = async () =>
    hydrate(
      {
        app,
        context: contextOf(app, bench),
        hydrator,
        group: groupOf(key, bench),
        writeCredentials: control.writeCredentials(),
        settings: control.settings().hydrator,
        isAsked,
        maxAgeMs: isRefreshed ? 0 : bench.pollIntervalMs() / 2,
        signal,
      },
      {
        sources,
        writer,
        render,
        clusterOf: (one) => clusterOf(toDelivery(one.app, one.context), ports),
        now: () => clock.now(),
      },
    );
  // One commit at a time to a branch.
  const before = hydrations.get(key) ?? Promise.resolve();
  const own = before.then(run, run);
  const settled = own.then(
    () => undefined,
    () => undefined,
  );
  hydrations.set(key, settled);
  void settled.then(() => {
    if (hydrations.get(key) === settled) hydrations.delete(key);
  });
  return own;
}

/** Nothing is written for an application that may not be delivered: the look that follows says why. */
function mayHydrate(app: Application, bench: HydrationBench): boolean {
  try {
    return !toDelivery(app, contextOf(app, bench)).suspended;
  } catch (error) {
    if (error instanceof CapstanError) return false;
    throw error;
  }
}

function groupOf(key: string, bench: HydrationBench): readonly HydratedApplication[] {
  const { control } = bench;
  return control.applications().flatMap((other) => {
    const object = control.read(other);
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) return [];
    const app = control.parse(object);
    const { sourceHydrator } = app.spec;
    if (sourceHydrator === undefined || hydrationKey(sourceHydrator) !== key) return [];
    return [{ app, context: contextOf(app, bench) }];
  });
}

/** What a hydrated application is made from is followed as well. */
export function drySpecs(app: Application, context: LoweringContext): readonly SourceSpec[] {
  const { sourceHydrator } = app.spec;
  if (sourceHydrator === undefined) return [];
  return toDeliverySources([sourceHydrator.drySource], app, context).map(({ source }) => source);
}
