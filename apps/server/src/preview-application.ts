import { parseApplication } from '@capstan/argocd-api';
import { readSettings, renderApplication } from '@capstan/argocd-controllers';
import { renderManifests } from '@capstan/engine-render';
import type { SourceSpec } from '@capstan/engine-source';
import type { KubeObject } from '@capstan/kube-object';
import type { FileTree } from '@capstan/lib-files';
import { CapstanError } from '@capstan/lib-std';
import { createChartRenderer } from './chart-renderer.ts';

export interface PreviewOptions {
  /** The files of a Git repository; throws for one that is not at hand. */
  readonly openRepository: (url: string) => FileTree;
  readonly controlNamespace: string;
  /** The data of argocd-cm. */
  readonly config?: { readonly [key: string]: string };
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** The objects that an Application would have, from repositories that are at hand. Nothing is fetched. */
export async function previewApplication(
  object: KubeObject,
  { openRepository, controlNamespace, config = {}, now, signal }: PreviewOptions,
): Promise<readonly KubeObject[]> {
  const parsed = parseApplication(object);
  if (parsed.kind !== 'ok')
    throw new CapstanError('SPEC_INVALID', `${parsed.field} ${parsed.message}`);
  const renderChart = createChartRenderer(now, () => undefined);
  const found = await renderApplication(parsed.value, {
    settings: readSettings(config),
    controlNamespace,
    fetch: async (source) => snapshotOf(source, openRepository),
    render: async (snapshot, spec) => renderManifests(snapshot, spec, { renderChart }),
    signal,
  });
  return found.map((one) => one.object);
}

function snapshotOf(source: SourceSpec, openRepository: PreviewOptions['openRepository']) {
  if (source.kind !== 'git')
    throw new CapstanError('SOURCE_ELSEWHERE', `${source.url} is not fetched for a preview`);
  const { url } = source;
  const name = 'name' in source.revision ? source.revision.name : '';
  return { source: url, revision: { id: name, name }, digest: url, files: openRepository(url) };
}
