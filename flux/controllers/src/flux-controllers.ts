import { type ObjectInsight, persist } from '@capstan/engine-delivery';
import type { EventRecorder } from '@capstan/kube-controller';
import type { ObjectKey } from '@capstan/kube-object';
import { ControlState, type NamedKey } from './control-state.ts';
import { createGitRepositoryController } from './git-repository-controller.ts';
import {
  createKustomizationController,
  type KustomizationPorts,
} from './kustomization-controller.ts';

export interface FluxPorts extends Omit<KustomizationPorts, 'events'> {
  /** One recorder for each of Flux's components. */
  readonly events: { readonly source: EventRecorder; readonly kustomize: EventRecorder };
}

export interface FluxControllers {
  run(options: { readonly signal: AbortSignal }): Promise<void>;
  /** What is desired of one object of a Kustomization, and where it differs. */
  inspect(
    key: NamedKey,
    object: ObjectKey,
    options: { readonly signal: AbortSignal },
  ): Promise<ObjectInsight | undefined>;
  /** Resolves when nothing is queued or running. */
  idle(): Promise<void>;
}

const CONFIGURATION = [
  { group: '', kind: 'ConfigMap' },
  { group: '', kind: 'Secret' },
];

/** The controllers of GitRepository and Kustomization over one cache of Flux's own resources. */
export function createFluxControllers(ports: FluxPorts): FluxControllers {
  const control = new ControlState(ports.client);
  const repositories = createGitRepositoryController(
    { ...ports, events: ports.events.source },
    control,
  );
  const kustomizations = createKustomizationController(
    { ...ports, events: ports.events.kustomize },
    control,
  );
  return {
    async run({ signal }) {
      const stops = [repositories.start(), kustomizations.start()];
      try {
        await persist(() => control.start({ signal }), { clock: ports.clock, signal });
        // For those that ask to be watched; without the right to list them, values are read at the interval.
        await ports.cluster.live.ensure(CONFIGURATION, { signal });
        for (const key of control.keys('GitRepository'))
          repositories.controller.enqueue(key, { priority: -100 });
        for (const key of control.keys('Kustomization'))
          kustomizations.controller.enqueue(key, { priority: -100 });
        await Promise.all([
          repositories.controller.run({ signal }),
          kustomizations.controller.run({ signal }),
        ]);
      } finally {
        for (const stop of stops) stop();
        await control.live[Symbol.asyncDispose]();
      }
    },
    inspect: (key, object, { signal }) => kustomizations.inspect(key, object, signal),
    async idle() {
      await repositories.controller.idle();
      await kustomizations.controller.idle();
    },
  };
}
