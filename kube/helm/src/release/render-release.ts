import type { Json } from '@capstan/kube-object';
import { formatApiVersion } from '@capstan/kube-object';
import { GoError, type GoValue, int64 } from '@capstan/lib-gotemplate';
import { messageOf } from '@capstan/lib-std';
import { type Capabilities, defaultCapabilities, type HelmFlavor } from '../capabilities.ts';
import type { Chart, Values } from '../chart.ts';
import type { Lookup } from '../helm-functions.ts';
import type { PostRenderer } from '../post-render.ts';
import {
  type ChartLanguage,
  type ReleaseInfo,
  type RenderedChart,
  type RenderOptions,
  renderChart,
} from '../render-chart.ts';
import { codeOf, type ReleaseCluster, type ReleasePorts, serverMessage } from './cluster-port.ts';
import type { ReleaseHook } from './release.ts';
import { ReleaseError } from './release-error.ts';

export interface RenderReleaseOptions {
  readonly flavor?: HelmFlavor;
  readonly skipSchemaValidation?: boolean;
  readonly subNotes?: boolean;
  readonly language?: ChartLanguage;
  readonly postRenderer?: PostRenderer;
  readonly signal?: AbortSignal;
}

/** What a render needs of the world: it reads only. */
export interface RenderPorts extends Pick<ReleasePorts, 'cluster' | 'warn'> {
  readonly clock: Pick<ReleasePorts['clock'], 'now'>;
}

const LOOKUP_ROUNDS_MAX = 10;
const LOOKUPS_MAX = 1_000;

/** Renders a chart for the cluster that it goes to: its version, its kinds, and `lookup` answered by it. */
export async function renderRelease(
  chart: Chart,
  values: Values,
  options: RenderReleaseOptions & { readonly release: ReleaseInfo },
  ports: RenderPorts,
): Promise<{ readonly rendered: RenderedChart; readonly manifest: string }> {
  const capabilities = await clusterCapabilities(ports.cluster, options.flavor ?? 4);
  const rendered = await renderWithLookups(chart, values, { ...options, capabilities }, ports);
  return { rendered, manifest: rendered.yaml };
}

/**
 * Renders a chart with `lookup` answered by the cluster. Templates cannot wait, so a render asks, the answers are fetched,
 * and it is rendered again, until nothing new is asked.
 */
export async function renderWithLookups(
  chart: Chart,
  values: Values,
  options: RenderOptions,
  ports: RenderPorts,
): Promise<RenderedChart> {
  const answers = new Map<string, GoValue | GoError>();
  for (let round = 0; ; round++) {
    const asked = new Map<string, Parameters<Lookup>[0]>();
    const lookup: Lookup = (query) => {
      const key = JSON.stringify([query.apiVersion, query.kind, query.namespace, query.name]);
      if (!answers.has(key)) asked.set(key, query);
      const found = answers.get(key) ?? {};
      if (found instanceof GoError) throw found;
      return found;
    };
    const attempt = attemptRender(() =>
      renderChart(chart, values, {
        ...options,
        lookup,
        now: () => ports.clock.now(),
        ...(ports.warn === undefined ? {} : { warn: ports.warn }),
      }),
    );
    if (asked.size === 0 || round >= LOOKUP_ROUNDS_MAX) {
      if (attempt.kind === 'failed') throw attempt.error;
      return attempt.rendered;
    }
    if (answers.size + asked.size > LOOKUPS_MAX) {
      throw new ReleaseError(
        'RELEASE_LOOKUPS',
        `the chart looks up more than ${LOOKUPS_MAX} objects`,
      );
    }
    for (const [key, query] of asked) answers.set(key, await answer(query, ports.cluster));
  }
}

type Attempt =
  | { readonly kind: 'rendered'; readonly rendered: RenderedChart }
  | { readonly kind: 'failed'; readonly error: unknown };

/** A failure may come of an answer that was still missing. */
function attemptRender(render: () => RenderedChart): Attempt {
  try {
    return { kind: 'rendered', rendered: render() };
  } catch (error) {
    return { kind: 'failed', error };
  }
}

async function answer(
  { apiVersion, kind, namespace, name }: Parameters<Lookup>[0],
  cluster: ReleaseCluster,
): Promise<GoValue | GoError> {
  const place = namespace === '' ? {} : { namespace };
  try {
    if (name !== '') {
      const found = await cluster.find({ apiVersion, kind, name, ...place });
      return found === undefined ? {} : toGo(found);
    }
    const { items, resourceVersion } = await cluster.list({ apiVersion, kind }, place);
    return toGo({ apiVersion, kind: `${kind}List`, metadata: { resourceVersion }, items });
  } catch (error) {
    const code = codeOf(error);
    if (code === 'KIND_NOT_SERVED') return unknownKind({ apiVersion, kind }, cluster);
    // What the server refuses is an error of the template that asks.
    if (code === 'FORBIDDEN') return new GoError(serverMessage(error));
    throw new ReleaseError('RELEASE_LOOKUP', `lookup of ${kind} ${name}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** The original answers nothing for a kind that its group does not have, and fails for a group that is not served. */
async function unknownKind(
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
  cluster: ReleaseCluster,
): Promise<GoValue | GoError> {
  const kinds = await cluster.discovery.kinds({ allVersions: true });
  if (kinds.some((served) => formatApiVersion(served) === apiVersion)) return {};
  const shown = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
  return new GoError(
    `unable to get apiresource from unstructured: ${shown}, Kind=${kind}: the server could not find the requested resource`,
  );
}

/** An object of the cluster as templates see it: whole numbers are int64. */
function toGo(value: Json | undefined): GoValue {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? int64(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map(toGo);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toGo(item)]));
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** What the cluster offers, as charts ask for it. */
export async function clusterCapabilities(
  cluster: ReleaseCluster,
  flavor: HelmFlavor = 4,
): Promise<Capabilities> {
  try {
    const { gitVersion } = await cluster.discovery.version();
    const kinds = await cluster.discovery.kinds({ allVersions: true });
    const apiVersions = new Set<string>();
    for (const { group, version, kind } of kinds) {
      const apiVersion = formatApiVersion({ group, version });
      apiVersions.add(apiVersion).add(`${apiVersion}/${kind}`);
    }
    const { helmVersion } = defaultCapabilities(flavor);
    return { kubeVersion: gitVersion, apiVersions: [...apiVersions], helmVersion };
  } catch (error) {
    throw new ReleaseError(
      'CLUSTER_UNREACHABLE',
      `kubernetes cluster unreachable: ${messageOf(error)}`,
      {
        kind: 'retry',
        cause: error,
      },
    );
  }
}

/** The hooks of a render as a release records them. */
export function releaseHooks(rendered: RenderedChart): readonly ReleaseHook[] {
  return rendered.hooks.map((hook) => ({
    name: hook.name,
    kind: hook.kind,
    path: hook.path,
    manifest: hook.content,
    events: hook.events,
    weight: hook.weight,
    deletePolicies: hook.deletePolicies,
    outputLogPolicies: hook.outputLogPolicies,
    lastRun: { startedAt: '', completedAt: '', phase: '' },
  }));
}
