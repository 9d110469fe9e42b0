import type { KubeObject } from '@capstan/kube-object';
import type { HelmFlavor } from '../capabilities.ts';
import { type Chart, type ChartCrd, chartCrds, type Values } from '../chart.ts';
import { processDependencies } from '../process-dependencies.ts';
import { type ReleasePorts, serverMessage } from './cluster-port.ts';
import type { OperationOptions } from './operation.ts';
import { ReleaseError } from './release-error.ts';
import { readObjects, refOf } from './release-objects.ts';
import { waitUntilReady } from './wait.ts';

/** `create` leaves those that exist as they are (Helm's own way), `replace` brings them up to date. */
export type CrdPolicy = 'skip' | 'create' | 'replace';

export interface CrdOptions extends OperationOptions {
  /** Helm 4 is followed unless 3 is asked for: which subcharts are enabled can hang on it. */
  readonly flavor?: HelmFlavor;
  /** Labels that the CRDs get; Helm itself gives none. */
  readonly crdLabels?: Readonly<Record<string, string>>;
}

const ESTABLISH_MS = 60_000;

/**
 * Installs what is in crds/ of the chart and its enabled subcharts, file by file, and waits until the API server serves it.
 * CRDs are no part of the release: nothing deletes them again.
 */
export async function installCrds(
  chart: Chart,
  values: Values,
  { policy, options }: { readonly policy: CrdPolicy; readonly options: CrdOptions },
  ports: ReleasePorts,
): Promise<void> {
  if (policy === 'skip') return;
  const crds = chartCrds(processDependencies(chart, values, { flavor: options.flavor ?? 4 }));
  const written: KubeObject[] = [];
  for (const crd of crds) {
    try {
      written.push(...(await installFile(crd, policy, { options, ports })));
    } catch (error) {
      throw new ReleaseError(
        'RELEASE_CRD',
        `failed to install CRD ${crd.fileName.slice(crd.fileName.indexOf('crds/'))}: ${serverMessage(error)}`,
        { cause: error },
      );
    }
  }
  if (written.length === 0) return;
  const wait = { timeoutMs: ESTABLISH_MS, jobs: false };
  const { signal } = options;
  await waitUntilReady(written, { ...wait, ...(signal === undefined ? {} : { signal }) }, ports);
  ports.cluster.discovery.invalidate();
}

async function installFile(
  crd: ChartCrd,
  policy: 'create' | 'replace',
  { options, ports }: { readonly options: CrdOptions; readonly ports: ReleasePorts },
): Promise<readonly KubeObject[]> {
  const { cluster } = ports;
  const objects = await readObjects(new TextDecoder().decode(crd.data), '', cluster);
  if (objects.length === 0) throw new Error('resources are empty');
  const written: KubeObject[] = [];
  for (const object of objects) {
    const exists = (await cluster.find(refOf(object))) !== undefined;
    if (exists && policy === 'create') {
      ports.warn?.(`CRD is already present. Skipping: ${object.metadata.name ?? ''}`);
      continue;
    }
    const fieldManager = options.fieldManager ?? 'helm';
    await cluster.apply(labelled(object, options.crdLabels), {
      fieldManager,
      force: policy === 'replace',
    });
    written.push(object);
  }
  return written;
}

function labelled(object: KubeObject, labels: CrdOptions['crdLabels']): KubeObject {
  if (labels === undefined) return object;
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, labels: { ...metadata.labels, ...labels } } };
}
