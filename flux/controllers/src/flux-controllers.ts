import { type DeliveryLook, persist } from '@capstan/engine-delivery';
import { TreeArchiver } from '@capstan/engine-source/store';
import { EXTENSIONS_GROUP, KUSTOMIZE_GROUP, SOURCE_GROUP } from '@capstan/flux-api';
import type { LiveState } from '@capstan/kube-client';
import type { Controller, ControllerRuntime, EventRecorder } from '@capstan/kube-controller';
import type { FileTree } from '@capstan/lib-files';
import { ControlState, type NamedKey } from './control-state.ts';
import { createArtifactGeneratorController } from './generators/artifact-generator-controller.ts';
import { CloudIdentities } from './identity/cloud-identities.ts';
import {
  createKustomizationController,
  type KustomizationPorts,
} from './kustomization-controller.ts';
import type { ArtifactPort } from './sources/artifact-port.ts';
import { createBucketController } from './sources/buckets.ts';
import { createGitRepositoryController } from './sources/git-repositories.ts';
import { createOciRepositoryController } from './sources/oci-repositories.ts';

export interface FluxPorts extends Omit<KustomizationPorts, 'events' | 'identities'> {
  /** Where sources keep their artifacts. */
  readonly artifacts: ArtifactPort;
  /** In [0, 1); spreads what is due at the same time. */
  readonly random: () => number;
  /** One recorder for each of Flux's components. */
  readonly events: {
    readonly source: EventRecorder;
    readonly kustomize: EventRecorder;
    readonly watcher: EventRecorder;
  };
  /** Of the sources, where it is not that of the others. */
  readonly sourceRuntime?: ControllerRuntime;
  /** A cache of the cluster that holds Flux's kinds whole; absent: they are watched once more. */
  readonly shared?: LiveState;
}

export interface FluxControllers {
  run(options: { readonly signal: AbortSignal }): Promise<void>;
  /** A Kustomization as the engine takes it, for a look that changes nothing; undefined while that is not known. */
  lookUp(
    key: NamedKey,
    options: { readonly signal: AbortSignal },
  ): Promise<DeliveryLook | undefined>;
  /** Resolves when nothing is queued or running. */
  idle(): Promise<void>;
}

interface Started {
  readonly kind: string;
  readonly group: string;
  readonly controller: Controller<NamedKey>;
  start(): () => void;
}

const CONFIGURATION = [
  { group: '', kind: 'ConfigMap' },
  { group: '', kind: 'Secret' },
];

/** The controllers of sources and Kustomizations over one cache of Flux's own resources. */
export function createFluxControllers(ports: FluxPorts): FluxControllers {
  const control = new ControlState(ports.client, ports.shared);
  const archiver = new TreeArchiver();
  const identities = new CloudIdentities(ports);
  const { runtime, sourceRuntime = runtime } = ports;
  const sourcePorts = {
    ...ports,
    identities,
    ...(sourceRuntime === undefined ? {} : { runtime: sourceRuntime }),
    events: ports.events.source,
    pack: (tree: FileTree, scope?: string) => archiver.archive(tree, scope),
  };
  const kustomizations = createKustomizationController(
    { ...ports, identities, events: ports.events.kustomize },
    control,
  );
  const started: readonly Started[] = [
    {
      kind: 'GitRepository',
      group: SOURCE_GROUP,
      ...createGitRepositoryController(sourcePorts, control),
    },
    {
      kind: 'OCIRepository',
      group: SOURCE_GROUP,
      ...createOciRepositoryController(sourcePorts, control),
    },
    { kind: 'Bucket', group: SOURCE_GROUP, ...createBucketController(sourcePorts, control) },
    {
      kind: 'ArtifactGenerator',
      group: EXTENSIONS_GROUP,
      ...createArtifactGeneratorController(
        { ...sourcePorts, events: ports.events.watcher },
        control,
      ),
    },
    { kind: 'Kustomization', group: KUSTOMIZE_GROUP, ...kustomizations },
  ];
  return {
    async run({ signal }) {
      const stops = started.map(({ start }) => start());
      try {
        await persist(() => control.start({ signal }), { clock: ports.clock, signal });
        // For those that ask to be watched; without the right to list them, values are read at the interval.
        await ports.cluster.live.ensure(CONFIGURATION, { signal });
        for (const { kind, group, controller } of started) {
          for (const key of control.keys(kind, group)) controller.enqueue(key, { priority: -100 });
        }
        await Promise.all(started.map(({ controller }) => controller.run({ signal })));
      } finally {
        for (const stop of stops) stop();
        await control.live[Symbol.asyncDispose]();
      }
    },
    lookUp: (key, { signal }) => kustomizations.lookUp(key, signal),
    async idle() {
      for (const { controller } of started) await controller.idle();
    },
  };
}
