import type { Application } from '@capstan/argocd-api';
import type { Clock } from '@capstan/lib-std';
import type { ClusterDirectory } from './clusters.ts';
import type { ControlState } from './control-state.ts';
import type { LoweringContext } from './to-delivery.ts';

export interface ContextBench {
  readonly ports: { readonly clusters: ClusterDirectory; readonly clock: Clock };
  readonly control: ControlState;
  readonly controlNamespace: string;
}

/** What an application is lowered with, as it stands now. */
export function contextOf(
  app: Application,
  { control, ports, controlNamespace }: ContextBench,
): LoweringContext {
  return {
    controlNamespace,
    project: control.project(app.spec.project),
    credentials: control.credentials(),
    clusters: ports.clusters.list(),
    settings: control.settings(),
    nowMs: ports.clock.now(),
    trust: control.trust(),
    keys: control.keys(),
  };
}
