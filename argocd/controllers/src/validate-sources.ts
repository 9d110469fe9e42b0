import type { Application, ApplicationSource, SourceHydrator } from '@capstan/argocd-api';
import { CapstanError } from '@capstan/lib-std';

/** Throws SPEC_INVALID, in the words of Argo CD, for sources that lack what every source needs. */
export function validateSources({ spec }: Application): void {
  const { sourceHydrator, sources = [], source } = spec;
  if (sourceHydrator !== undefined) validateHydrator(sourceHydrator);
  else if (sources.length > 0) for (const one of sources) validateOne(one);
  else if (source === undefined || !source.repoURL || !(source.path || source.chart)) {
    throw incomplete(
      'spec.source.repoURL and either spec.source.path or spec.source.chart are required',
      "write `path: .` for a repository's root",
    );
  } else validateChart(source);
}

function validateOne(source: ApplicationSource): void {
  const { repoURL, path, chart, ref } = source;
  if (!repoURL || !(path || chart || ref)) {
    throw incomplete(
      `spec.source.repoURL and either source.path, source.chart, or source.ref are required for source ${repoURL}`,
      'complete that entry of spec.sources',
    );
  }
  validateChart(source);
}

function validateChart({ chart, targetRevision }: ApplicationSource): void {
  if (!chart || targetRevision) return;
  throw incomplete(
    'spec.source.targetRevision is required if the manifest source is a helm chart',
    'name a version, or `*` for the newest',
  );
}

function validateHydrator({ drySource, syncSource, hydrateTo }: SourceHydrator): void {
  const hint = 'complete spec.sourceHydrator';
  if (!drySource.repoURL)
    throw incomplete('spec.sourceHydrator.drySource.repoURL is required', hint);
  if (!syncSource.targetBranch)
    throw incomplete('spec.sourceHydrator.syncSource.targetBranch is required', hint);
  if (hydrateTo !== undefined && !hydrateTo.targetBranch) {
    throw incomplete(
      'when spec.sourceHydrator.hydrateTo is set, spec.sourceHydrator.hydrateTo.targetBranch is required',
      hint,
    );
  }
}

function incomplete(message: string, hint: string): CapstanError {
  return new CapstanError('SPEC_INVALID', message, { hint });
}
