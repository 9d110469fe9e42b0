import type { Application } from '@capstan/argocd-api';
import { type DeliveryPorts, withReferences } from '@capstan/engine-delivery';
import type { DesiredObject } from '@capstan/engine-render';
import type { Snapshot, SourceSpec } from '@capstan/engine-source';
import { CapstanError } from '@capstan/lib-std';
import { resolveSource } from './late-source.ts';
import type { Settings } from './settings.ts';
import { renderContext, sourcesOf, toDeliverySources } from './to-delivery.ts';

export interface RenderApplicationOptions {
  readonly settings: Settings;
  readonly controlNamespace: string;
  readonly fetch: (source: SourceSpec) => Promise<Snapshot>;
  readonly render: DeliveryPorts['render'];
  readonly signal: AbortSignal;
}

/**
 * The objects of an Application, rendered as its controller renders them, without a project and without a cluster: for plans
 * and previews. A hydrated one is rendered from its dry source. Throws a CapstanError for what cannot be rendered.
 */
export async function renderApplication(
  app: Application,
  options: RenderApplicationOptions,
): Promise<readonly DesiredObject[]> {
  const { settings, controlNamespace, signal } = options;
  const { sourceHydrator } = app.spec;
  const wanted = sourceHydrator === undefined ? sourcesOf(app) : [sourceHydrator.drySource];
  const context = { project: undefined, credentials: [], settings, controlNamespace };
  const sources = toDeliverySources(wanted, app, context);
  const fetch = async (index: number): Promise<Snapshot> => {
    const source = sources[index];
    if (source === undefined) throw new CapstanError('SPEC_INVALID', 'there is no such source');
    return options.fetch(source.source);
  };
  const objects: DesiredObject[] = [];
  for (const [index, { render, origin }] of sources.entries()) {
    if (render === undefined || origin === undefined) continue;
    const whole = await withReferences(await fetch(index), render, { sources, fetch });
    const late = resolveSource(origin, whole, renderContext(app, context, 'spec.source'));
    const rendered = await options.render(whole, late.spec, { signal });
    const problem = rendered.diagnostics.find(({ severity }) => severity === 'error');
    if (problem !== undefined) throw new CapstanError(problem.code, problem.message);
    objects.push(...rendered.objects);
  }
  return objects;
}
