import { type FieldTrace, persist } from '@capstan/engine-delivery';
import type { FieldQuestion } from '@capstan/engine-render';
import { parseHelmRelease } from '@capstan/flux-api';
import {
  CloudIdentities,
  type DestinationPorts,
  type FluxSettings,
  type NamedKey,
} from '@capstan/flux-controllers';
import type { ArtifactStorage } from '@capstan/flux-server';
import type { LiveState } from '@capstan/kube-client';
import type { Controller, ControllerRuntime, EventRecorder } from '@capstan/kube-controller';
import type { FileTree } from '@capstan/lib-files';
import type { Clock } from '@capstan/lib-std';
import { type ArtifactReader, ChartCache } from './chart-cache.ts';
import { HelmControlState } from './control-state.ts';
import { createHelmChartController } from './helm-chart-controller.ts';
import { createHelmReleaseController } from './helm-release-controller.ts';
import { createHelmRepositoryController } from './helm-repository-controller.ts';
import { releaseExpressions } from './release-expressions.ts';
import { traceReleaseField } from './trace-release-field.ts';

export interface HelmPorts extends Omit<DestinationPorts, 'identities'> {
  readonly artifacts: ArtifactStorage;
  /** A cache of the cluster that holds Flux's kinds whole; absent: they are watched once more. */
  readonly shared?: LiveState;
  /** The files in a tar.gz archive. */
  readonly unpack: (bytes: Uint8Array) => Promise<FileTree>;
  /** Reads artifacts that are not in `artifacts`: those that another controller serves. */
  readonly fetchArtifact?: ArtifactReader;
  /** One recorder for each of Flux's components. */
  readonly events: { readonly source: EventRecorder; readonly helm: EventRecorder };
  readonly clock: Clock;
  readonly runtime?: ControllerRuntime;
  readonly settings?: FluxSettings;
}

export interface HelmControllers {
  run(options: { readonly signal: AbortSignal }): Promise<void>;
  /** Which lines made a field of an object of a HelmRelease; undefined while its chart or its values are not known. */
  traceField(
    key: NamedKey,
    question: FieldQuestion,
    options: { readonly signal: AbortSignal },
  ): Promise<FieldTrace | undefined>;
  /** Resolves when nothing is queued or running. */
  idle(): Promise<void>;
}

/** The controllers of HelmRepository, HelmChart and HelmRelease over one cache of Flux's own resources. */
export function createHelmControllers(ports: HelmPorts): HelmControllers {
  const control = new HelmControlState(ports.client, ports.shared);
  const charts = new ChartCache(async (artifact, options) => {
    const own = await ports.artifacts.read(ports.artifacts.urlOf(artifact.path));
    return own ?? (await ports.fetchArtifact?.(artifact, options));
  });
  const identities = new CloudIdentities(ports);
  const source = { ...ports, control, identities, events: ports.events.source };
  const expressions = releaseExpressions();
  const controllers: readonly {
    readonly kind: string;
    readonly controller: Controller<NamedKey>;
    start(): () => void;
  }[] = [
    { kind: 'HelmRepository', ...createHelmRepositoryController(source) },
    { kind: 'HelmChart', ...createHelmChartController(source) },
    {
      kind: 'HelmRelease',
      ...createHelmReleaseController({
        ...ports,
        control,
        charts,
        identities,
        expressions,
        events: ports.events.helm,
      }),
    },
  ];
  return {
    async run({ signal }) {
      const stops = controllers.map((one) => one.start());
      try {
        await persist(() => control.start({ signal }), { clock: ports.clock, signal });
        for (const { kind, controller } of controllers) {
          for (const key of control.keys(kind)) controller.enqueue(key, { priority: -100 });
        }
        await Promise.all(controllers.map(({ controller }) => controller.run({ signal })));
      } finally {
        for (const stop of stops) stop();
        await control.live[Symbol.asyncDispose]();
      }
    },
    async traceField(key, question, { signal }) {
      const found = control.find('HelmRelease', key);
      const parsed = found && parseHelmRelease(found);
      if (parsed?.kind !== 'ok') return undefined;
      const isReadyByExpression = expressions.isReady;
      const { tenancy = {} } = ports;
      const observed = { ...ports, tenancy, control, charts, isReadyByExpression, signal };
      return await traceReleaseField(parsed.value, question, observed);
    },
    async idle() {
      for (const { controller } of controllers) await controller.idle();
    },
  };
}
