import type { Application } from '@capstan/argocd-api';
import {
  actAs,
  type Cluster,
  type Delivery,
  type DeliveryPorts,
  serviceAccount,
} from '@capstan/engine-delivery';
import { type ChartOffer, type RenderSpec, rendersCharts } from '@capstan/engine-render';
import type { Snapshot } from '@capstan/engine-source';
import { CapstanError } from '@capstan/lib-std';
import type { ApplicationControllerPorts } from './application-controller.ts';
import { joinTraces, resolveSource } from './late-source.ts';
import { plainVersion } from './plain-version.ts';
import { isSourcePermitted } from './project-guard.ts';
import { dependencyAccess, NO_TRUST } from './repositories.ts';
import { type LoweringContext, renderContext, type ServiceAccount } from './to-delivery.ts';
import type { ApplicationDeliverySource } from './to-sources.ts';

/** Renders each source as its folder says, too: overrides and the build environment are known only with its files. */
export function renderLate(
  ports: DeliveryPorts,
  app: Application,
  {
    context,
    sources,
    hard = false,
  }: {
    readonly context: LoweringContext;
    readonly sources: readonly ApplicationDeliverySource[];
    /** Nothing that was rendered before is taken. */
    readonly hard?: boolean;
  },
): DeliveryPorts {
  const origins = new Map(sources.map(({ render, origin }) => [render, origin]));
  return {
    ...ports,
    render: async (snapshot, spec, asked) => {
      const access = { ...asked, accessTo: accessFor(app, context) };
      const options = hard ? { ...access, fresh: true } : access;
      const origin = origins.get(spec);
      if (origin === undefined) return ports.render(snapshot, spec, options);
      const late = resolveSource(origin, snapshot, renderContext(app, context, 'spec.source'));
      const offered = await offerFor(snapshot, late.spec, {
        cluster: () => ports.cluster,
        signal: asked.signal,
      });
      const rendered = await ports.render(snapshot, late.spec, { ...options, ...offered });
      return { ...rendered, trace: joinTraces(rendered.trace, late.trace) };
    },
  };
}

/** What the destination offers to charts, where there are any. */
export async function offerFor(
  { files }: Snapshot,
  spec: RenderSpec,
  { cluster, signal }: { readonly cluster: () => Cluster; readonly signal: AbortSignal },
): Promise<{ readonly offered?: ChartOffer }> {
  if (!rendersCharts(files, spec)) return {};
  const offered = await cluster().offered({ signal });
  return { offered: { ...offered, kubeVersion: plainVersion(offered.kubeVersion) } };
}

/** Credentials for what sources refer to: those of repositories that the project permits. */
export function accessFor(
  { spec }: Application,
  {
    project,
    credentials,
    trust = NO_TRUST,
  }: Pick<LoweringContext, 'project' | 'credentials' | 'trust'>,
): RenderOptions['accessTo'] {
  return (url) => {
    const isPermitted = project === undefined || isSourcePermitted(project.spec, url);
    const place = { url, project: spec.project };
    return dependencyAccess(place, { credentials: isPermitted ? credentials : [], trust });
  };
}

type RenderOptions = Required<Pick<Parameters<DeliveryPorts['render']>[2], 'accessTo'>>;

/** Its cluster, acted on as the account that the project names for the destination. */
export function portsFor(
  delivery: Delivery,
  ports: ApplicationControllerPorts,
  account: ServiceAccount | undefined,
): DeliveryPorts {
  const found = clusterOf(delivery, ports);
  const cluster = account ? actAs(found, serviceAccount(account.namespace, account.name)) : found;
  const { sources, render, clock, verdicts, dependencies } = ports;
  return {
    sources,
    render,
    clock,
    verdicts,
    cluster,
    ...(dependencies === undefined ? {} : { dependencies }),
  };
}

/** The cluster of a delivery, acted on as the control plane itself. */
export function clusterOf(
  delivery: Delivery,
  { clusters }: Pick<ApplicationControllerPorts, 'clusters'>,
): Cluster {
  const found = clusters.get(delivery.destination.cluster);
  if (found === undefined) throw unconnected(delivery);
  return found;
}

function unconnected({ destination }: Delivery): CapstanError {
  return new CapstanError('CLUSTER_UNKNOWN', `cluster ${destination.cluster} is not connected`, {
    kind: 'wait',
  });
}
