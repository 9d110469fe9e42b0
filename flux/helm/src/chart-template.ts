/** The HelmChart that a HelmRelease makes of its template: built purely, applied when it differs, deleted when it is left. */
import { HELM_GROUP, type HelmRelease, SOURCE_GROUP } from '@capstan/flux-api';
import { checkReference, type Tenancy } from '@capstan/flux-controllers';
import type { KubeClient } from '@capstan/kube-client';
import type { EventRecorder } from '@capstan/kube-controller';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { messageOf } from '@capstan/lib-std';
import { withStatus } from './conditions.ts';
import type { HelmControlState } from './control-state.ts';
import { chartName, deniedText, formatName, type NamespacedName } from './names.ts';
import { recordEvent } from './tell.ts';

const FIELD_MANAGER = 'helm-controller';
const API_VERSION = `${SOURCE_GROUP}/v1`;

export interface TemplatePorts {
  readonly client: KubeClient;
  readonly control: HelmControlState;
  readonly tenancy: Tenancy;
  readonly events: EventRecorder;
  readonly signal: AbortSignal;
}

/** The HelmChart of a template. */
export function chartFromTemplate(release: HelmRelease): KubeObject | undefined {
  const place = chartName(release);
  const { chart } = release.spec;
  if (place === undefined || chart === undefined) return undefined;
  const { spec, metadata = {} } = chart;
  const { name, kind } = spec.sourceRef;
  const verify: JsonObject | undefined = spec.verify && {
    provider: spec.verify.provider,
    ...(spec.verify.secretRef === undefined ? {} : { secretRef: spec.verify.secretRef }),
  };
  return {
    apiVersion: API_VERSION,
    kind: 'HelmChart',
    metadata: {
      ...place,
      labels: {
        ...metadata.labels,
        [`${HELM_GROUP}/name`]: release.metadata.name ?? '',
        [`${HELM_GROUP}/namespace`]: release.metadata.namespace ?? '',
      },
      ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }),
    },
    spec: {
      chart: spec.chart,
      sourceRef: { kind, name },
      interval: spec.interval ?? release.spec.interval,
      ...(spec.version ? { version: spec.version } : {}),
      ...(spec.reconcileStrategy ? { reconcileStrategy: spec.reconcileStrategy } : {}),
      ...(spec.valuesFiles === undefined ? {} : { valuesFiles: spec.valuesFiles }),
      ...(spec.ignoreMissingValuesFiles === true ? { ignoreMissingValuesFiles: true } : {}),
      ...(verify === undefined ? {} : { verify }),
    },
  };
}

/** Makes the cluster hold the chart that is wanted; gives the HelmRelease that knows it. */
export async function reconcileTemplate(
  given: HelmRelease,
  ports: TemplatePorts,
): Promise<HelmRelease> {
  const place = chartName(given);
  const known = given.status.helmChart ?? '';
  const isDeleted = given.metadata.deletionTimestamp !== undefined;
  const isLeft = known !== '' && (place === undefined || known !== formatName(place));
  const release = isLeft || isDeleted ? await deleteChart(given, ports) : given;
  const wanted = isDeleted ? undefined : chartFromTemplate(release);
  if (wanted === undefined || place === undefined) return release;
  check(release, place, ports);
  const live = ports.control.find('HelmChart', place);
  if (live === undefined || differs(live, wanted)) await applyChart(release, wanted, ports);
  return withStatus(release, { helmChart: formatName(place) });
}

async function applyChart(
  release: HelmRelease,
  wanted: KubeObject,
  { client, control, events, signal }: TemplatePorts,
): Promise<void> {
  let isNew = false;
  try {
    const written = await client.apply(wanted, {
      ...{ fieldManager: FIELD_MANAGER, force: true, signal },
      onAnswer: ({ status }) => {
        isNew = status === 201;
      },
    });
    control.live.observeWrite(written);
  } catch (error) {
    signal.throwIfAborted();
    const message = `failed to run server-side apply: ${messageOf(error)}`;
    recordEvent(events, release, { type: 'Normal', reason: 'HelmChartSyncErr', message });
    throw error;
  }
  const { namespace = '', name = '' } = wanted.metadata;
  const { kind, name: source } = release.spec.chart?.spec.sourceRef ?? {};
  const verb = isNew ? 'Created' : 'Configured';
  recordEvent(events, release, {
    ...{ type: 'Normal', reason: `HelmChart${verb}` },
    message: `${verb} HelmChart/${namespace}/${name} with SourceRef '${kind}/${namespace}/${source}'`,
  });
}

function check(release: HelmRelease, place: NamespacedName, { tenancy }: TemplatePorts): void {
  const own = release.metadata.namespace ?? '';
  checkReference({ kind: 'HelmChart', ...place }, own, tenancy, deniedText);
}

async function deleteChart(release: HelmRelease, ports: TemplatePorts): Promise<HelmRelease> {
  const [namespace = '', name = ''] = (release.status.helmChart ?? '').split('/');
  if (name === '' || release.spec.suspend === true) return release;
  check(release, { namespace, name }, ports);
  const ref = { apiVersion: API_VERSION, kind: 'HelmChart', namespace, name };
  const { client, events, signal } = ports;
  if ((await client.find(ref, { signal })) !== undefined) {
    await client.delete(ref, { signal });
    const message = `deleted HelmChart '${namespace}/${name}'`;
    recordEvent(events, release, { type: 'Normal', reason: 'HelmChartDeleted', message });
  }
  return withStatus(release, { helmChart: undefined } as unknown as HelmRelease['status']);
}

const DEFAULTS: JsonObject = { version: '*', reconcileStrategy: 'ChartVersion' };

/** Whether applying `wanted` would change what the API server holds, its defaults considered. */
function differs(live: KubeObject, wanted: KubeObject): boolean {
  const spec = (object: KubeObject): string => {
    const { suspend: _suspend, ...fields } = { ...DEFAULTS, ...(object['spec'] as JsonObject) };
    return stable(fields);
  };
  if (spec(live) !== spec(wanted)) return true;
  const lacks = (
    has: Readonly<Record<string, string>> = {},
    wants: Readonly<Record<string, string>> = {},
  ): boolean => Object.entries(wants).some(([key, value]) => has[key] !== value);
  return (
    lacks(live.metadata.labels, wanted.metadata.labels) ||
    lacks(live.metadata.annotations, wanted.metadata.annotations)
  );
}

function stable(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
